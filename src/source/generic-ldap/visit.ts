import type { Anchor } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { placeName } from "../ldap/place.ts";
import { type PagesOptions, readAll } from "../ldap/wire/pages.ts";
import { type Found, probe, probeName, type Session, search } from "../ldap/wire/session.ts";
import type { Root } from "./root.ts";
import type { Scope } from "./scope.ts";
import { type KnowsAttribute, makeKnowsAttribute } from "./subschema.ts";

/** One reading's view of a directory: what each of its steps needs. */
export interface Visit {
	readonly session: Session;
	readonly scope: Scope;
	readonly root: Root;
	readonly pageSize: number;
	/** Reasons for which absence proves nothing. */
	readonly unsealed: string[];
	readonly warnings: string[];
	/** Whom the server itself named as deleted, or as matching no more, in this reading. */
	readonly deleted: Set<Anchor>;
	readonly knowsAttribute: KnowsAttribute;
}

export function openVisit(session: Session, scope: Scope, root: Root, pageSize: number, warnings: readonly string[]): Visit {
	const knowsAttribute = makeKnowsAttribute(session, root.subschema);
	return { session, scope, root, pageSize, unsealed: [], warnings: [...warnings], deleted: new Set(), knowsAttribute };
}

/** Anchors, DNs or uids asked for in one search. */
export const BATCH = 50;

export function* batchesOf<T>(items: readonly T[], size = BATCH): Generator<readonly T[]> {
	for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/** How pages of what is ours are read: a part that lies on another server breaks the seal. */
export function pagesOptions(visit: Visit): PagesOptions {
	return {
		pageSize: visit.pageSize,
		unsealed: (reason) => {
			if (!visit.unsealed.includes(reason)) visit.unsealed.push(reason);
		},
		isForeign: () => false,
	};
}

/** Every entry that matches beneath a place, a few attributes of each. Other servers' parts do not matter here. */
export function visitAll(visit: Visit, base: string, filter: Filter, attributes: readonly string[]): Promise<readonly Uint8Array[]> {
	return readAll(visit.session, { base, scope: "sub", filter, attributes }, { ...pagesOptions(visit), isForeign: () => true });
}

/** The matching entries of a search that is small by its filter, from a base that is there; more than `atMost` do not matter. */
export function visitFew(
	visit: Visit,
	base: string,
	filter: Filter,
	attributes: readonly string[],
	atMost?: number,
): Promise<readonly Uint8Array[]> {
	return search(visit.session, { base, scope: "sub", filter, attributes, ...(atMost !== undefined && { atMost }) });
}

/** One object by its DN. `isThere` with nothing: it cannot be read. */
export async function visitOne(visit: Visit, dn: string, attributes: readonly string[]): Promise<Found> {
	try {
		return await probe(visit.session, { base: dn, filter: { kind: "present", attribute: "objectClass" }, attributes });
	} catch (cause) {
		// "Forbidden" is an answer, too: it is there.
		if (cause instanceof Failure && cause.code === "SOURCE_REFUSED") return { entries: [], isThere: true };
		throw cause;
	}
}

/** One object by a DN that may be none of this server's; undefined, too, when it may not be read. */
export async function visitNamed(visit: Visit, dn: string, attributes: readonly string[]): Promise<Uint8Array | undefined> {
	try {
		const filter: Filter = { kind: "present", attribute: "objectClass" };
		return (await probeName(visit.session, { base: dn, filter, attributes })).entries[0];
	} catch (cause) {
		if (cause instanceof Failure && cause.code === "SOURCE_REFUSED") return undefined; // As good as not there.
		throw cause;
	}
}

/** How many entries match, as far as `most`, beneath a base that is there. */
export async function examples(visit: Visit, base: string, filter: Filter, scope: "one" | "sub", most: number): Promise<number> {
	return (await search(visit.session, { base, scope, filter, attributes: ["1.1"], atMost: most })).length;
}

export function both(...parts: readonly Filter[]): Filter {
	return { kind: "and", parts };
}

export function either(parts: readonly Filter[]): Filter {
	return { kind: "or", parts };
}

export function not(part: Filter): Filter {
	return { kind: "not", part };
}

/** A container's name as far as a person needs it. */
export function nameIn(visit: Visit, dn: string): string {
	return placeName(dn, visit.root.contexts);
}
