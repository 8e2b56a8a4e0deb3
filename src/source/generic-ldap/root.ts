import { isBeneath } from "../../core/dn.ts";
import { Failure } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-text.ts";
import { contextsOf, outermost, type Place } from "../ldap/place.ts";
import { attributeName, firstValue, textsOf } from "../ldap/wire/entry.ts";
import { probe, type Session, search } from "../ldap/wire/session.ts";
import type { Scope } from "./scope.ts";

/** What a server says of itself before a reading. */
export interface Root {
	/** The naming contexts in which the bases lie; where one cannot be seen, the bases in it. */
	readonly contexts: readonly Place[];
	/** The naming context that cannot be seen: who leaves the bases cannot be followed there. */
	readonly hidden: string | undefined;
	readonly controls: ReadonlySet<string>;
	/** contextCSN of each context that shows it, by its key: what an OpenLDAP server knows, one for each server that ever wrote. */
	readonly csns: ReadonlyMap<string, readonly string[]>;
	/** Whose answer it is: the URL, and the server's own name where it says one. */
	readonly server: string;
	readonly vendor: string | undefined;
	readonly subschema: string | undefined;
}

export const anything = parseFilter("(objectClass=*)");

/** Reads the root DSE. Ask before searching: what changes during a reading is then seen by the next delta. */
export async function readRoot(session: Session, scope: Scope): Promise<Root> {
	const [raw] = await search(session, {
		base: "",
		scope: "base",
		filter: anything,
		attributes: [
			"namingContexts",
			"defaultNamingContext",
			"supportedControl",
			"vendorName",
			"vendorVersion",
			"netscapemdsuffix",
			"subschemaSubentry",
		],
	});
	if (raw === undefined) {
		throw new Failure("SOURCE_PROTOCOL", `${session.server} shows no root DSE`, {
			hint: "This is no directory server, or it hides its root DSE.",
		});
	}
	const named = contextsOf(placesOf(scope), [...textsOf(raw, "defaultNamingContext"), ...textsOf(raw, "namingContexts")]);
	const csns = new Map<string, readonly string[]>();
	const contexts: Place[] = [];
	let hidden: string | undefined;
	for (const context of named) {
		const shown = await readContext(session, context.dn);
		if (shown !== undefined) {
			contexts.push(context);
			const known = textsOf(shown, "contextCSN");
			if (known.length > 0) csns.set(context.key, known);
			continue;
		}
		hidden ??= context.dn;
		contexts.push(...placesOf(scope).filter(({ key }) => isBeneath(key, context.key)));
	}
	const own = textsOf(raw, "netscapemdsuffix")[0];
	return {
		contexts: outermost(contexts),
		hidden,
		controls: new Set(textsOf(raw, "supportedControl")),
		csns,
		server: own === undefined ? session.server : `${session.server} ${own}`,
		vendor: textsOf(raw, "vendorVersion")[0] ?? textsOf(raw, "vendorName")[0],
		subschema: textsOf(raw, "subschemaSubentry")[0],
	};
}

async function readContext(session: Session, dn: string): Promise<Uint8Array | undefined> {
	try {
		return (await probe(session, { base: dn, filter: anything, attributes: ["contextCSN"] })).entries[0];
	} catch (cause) {
		if (cause instanceof Failure && cause.code === "SOURCE_REFUSED") return undefined; // Some servers say "forbidden".
		throw cause;
	}
}

function placesOf({ bases, groups, roots }: Scope): readonly Place[] {
	const named = roots.flatMap(({ name, key }) => (name.kind === "dn" ? [{ dn: name.dn, key }] : []));
	return [...bases, ...(groups?.bases ?? []), ...named];
}

const TIMESTAMP = attributeName("modifyTimestamp");

/**
 * Makes sure that each base is there and visible; returns whether all of them show their modifyTimestamp. Throws Failure
 * SOURCE_BASE_MISSING naming the one that is not.
 */
export async function requireBases(session: Session, scope: Scope): Promise<boolean> {
	let showsTimestamp = true;
	for (const { dn } of [...scope.bases, ...(scope.groups?.bases ?? [])]) {
		const { entries, isThere } = await probe(session, { base: dn, filter: anything, attributes: ["objectClass", "modifyTimestamp"] });
		const [raw] = entries;
		if (raw !== undefined) {
			showsTimestamp = showsTimestamp && firstValue(raw, TIMESTAMP) !== undefined;
			continue;
		}
		throw baseMissing(dn, isThere, session.server);
	}
	return showsTimestamp;
}

export function baseMissing(dn: string, isThere: boolean, server: string): Failure {
	const why = isThere ? "is there, but this account cannot read it" : "is not there, or not visible to this account";
	return new Failure("SOURCE_BASE_MISSING", `the base "${dn}" ${why} (${server})`, {
		hint: "Check its spelling, whether it was renamed or moved, and the service account's right to read it.",
	});
}
