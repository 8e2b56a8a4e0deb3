import { dnKey, parentDn } from "../../core/dn.ts";
import type { Entry } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { plainSchema } from "../../core/matching.ts";
import type { ScopePlace } from "../../core/scope.ts";
import { timeOf } from "../../core/syntax.ts";
import { type Connection, onConnection } from "../ldap/connection.ts";
import { isName, MOST } from "../ldap/naming.ts";
import type { ServerMemory } from "../ldap/server-memory.ts";
import { placeByReading, placeByServer } from "../ldap/standing.ts";
import { type Control, domainScope, showDeleted } from "../ldap/wire/encode.ts";
import { dnOf, hasRanges, textsOf } from "../ldap/wire/entry.ts";
import { completeRanges } from "../ldap/wire/range.ts";
import { search } from "../ldap/wire/session.ts";
import type { Found, FoundPerson, FoundPlace } from "../source.ts";
import { buriedAs, calledSo, isDnIn } from "./called.ts";
import { isTombstone } from "./deleted.ts";
import { guidAnchor } from "./guid.ts";
import { PERSON, whatIs } from "./kind.ts";
import type { ActiveDirectoryOptions } from "./options.ts";
import { readRoot } from "./root.ts";
import type { Scope } from "./scope.ts";
import { knownOf, ofPerson, shownBy } from "./shown.ts";
import { keyOf, placeName, type Visit, visitOne } from "./visit.ts";

/** Whoever has this name now; where no person has, whose tombstone may be theirs, as far as this account sees those. */
export function find(
	options: ActiveDirectoryOptions & { readonly memory: ServerMemory },
	scope: Scope,
	user: string,
	signal: AbortSignal,
): Promise<Found> {
	const { observe, pageSize } = options;
	const ask = async ({ session, server, certificateExpiresAt }: Connection): Promise<Found> => {
		if (certificateExpiresAt !== undefined) observe.certificate(certificateExpiresAt);
		const root = await readRoot(session, scope);
		const visit: Visit = { session, scope, root, pageSize, unsealed: [], warnings: [], deleted: new Set() };
		return { server, people: await findPeople(visit, user) };
	};
	return onConnection({ ...options, readBefore: [], onRequest: observe.request }, ask, signal);
}

/** Where somebody of the snapshot stands. Whoever was a person is one: what makes it one cannot be taken off it. */
export function placeOf(scope: Scope, entry: Entry, asked: ReadonlySet<string>): ScopePlace {
	const { dn, attributes } = entry;
	const classes = attributes.get("objectclass") ?? [];
	const what = whatIs(classes, attributes.get("samaccounttype")?.[0]);
	const candidate = { dn, what, lookup: knownOf(entry, asked) };
	return placeByReading({ ...scope, schema: plainSchema }, candidate, classes.length === 0 || what === PERSON);
}

async function findPeople(visit: Visit, user: string): Promise<readonly FoundPerson[]> {
	if (!isName(user)) return [];
	const people: FoundPerson[] = [];
	for (const raw of await findLive(visit, user)) people.push(await placed(visit, raw));
	if (people.some(({ place }) => place.kind !== "not-a-person")) return people;
	for (const raw of await findTombstones(visit, user)) people.push({ ...identityOf(raw), place: buried(visit, raw) });
	return people.slice(0, MOST);
}

async function findLive(visit: Visit, user: string): Promise<readonly Uint8Array[]> {
	const found = new Map<string, Uint8Array>();
	for (const { dn } of visit.root.domains) {
		// What is a DN may be an address, too: "a=b@corp.example.com".
		const named = isDnIn(user, dn) ? await at(visit, user) : [];
		const others = await few(visit, dn, calledSo(user, dn), visit.scope.attributes);
		for (const raw of [...named, ...others]) found.set(dnKey(dnOf(raw)), raw);
	}
	return [...found.values()].slice(0, MOST);
}

async function at(visit: Visit, dn: string): Promise<readonly Uint8Array[]> {
	try {
		const raw = await visitOne(visit, dn, visit.scope.attributes);
		return raw === undefined ? [] : [Uint8Array.from(raw)];
	} catch (cause) {
		// What the server does not take for a DN is nobody's.
		if (cause instanceof Failure && cause.code === "SOURCE_BASE_MISSING") return [];
		throw cause;
	}
}

async function findTombstones(visit: Visit, user: string): Promise<readonly Uint8Array[]> {
	if (!visit.root.controls.has(showDeleted.oid)) return [];
	const attributes = [...visit.scope.attributes, "isDeleted", "lastKnownParent", "whenChanged"];
	const found: Uint8Array[] = [];
	for (const { dn } of visit.root.domains) {
		const raws = await few(visit, dn, buriedAs(user, dn), attributes, [showDeleted]);
		found.push(...raws.filter((raw) => isTombstone(raw) && wasThere(raw, user, dn)));
	}
	return found;
}

/** Of two who had one name, a DN means the one that was in its container. */
function wasThere(raw: Uint8Array, user: string, domain: string): boolean {
	const [parent] = textsOf(raw, "lastKnownParent");
	return !isDnIn(user, domain) || parent === undefined || dnKey(parent) === dnKey(parentDn(user) ?? "");
}

/** Copies: the answers are views of what was received. */
async function few(
	visit: Visit,
	base: string,
	filter: Filter,
	attributes: readonly string[],
	controls: readonly Control[] = [],
): Promise<readonly Uint8Array[]> {
	const request = { base, scope: "sub", filter, attributes, controls: [domainScope, ...controls], atMost: MOST } as const;
	return (await search(visit.session, request)).map((raw) => Uint8Array.from(raw));
}

async function placed(visit: Visit, came: Uint8Array): Promise<FoundPerson> {
	const { session, scope, root } = visit;
	const raw = hasRanges(came) ? await completeRanges(session, came) : came;
	const asked = new Set(scope.attributes.map((name) => name.toLowerCase()));
	const candidate = {
		dn: dnOf(raw),
		what: whatIs(textsOf(raw, "objectClass"), textsOf(raw, "sAMAccountType")[0]),
		lookup: ofPerson(shownBy(raw, asked)),
	};
	const standard = { ...scope, schema: plainSchema };
	const place = await placeByServer(standard, candidate, { session, contexts: root.domains, controls: [domainScope] });
	return { ...identityOf(raw), place };
}

function identityOf(raw: Uint8Array): Omit<FoundPerson, "place"> {
	const key = keyOf(raw);
	return { anchor: key === undefined ? undefined : guidAnchor(key), dn: dnOf(raw), raw };
}

function buried({ root }: Visit, raw: Uint8Array): FoundPlace {
	const what = whatIs(textsOf(raw, "objectClass"), textsOf(raw, "sAMAccountType")[0]);
	if (what !== PERSON) return { kind: "not-a-person", what: `${what}, deleted` };
	const [parent] = textsOf(raw, "lastKnownParent");
	const [changed] = textsOf(raw, "whenChanged");
	return {
		kind: "deleted",
		where: parent === undefined ? undefined : `in ${placeName(parent, root)}`,
		changedAt: changed === undefined ? undefined : timeOf(changed),
	};
}
