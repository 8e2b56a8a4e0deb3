import { dnKey, isBeneath } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { type Control, domainScope } from "../ldap/wire/encode.ts";
import { attributeName, firstValue } from "../ldap/wire/entry.ts";
import { type PagesOptions, readAll, readPages } from "../ldap/wire/pages.ts";
import { probe, probeName, type Session, search } from "../ldap/wire/session.ts";
import { guidOctets } from "./guid.ts";
import { anything, type Root } from "./root.ts";
import type { Scope } from "./scope.ts";

/** One reading's view of a directory: what each of its steps needs. */
export interface Visit {
	readonly session: Session;
	readonly scope: Scope;
	readonly root: Root;
	readonly pageSize: number;
	/** Reasons for which absence proves nothing. */
	readonly unsealed: string[];
	readonly warnings: string[];
	/** Whose tombstones were seen among the changes that this reading began with. */
	readonly deleted: Set<Anchor>;
}

export const GUID = attributeName("objectGUID");

/** The 16 octets of an entry's objectGUID, as a view; undefined when it does not show one. */
export function keyOf(raw: Uint8Array): Uint8Array | undefined {
	const key = firstValue(raw, GUID);
	return key?.length === 16 ? key : undefined;
}

/** Any of these, wherever they are. */
export function byGuid(anchors: readonly Anchor[]): Filter {
	const parts = anchors.flatMap((anchor): Filter[] => {
		const value = guidOctets(anchor);
		return value === undefined ? [] : [{ kind: "equal", attribute: "objectGUID", value }];
	});
	return { kind: "or", parts };
}

/** How pages are read: referrals to the forest's own naming contexts, where no people live, do not count as a missing part. */
export function pagesOptions(visit: Visit): PagesOptions {
	return {
		pageSize: visit.pageSize,
		unsealed: (reason) => {
			if (!visit.unsealed.includes(reason)) visit.unsealed.push(reason);
		},
		isForeign: (url) => /^ldaps?:\/\/[^/]*\/(?:CN=Configuration|CN=Schema|DC=DomainDnsZones|DC=ForestDnsZones),/i.test(decodeUrl(url)),
	};
}

/** Every entry that matches beneath a base, a few attributes of each. */
export function visitAll(
	visit: Visit,
	base: string,
	filter: Filter,
	attributes: readonly string[],
	controls: readonly Control[] = [],
): Promise<readonly Uint8Array[]> {
	const request = { base, scope: "sub", filter, attributes, controls: [domainScope, ...controls] } as const;
	return readAll(visit.session, request, pagesOptions(visit));
}

/** The same, page by page. */
export function visitPages(
	visit: Visit,
	base: string,
	filter: Filter,
	attributes: readonly string[],
): AsyncGenerator<readonly Uint8Array[], void> {
	return readPages(visit.session, { base, scope: "sub", filter, attributes, controls: [domainScope] }, pagesOptions(visit));
}

/** The matching entries of a search that is small by its filter, from a base that is there. */
export function visitFew(
	visit: Visit,
	request: {
		readonly base: string;
		readonly scope: "one" | "sub";
		readonly filter: Filter;
		readonly attributes: readonly string[];
		/** More of them than these do not matter. */
		readonly atMost?: number;
	},
	controls: readonly Control[] = [],
): Promise<readonly Uint8Array[]> {
	return search(visit.session, { ...request, controls: [domainScope, ...controls] });
}

/** One object by its DN; undefined when it is not there, or not visible. */
export async function visitOne(
	visit: Visit,
	dn: string,
	attributes: readonly string[],
	controls: readonly Control[] = [],
): Promise<Uint8Array | undefined> {
	const request = { base: dn, filter: anything, attributes, controls: [domainScope, ...controls] };
	return (await probe(visit.session, request)).entries[0];
}

/** One object by a name of any kind; undefined, too, when the server takes it for no name of its own. */
export async function visitNamed(visit: Visit, base: string, attributes: readonly string[]): Promise<Uint8Array | undefined> {
	return (await probeName(visit.session, { base, filter: anything, attributes, controls: [domainScope] })).entries[0];
}

/** How many entries match, as far as `most`, beneath a base that is there. */
export async function examples(visit: Visit, base: string, filter: Filter, scope: "one" | "sub", most: number): Promise<number> {
	const request = { base, scope, filter, attributes: ["1.1"], controls: [domainScope], atMost: most };
	return (await search(visit.session, request)).length;
}

/** "OU=Leavers" or "OU=Sub,OU=Leavers": a container without the domain it lies in, for a person. */
export function placeName(dn: string, root: Root): string {
	const key = dnKey(dn);
	const domain = root.domains.find((place) => isBeneath(key, place.key));
	if (domain === undefined || domain.key === key) return dn;
	return dn.toLowerCase().endsWith(`,${domain.dn.toLowerCase()}`) ? dn.slice(0, -domain.dn.length - 1) : dn;
}

function decodeUrl(url: string): string {
	try {
		return decodeURIComponent(url);
	} catch {
		return url; // Not percent-encoded: read as it stands.
	}
}
