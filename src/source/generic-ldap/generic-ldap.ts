import type { Anchor } from "../../core/entry.ts";
import { printFilter } from "../../core/filter-text.ts";
import { digest } from "../../lib/digest.ts";
import { accountName } from "../ldap/bind.ts";
import { readClientCertificate } from "../ldap/client-certificate.ts";
import { type Connection, openConnection } from "../ldap/connection.ts";
import { protocolFailure } from "../ldap/result.ts";
import { makeServerMemory, type ServerMemory } from "../ldap/server-memory.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import type { GroupsReading, Reading, ReadingEnd, ReadRequest, Source } from "../source.ts";
import { readContainers } from "./containers.ts";
import { hostsOf, type Mark, parseMark, printMark, viewChange } from "./cursor.ts";
import { makeDecoder } from "./decode.ts";
import { type Marked, readMarks } from "./delta.ts";
import { find, placeOf } from "./find.ts";
import { makeGroupIndex } from "./group-index.ts";
import { makeGroups } from "./groups.ts";
import { makeLookup, type Sought } from "./lookup.ts";
import type { GenericLdapOptions } from "./options.ts";
import { deltaPages, fullPages, type Tally } from "./pages.ts";
import { readProtection } from "./protection.ts";
import { readReports } from "./reports.ts";
import { readRoot, requireBases } from "./root.ts";
import { pinOf, readRoots, readRuled } from "./roots.ts";
import { makeScope, type Scope } from "./scope.ts";
import { chooseStrategy, describeStrategy, type Strategy, whyFull } from "./strategy.ts";
import { readNewest } from "./timestamp.ts";
import { makeVeil, type Veil } from "./veil.ts";
import { both, examples, openVisit, type Visit } from "./visit.ts";

/** A source of type `ldap`. Throws Failure CONFIG_INVALID or ENTRY_UNREADABLE when a filter or DN is wrong. */
export function makeGenericLdap(options: GenericLdapOptions): Source {
	const scope = makeScope(options);
	const memory = makeServerMemory(options.clock);
	const readsGroups = scope.groups !== undefined || scope.roots.length > 0 || scope.ruled.length > 0;
	return {
		name: options.name,
		identity: `ldap as ${accountName(options.bind, readClientCertificate(options.tls)).toLowerCase()}`,
		scope: scope.text,
		groupScope: scope.groups?.text,
		attributes: scope.attributes,
		canFailOver: options.urls.length > 1 || options.discovery !== undefined,
		memberKeys: readsGroups ? "dn" : undefined,
		primary: readsGroups ? { member: "gidnumber", group: "gidnumber" } : undefined,
		watch: undefined,
		read: (request, signal) => openReading({ ...options, memory }, scope, request, signal),
		find: (user, signal) => find({ ...options, memory }, scope, user, signal),
		placeOf: (entry, asked) => placeOf(scope, entry, asked),
		anchor: scope.anchors.anchorOf,
		dn: dnOf,
		decode: makeDecoder(scope),
	};
}

async function openReading(
	options: GenericLdapOptions & { readonly memory: ServerMemory },
	scope: Scope,
	request: ReadRequest,
	signal: AbortSignal,
): Promise<Reading> {
	const { observe } = options;
	const readBefore = hostsOf(parseMark(request.cursor));
	const connection = await openConnection({ ...options, readBefore, onRequest: observe.request }, signal);
	if (connection.certificateExpiresAt !== undefined) observe.certificate(connection.certificateExpiresAt);
	try {
		return guard(await prepare(options, scope, request, connection));
	} catch (cause) {
		connection.session.close();
		throw protocolFailure(connection.server, cause);
	}
}

/** The same reading; bytes that turn out not to be LDAP only when they are looked at are the server's fault, too. */
function guard(reading: Reading): Reading {
	const { server, groups } = reading;
	const known = <T>(answer: Promise<T>): Promise<T> =>
		answer.catch((cause: unknown) => {
			throw protocolFailure(server, cause);
		});
	return {
		...reading,
		pages: guardPages(server, reading.pages),
		groups: groups && {
			pages: guardPages(server, groups.pages),
			lookup: (wanted) => known(groups.lookup(wanted)),
			doubtEmpty: (anchors) => known(groups.doubtEmpty(anchors)),
		},
		lookup: (wanted) => known(reading.lookup(wanted)),
		reportsOf: (managers) => known(reading.reportsOf(managers)),
		isReadable: (attribute) => known(reading.isReadable(attribute)),
	};
}

async function* guardPages<T>(server: string, pages: AsyncIterable<T>): AsyncGenerator<T, void> {
	try {
		yield* pages;
	} catch (cause) {
		throw protocolFailure(server, cause);
	}
}

/** All that is read before the people: the order matters, since what changes meanwhile must be seen by the next delta. */
async function prepare(options: GenericLdapOptions, scope: Scope, request: ReadRequest, connection: Connection): Promise<Reading> {
	const { session, server } = connection;
	const root = await readRoot(session, scope);
	const visit = openVisit(session, scope, root, options.pageSize, connection.warnings);
	const showsTimestamp = (await requireBases(session, scope)) || (await isReadable(visit, "modifyTimestamp"));
	const strategy = chooseStrategy(options.changes, scope, root, showsTimestamp);
	// A delta does not read a group for the sake of being named anew.
	const named = scope.ruled.length === 0 ? [] : [scope.ruled.map(({ key }) => key).sort(), printFilter(scope.groupClasses), scope.members];
	const shape = digest(JSON.stringify([scope.text, scope.asked, scope.groups?.text ?? null, ...named])).toString("hex");
	const before = parseMark(request.cursor);
	const start = await startOf(visit, strategy, request, before, shape, options.clock());
	const marked = start.kind === "delta" ? start.marked : undefined;
	const newest =
		marked !== undefined || strategy.kind !== "timestamp"
			? marked?.newest
			: await readNewest(visit, sameServer(before, root.server), options.clock());
	const index = makeGroupIndex(visit);
	const protection = await readProtection(visit, options.protect, index);
	const roots = await readRoots(visit, request.pins);
	const ruled = await readRuled(visit, request.pins);
	const containers = marked === undefined ? await readContainers(visit) : marked.containers;

	const tally: Tally = { read: 0, nameless: 0, isComplete: false };
	const groupsTally = { isComplete: scope.groups === undefined && scope.roots.length === 0 && scope.ruled.length === 0 };
	const delivered = new Set<Anchor>();
	const veil = makeVeil(visit);
	const mark: Mark = {
		version: 1,
		shape,
		kind: strategy.kind,
		server: root.server,
		csns: marked?.csns ?? Object.fromEntries(root.csns),
		newest: newest ?? before?.newest,
		followed: marked?.followed ?? {},
	};
	const viewChanged = marked === undefined ? viewChange(before, root, newest) : undefined;
	const groups: GroupsReading | undefined = groupsTally.isComplete
		? undefined
		: makeGroups(visit, { request, marked, roots: [...roots, ...ruled], index }, () => {
				groupsTally.isComplete = true;
			});
	return {
		mode: marked === undefined ? "full" : "delta",
		fullBecause: start.kind === "full" ? start.because : undefined,
		server,
		pages: marked === undefined ? fullPages(visit, veil, tally) : deltaPages(visit, veil, tally, marked, delivered),
		groups,
		end: () => {
			if (!tally.isComplete) visit.unsealed.push("the reading was not followed to its end");
			else if (!groupsTally.isComplete) visit.unsealed.push("the groups were not read to their end");
			if (tally.nameless > 1) visit.unsealed.push(`${tally.nameless} entries in all show no ${scope.anchors.people.attribute}`);
			return {
				read: tally.read,
				unsealed: [...new Set(visit.unsealed)],
				cursor: printMark(mark),
				cursorIfPartial: undefined,
				viewChanged,
				isCurrent: marked === undefined && viewChanged === undefined,
				warnings: visit.warnings,
				containers,
				outside: outsideOf(marked, delivered),
				protection,
				scopeGroups: scope.roots.length === 0 ? undefined : roots.map(pinOf),
				ruleGroups: ruled.map(pinOf),
				strategy: describeStrategy(strategy),
			};
		},
		lookup: makeLookup(visit, soughtPeople(scope, veil)),
		reportsOf: (managers) => readReports(visit, managers),
		isReadable: (attribute) => isReadable(visit, attribute),
		close: async () => session.close(),
	};
}

type Start =
	| { readonly kind: "delta"; readonly marked: Marked }
	/** `because`: undefined when a full reading was asked for. */
	| { readonly kind: "full"; readonly because: string | undefined };

/** What changed, where that was asked for and the server can say it. */
async function startOf(
	visit: Visit,
	strategy: Strategy,
	request: ReadRequest,
	before: Mark | undefined,
	shape: string,
	now: number,
): Promise<Start> {
	if (request.mode === "full") return { kind: "full", because: undefined };
	const because = whyFull(strategy, before, shape, visit.root);
	if (because !== undefined || before === undefined) return { kind: "full", because };
	const marked = await readMarks(visit, before, now);
	return typeof marked === "string" ? { kind: "full", because: marked } : { kind: "delta", marked };
}

/** The newest change known of the same server. */
function sameServer(before: Mark | undefined, server: string): string | undefined {
	return before?.server === server ? before.newest : undefined;
}

/** Who changed and was not handed out; who is gone has no DN any more. */
function outsideOf(marked: Marked | undefined, delivered: ReadonlySet<Anchor>): ReadingEnd["outside"] {
	if (marked === undefined) return [];
	const gone = marked.gone.map(({ anchor, key }) => ({ anchor, key, dn: "" }));
	return [...marked.people, ...gone].filter(({ anchor }) => !delivered.has(anchor));
}

function soughtPeople(scope: Scope, veil: Veil): Sought {
	return {
		anchor: scope.anchors.people,
		reach: scope,
		filter: scope.people,
		kind: scope.persons,
		attributes: scope.asked,
		otherKind: "not a person any more",
		unmatched: "no longer matches users.filter",
		finish: (raw) => veil.over(raw),
	};
}

async function isReadable(visit: Visit, attribute: string): Promise<boolean> {
	const filter = both(visit.scope.people, { kind: "present", attribute });
	for (const base of visit.scope.bases) if ((await examples(visit, base.dn, filter, "sub", 1)) > 0) return true;
	return false;
}
