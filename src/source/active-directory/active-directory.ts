import type { RawEntry } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { digest } from "../../lib/digest.ts";
import { accountName } from "../ldap/bind.ts";
import { readClientCertificate } from "../ldap/client-certificate.ts";
import { type Connection, openConnection } from "../ldap/connection.ts";
import { protocolFailure } from "../ldap/result.ts";
import { makeServerMemory, type ServerMemory } from "../ldap/server-memory.ts";
import { dnOf } from "../ldap/wire/entry.ts";
import type { Reading, ReadingEnd, ReadRequest, Source } from "../source.ts";
import { readContainers } from "./containers.ts";
import { hostsOf, nextCursor, parseMarks, type Start, startOf, viewChange } from "./cursor.ts";
import { makeDecoder } from "./decode.ts";
import { type Marked, readMarks } from "./delta.ts";
import { guidAnchor } from "./guid.ts";
import { makeLookup } from "./lookup.ts";
import type { ActiveDirectoryOptions } from "./options.ts";
import { deltaPages, fullPages, type Tally } from "./pages.ts";
import { readProtection } from "./protection.ts";
import { readReports } from "./reports.ts";
import { readRoot, requireBases } from "./root.ts";
import { makeScope, type Scope } from "./scope.ts";
import { examples, type Visit } from "./visit.ts";

/** A source of type `active-directory`. Throws Failure CONFIG_INVALID or ENTRY_UNREADABLE when a filter or DN is wrong. */
export function makeActiveDirectory(options: ActiveDirectoryOptions): Source {
	const scope = makeScope(options);
	const memory = makeServerMemory(options.clock);
	return {
		name: options.name,
		identity: `active-directory as ${accountName(options.bind, readClientCertificate(options.tls)).toLowerCase()}`,
		scope: scope.text,
		attributes: scope.attributes,
		canFailOver: options.urls.length > 1 || options.discovery !== undefined,
		groupScope: undefined,
		memberKeys: undefined,
		primary: undefined,
		watch: undefined,
		read: (request, signal) => openReading({ ...options, memory }, scope, request, signal),
		anchor: guidAnchor,
		dn: dnOf,
		decode: makeDecoder(),
	};
}

async function openReading(
	options: ActiveDirectoryOptions & { readonly memory: ServerMemory },
	scope: Scope,
	request: ReadRequest,
	signal: AbortSignal,
): Promise<Reading> {
	const { observe } = options;
	const readBefore = hostsOf(parseMarks(request.cursor));
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
	const known = <T>(answer: Promise<T>): Promise<T> =>
		answer.catch((cause: unknown) => {
			throw protocolFailure(reading.server, cause);
		});
	return {
		...reading,
		pages: guardPages(reading),
		lookup: (wanted) => known(reading.lookup(wanted)),
		reportsOf: (managers) => known(reading.reportsOf(managers)),
		isReadable: (attribute) => known(reading.isReadable(attribute)),
	};
}

async function* guardPages({ pages, server }: Reading): AsyncGenerator<readonly RawEntry[], void> {
	try {
		yield* pages;
	} catch (cause) {
		throw protocolFailure(server, cause);
	}
}

/** All that is read before the people: the order matters, since what changes meanwhile must be seen by the next delta. */
async function prepare(options: ActiveDirectoryOptions, scope: Scope, request: ReadRequest, connection: Connection): Promise<Reading> {
	const { session, server } = connection;
	const root = await readRoot(session, scope);
	const visit: Visit = { session, scope, root, pageSize: options.pageSize, unsealed: [], warnings: [...connection.warnings] };
	const showsUsn = await requireBases(session, scope);
	const shape = digest(JSON.stringify([scope.text, scope.attributes])).toString("hex");
	const marks = parseMarks(request.cursor);
	const start = request.mode === "full" ? undefined : await trustedStart(visit, startOf(marks, shape, root, server), showsUsn);
	const protection = await readProtection(visit, options.protect);
	const marked: Marked | undefined = start?.kind === "delta" ? await readMarks(visit, start.since) : undefined;
	const containers = marked === undefined ? await readContainers(visit) : marked.containers;

	const tally: Tally = { read: 0, nameless: 0, isComplete: false };
	const delivered = new Set<string>();
	const cursor = nextCursor(marks, shape, root, server, options.clock());
	if (cursor === undefined)
		visit.warnings.push(`${server} does not show invocationId and highestCommittedUSN: every reading will be a full one`);
	// A delta starts from the server's own marks, and goes back a while after another one's.
	const viewChanged = marked === undefined ? viewChange(marks, root, server) : undefined;
	const outside = (): ReadingEnd["outside"] => (marked?.people ?? []).filter(({ key }) => !delivered.has(Buffer.from(key).toString("hex")));
	return {
		mode: marked === undefined ? "full" : "delta",
		fullBecause: start?.kind === "full" ? start.because : undefined,
		server,
		pages:
			start?.kind === "delta" && marked !== undefined ? deltaPages(visit, tally, start.since, marked, delivered) : fullPages(visit, tally),
		groups: undefined,
		end: () => {
			if (!tally.isComplete) visit.unsealed.push("the reading was not followed to its end");
			if (tally.nameless > 1) visit.unsealed.push(`${tally.nameless} entries in all show no objectGUID`);
			const { unsealed, warnings } = visit;
			const { read } = tally;
			return {
				read,
				unsealed: [...new Set(unsealed)],
				cursor,
				viewChanged,
				warnings,
				containers,
				outside: outside(),
				protection,
				scopeGroups: undefined,
				strategy: cursor === undefined ? "full readings only" : "uSNChanged",
			};
		},
		lookup: makeLookup(visit),
		reportsOf: (managers) => readReports(visit, managers),
		isReadable: (attribute) => isReadable(visit, attribute),
		close: async () => session.close(),
	};
}

/** Without the right to read uSNChanged a search for changes finds none, and looks just like a quiet day. */
async function trustedStart(visit: Visit, start: Start, showsUsn: boolean): Promise<Start> {
	if (start.kind === "full" || showsUsn || (await isReadable(visit, "uSNChanged"))) return start;
	return { kind: "full", because: `uSNChanged cannot be read by this account, so changes since the last reading cannot be asked for` };
}

async function isReadable(visit: Visit, attribute: string): Promise<boolean> {
	const filter: Filter = { kind: "and", parts: [visit.scope.people, { kind: "present", attribute }] };
	for (const base of visit.scope.bases) if ((await examples(visit, base.dn, filter, "sub", 1)) > 0) return true;
	return false;
}
