import { dnKey, isBeneath } from "../../core/dn.ts";
import type { Entry } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { makeMatcher } from "../../core/matching.ts";
import type { ScopePlace } from "../../core/scope.ts";
import { type Connection, onConnection } from "../ldap/connection.ts";
import { isName, MOST } from "../ldap/naming.ts";
import type { ServerMemory } from "../ldap/server-memory.ts";
import { placeByReading, placeByServer } from "../ldap/standing.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import { search } from "../ldap/wire/session.ts";
import type { Found, FoundPerson } from "../source.ts";
import { whatIs } from "./kind.ts";
import type { GenericLdapOptions } from "./options.ts";
import { readRoot } from "./root.ts";
import { ldapSchema } from "./schema.ts";
import type { Scope } from "./scope.ts";
import { knownOf, shownBy } from "./shown.ts";
import { makeVeil } from "./veil.ts";
import { either, openVisit, type Visit, visitOne } from "./visit.ts";

/** Whoever has this name now. Of who was deleted, these directories keep nothing. */
export function find(
	options: GenericLdapOptions & { readonly memory: ServerMemory },
	scope: Scope,
	user: string,
	signal: AbortSignal,
): Promise<Found> {
	const { observe, pageSize } = options;
	const ask = async ({ session, server, certificateExpiresAt }: Connection): Promise<Found> => {
		if (certificateExpiresAt !== undefined) observe.certificate(certificateExpiresAt);
		const root = await readRoot(session, scope);
		return { server, people: await findPeople(openVisit(session, scope, root, pageSize, []), user) };
	};
	return onConnection({ ...options, readBefore: [], onRequest: observe.request }, ask, signal);
}

/** Where somebody of the snapshot stands. What tells who is disabled may be hidden of whom that is not known. */
export function placeOf(scope: Scope, entry: Entry, asked: ReadonlySet<string>): ScopePlace {
	const { dn, attributes, standing } = entry;
	const hidden = new Set(standing === "unknown" ? scope.state.attributes : []);
	const candidate = { dn, what: whatIs(scope, attributes.get("objectclass") ?? []), lookup: knownOf(entry, asked, hidden) };
	return placeByReading(
		{ ...scope, kind: scope.persons, schema: ldapSchema },
		candidate,
		makeMatcher(scope.persons, ldapSchema)(candidate.lookup),
	);
}

async function findPeople(visit: Visit, user: string): Promise<readonly FoundPerson[]> {
	if (!isName(user)) return [];
	const found = new Map<string, Uint8Array>();
	for (const { dn, key } of visit.root.contexts) {
		const named = isBeneath(dnKey(user), key) ? await at(visit, user) : [];
		const request = { base: dn, scope: "sub", filter: calledSo(visit.scope, user), attributes: visit.scope.asked, atMost: MOST } as const;
		for (const raw of [...named, ...(await search(visit.session, request))]) found.set(dnKey(dnOf(raw)), raw);
	}
	const veil = makeVeil(visit);
	const people: FoundPerson[] = [];
	// Copies: the answers are views of what was received.
	for (const raw of [...found.values()].slice(0, MOST)) people.push(await placed(visit, await veil.over(Uint8Array.from(raw))));
	return people;
}

/** What the server does not take for a DN is nobody's, and neither is what it forbids to look at. */
async function at(visit: Visit, dn: string): Promise<readonly Uint8Array[]> {
	try {
		return (await visitOne(visit, dn, visit.scope.asked)).entries;
	} catch (cause) {
		if (cause instanceof Failure && cause.code === "SOURCE_BASE_MISSING") return [];
		throw cause;
	}
}

/** Person or not: uid, address, common name or anchor. */
function calledSo({ anchors }: Scope, user: string): Filter {
	const names = new Map(
		["uid", "mail", "cn", anchors.people.attribute, anchors.groups.attribute].map((name) => [name.toLowerCase(), name]),
	);
	return either([...names.values()].map((name) => equal(name, user)));
}

async function placed({ session, scope, root }: Visit, raw: Uint8Array): Promise<FoundPerson> {
	const { anchors } = scope;
	const asked = new Set(scope.asked.map((name) => name.toLowerCase()));
	const candidate = { dn: dnOf(raw), what: whatIs(scope, textsOf(raw, "objectClass")), lookup: shownBy(raw, asked) };
	const standard = { ...scope, kind: scope.persons, schema: ldapSchema };
	const key = anchors.people.keyOf(raw) ?? anchors.groups.keyOf(raw);
	return {
		anchor: key === undefined ? undefined : anchors.anchorOf(key),
		dn: candidate.dn,
		raw,
		place: await placeByServer(standard, candidate, { session, contexts: root.contexts, controls: [] }),
	};
}
