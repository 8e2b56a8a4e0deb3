import type { SecureContext } from "node:tls";
import type { Credentials } from "./bind.ts";
import type { DnForm } from "./extended-dn.ts";
import type { FaultBook } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import type { SearchRequest } from "./request.ts";
import { plainRights, type Rights, type Sight, sightOf } from "./rights.ts";
import { makeSelection, type Selection } from "./selection.ts";
import { type AdObject, hex, type Store } from "./store.ts";

/** AD's administrative limits (LDAP policies), as far as this directory has them. May be changed while it serves. */
export interface Limits {
	maxPageSize: number;
	maxValRange: number;
}

/** What all connections of one demo directory share. */
export interface Host {
	readonly store: Store;
	readonly credentials: Credentials;
	/** By the account's GUID in hex. */
	readonly rights: Map<string, Rights>;
	readonly faults: FaultBook;
	readonly limits: Limits;
	/** Selections by what was asked, shared so that encoded entries are. */
	readonly selections: Map<string, Selection>;
	readonly secureContext: SecureContext | undefined;
	/** Refuse to take a password over a connection without TLS. */
	readonly requireTls: boolean;
}

/** A search on its way, from its first page to its last. */
export interface Pass {
	readonly request: SearchRequest;
	readonly entries: Iterator<AdObject | "pause">;
	readonly form: DnForm;
	readonly references: readonly string[];
	/** Renewed at every page: rights may be taken away in between. */
	readonly sight: { -readonly [K in keyof Sight]: Sight[K] };
	readonly startedAt: number;
	sent: number;
	page: number;
}

/** One connection. */
export interface Session {
	readonly host: Host;
	readonly number: number;
	account: AdObject | undefined;
	isSecure: boolean;
	out: Outlet;
	/** Paged searches that wait for their next page, by cookie in hex. */
	readonly passes: Map<string, Pass>;
}

export function rightsOf({ host, account }: Session): Rights {
	return (account === undefined ? undefined : host.rights.get(hex(account.guid))) ?? plainRights;
}

export function sightFor(session: Session, showDeleted: boolean): Sight {
	return sightOf(session.host.store, rightsOf(session), showDeleted);
}

/** So many different questions keep their encoded names; a test asks a handful. */
const MOST_SELECTIONS = 64;

export function selectionFor(
	{ store, selections, limits }: Host,
	{ attributes, typesOnly }: Pick<SearchRequest, "attributes" | "typesOnly">,
	form: DnForm,
): Selection {
	const key = `${typesOnly} ${form} ${attributes.join(" ")}`;
	const known = selections.get(key);
	if (known !== undefined) return known;
	if (selections.size >= MOST_SELECTIONS) selections.clear();
	const made = makeSelection(store, { attributes, typesOnly, form }, () => limits.maxValRange);
	selections.set(key, made);
	return made;
}
