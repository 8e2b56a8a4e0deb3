import { digest } from "../../lib/digest.ts";
import { accountName } from "../ldap/bind.ts";
import { readClientCertificate } from "../ldap/client-certificate.ts";
import { type Connection, openConnection } from "../ldap/connection.ts";
import { protocolFailure } from "../ldap/result.ts";
import { makeServerMemory, type ServerMemory } from "../ldap/server-memory.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import type { Reading, ReadingEnd, ReadRequest, Source } from "../source.ts";
import { begin, isReadable } from "./beginning.ts";
import { refusalOf } from "./blind.ts";
import { readContainers } from "./containers.ts";
import { hostsOf, mixedCursor, nextCursor, viewOf } from "./cursor.ts";
import { makeDecoder } from "./decode.ts";
import { find, placeOf } from "./find.ts";
import { type GroupScope, makeGroupScope } from "./group-scope.ts";
import { prepareGroups } from "./groups.ts";
import { guidAnchor } from "./guid.ts";
import { makeLookup } from "./lookup.ts";
import { parseMarks } from "./marks.ts";
import type { ActiveDirectoryOptions } from "./options.ts";
import { deltaPages, fullPages, type Tally } from "./pages.ts";
import { readProtection } from "./protection.ts";
import { readReports } from "./reports.ts";
import { ownOf, readRoot, readSeen, requireBases } from "./root.ts";
import { makeScope, type Scope } from "./scope.ts";
import { describeStrategy } from "./strategy.ts";
import type { Visit } from "./visit.ts";
import { makeReadingPlace, type ReadingPlace, watch } from "./watch.ts";

/** A source of type `active-directory`. Throws Failure CONFIG_INVALID or ENTRY_UNREADABLE when a filter or DN is wrong. */
export function makeActiveDirectory(options: ActiveDirectoryOptions): Source {
	const scopes = makeScopes(options);
	const { scope, groups } = scopes;
	const memory = makeServerMemory(options.clock);
	const place = makeReadingPlace();
	return {
		name: options.name,
		identity: `active-directory as ${accountName(options.bind, readClientCertificate(options.tls)).toLowerCase()}`,
		scope: scope.text,
		attributes: scope.attributes,
		canFailOver: options.urls.length > 1 || options.discovery !== undefined,
		groupScope: options.groups === undefined ? undefined : groups?.text,
		memberKeys: groups === undefined ? undefined : "anchor",
		primary: groups === undefined ? undefined : { member: "primarygroupid", group: "primarygrouptoken" },
		watch: options.watch ? (woken, signal) => watch({ ...options, memory }, scope, place, woken, signal) : undefined,
		read: (request, signal) => openReading({ ...options, memory }, scopes, place, request, signal),
		find: (user, signal) => find({ ...options, memory }, scope, user, signal),
		placeOf: (entry, asked) => placeOf(scope, entry, asked),
		anchor: guidAnchor,
		dn: dnOf,
		decode: makeDecoder(),
	};
}

/** What is asked for, worked out once. */
interface Scopes {
	readonly scope: Scope;
	/** Undefined where no group matters. */
	readonly groups: GroupScope | undefined;
	/** What marks hold for. */
	readonly shape: string;
	/** Why no delta can see all changes, if that is so. */
	readonly refusal: string | undefined;
}

function makeScopes(options: ActiveDirectoryOptions): Scopes {
	const scope = makeScope(options);
	const groups = makeGroupScope(options);
	const parts = [scope.text, scope.attributes, ...(groups === undefined ? [] : [groups.text, groups.scope.attributes])];
	return { scope, groups, shape: digest(JSON.stringify(parts)).toString("hex"), refusal: refusalOf(options) };
}

async function openReading(
	options: ActiveDirectoryOptions & { readonly memory: ServerMemory },
	scopes: Scopes,
	place: ReadingPlace,
	request: ReadRequest,
	signal: AbortSignal,
): Promise<Reading> {
	const { observe } = options;
	const readBefore = hostsOf(parseMarks(request.cursor));
	const connection = await openConnection({ ...options, readBefore, onRequest: observe.request }, signal);
	place.server = connection.server;
	place.begun();
	if (connection.certificateExpiresAt !== undefined) observe.certificate(connection.certificateExpiresAt);
	try {
		return guard(await prepare(options, scopes, request, connection));
	} catch (cause) {
		connection.session.close();
		throw protocolFailure(connection.server, cause);
	}
}

/** The same reading; bytes that turn out not to be LDAP only when they are looked at are the server's fault, too. */
function guard(reading: Reading): Reading {
	const { server, groups } = reading;
	const failed = (cause: unknown): unknown => protocolFailure(server, cause);
	const known = <T>(answer: Promise<T>): Promise<T> =>
		answer.catch((cause: unknown) => {
			throw failed(cause);
		});
	return {
		...reading,
		pages: guardPages(failed, reading.pages),
		groups: groups && {
			pages: guardPages(failed, groups.pages),
			lookup: (wanted) => known(groups.lookup(wanted)),
			doubtEmpty: (anchors) => known(groups.doubtEmpty(anchors)),
		},
		lookup: (wanted) => known(reading.lookup(wanted)),
		reportsOf: (managers) => known(reading.reportsOf(managers)),
		isReadable: (attribute) => known(reading.isReadable(attribute)),
	};
}

/** The same pages, and then this. */
async function* followedBy<T>(pages: AsyncIterable<T>, then: () => Promise<void>): AsyncGenerator<T, void> {
	yield* pages;
	await then();
}

async function* guardPages<T>(failed: (cause: unknown) => unknown, pages: AsyncIterable<T>): AsyncGenerator<T, void> {
	try {
		yield* pages;
	} catch (cause) {
		throw failed(cause);
	}
}

/** All that is read before the people: the order matters, since what changes meanwhile must be seen by the next delta. */
async function prepare(options: ActiveDirectoryOptions, scopes: Scopes, request: ReadRequest, connection: Connection): Promise<Reading> {
	const { session, server } = connection;
	const { scope } = scopes;
	const root = await readRoot(session, scope);
	const { pageSize } = options;
	const visit: Visit = { session, scope, root, pageSize, unsealed: [], warnings: [...connection.warnings], deleted: new Set() };
	const showsUsn = await requireBases(session, scope);
	const marks = parseMarks(request.cursor);
	const { shape, refusal } = scopes;
	const groups = scopes.groups === undefined ? undefined : await prepareGroups(visit, scopes.groups, request);
	const wish = { request, changes: options.changes, marks, shape, refusal, showsUsn, groups: scopes.groups?.scope.attributes };
	const beginning = await begin(visit, wish);
	const { marked, since, fullBecause, dirSync, seesDeleted } = beginning;
	const protection = await readProtection(visit, options.protect);
	const containers = marked === undefined ? await readContainers(visit) : marked.containers;

	const tally: Tally = { read: 0, nameless: 0, isComplete: false };
	const delivered = new Set<string>();
	const now = options.clock();
	const toldAny = marked === undefined || marked.people.length + marked.groups.length + marked.containers.length > 0;
	const told = { shape, dirSync, seesDeleted, seen: toldAny ? (root.vector ?? ownOf(root)) : undefined };
	const lookAgain = async (): Promise<void> => {
		if (toldAny) told.seen = (await readSeen(session, root)) ?? told.seen;
	};
	const isFollowed = root.invocationId !== undefined && root.highestUsn !== undefined;
	if (!isFollowed) visit.warnings.push(`${server} does not show invocationId and highestCommittedUSN: every reading will be a full one`);
	const view = viewOf(marks, root, server, beginning.isNewView, now);
	const readingOfGroups = groups?.reading(marked);
	const outside = (): ReadingEnd["outside"] => (marked?.people ?? []).filter(({ key }) => !delivered.has(Buffer.from(key).toString("hex")));
	return {
		mode: marked === undefined ? "full" : "delta",
		fullBecause,
		server,
		pages: followedBy(marked === undefined ? fullPages(visit, tally) : deltaPages(visit, tally, since, marked, delivered), lookAgain),
		groups: readingOfGroups && { ...readingOfGroups, pages: followedBy(readingOfGroups.pages, lookAgain) },
		end: () => {
			if (!tally.isComplete) visit.unsealed.push("the reading was not followed to its end");
			if (tally.nameless > 1) visit.unsealed.push(`${tally.nameless} entries in all show no objectGUID`);
			groups?.end();
			return {
				read: tally.read,
				unsealed: [...new Set(visit.unsealed)],
				cursor: nextCursor(marks, told, root, server, now),
				cursorIfPartial: mixedCursor(marks, told, root, now),
				viewChanged: view.changed,
				isCurrent: view.isCurrent,
				warnings: visit.warnings,
				containers,
				outside: outside(),
				protection,
				scopeGroups: groups?.scopeGroups,
				ruleGroups: groups?.ruleGroups ?? [],
				strategy: describeStrategy(isFollowed ? beginning.strategy : { kind: "full" }),
			};
		},
		lookup: makeLookup(visit),
		reportsOf: (managers) => readReports(visit, managers),
		isReadable: (attribute) => isReadable(visit, attribute),
		close: async () => session.close(),
	};
}
