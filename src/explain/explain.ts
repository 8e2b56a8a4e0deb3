import type { Account } from "../core/account.ts";
import type { ConfigLines } from "../core/config-lines.ts";
import { dnKey } from "../core/dn.ts";
import type { Anchor, Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { digest } from "../lib/digest.ts";
import type { Source } from "../source/source.ts";
import type { People, PersonRow } from "../store/people.ts";
import type { Session } from "../store/session.ts";
import { openChains } from "../sync/chains.ts";
import { makeGroupScope, makeNamedGroups, openMembership } from "../sync/membership.ts";
import { rulesNow } from "../sync/rules.ts";
import type { SyncSource } from "../sync/settings.ts";
import { makeSubjects } from "../sync/subjects.ts";
import type { Explanation, HeldFact } from "./explanation.ts";
import { fieldsOf } from "./field-facts.ts";
import { grantsOf } from "./grant-facts.ts";
import { groupsOf } from "./group-facts.ts";
import { goneFrom, scopeOf } from "./scope-fact.ts";
import { wordFor } from "./state-words.ts";
import { targetsOf } from "./target-facts.ts";

/** One source with what it takes to explain its people. */
export interface Explained {
	readonly sync: SyncSource;
	readonly lines: ConfigLines;
}

/** Changes shown. */
const LAST_CHANGES = 20;

/** Explains somebody whom the snapshot knows. Nothing is read but the database. `at`: now, Unix milliseconds. */
export function explainPerson(session: Session, people: People, { sync, lines }: Explained, row: PersonRow, at: number): Explanation {
	const { source } = sync;
	const state = session.snapshot.source(source.name);
	const membership = source.memberKeys === undefined ? undefined : openMembership(session, state);
	const rules = rulesNow(session, sync, state, undefined);
	const notes: string[] = [];
	if (membership !== undefined && source.groupScope === undefined)
		notes.push(
			"groups are not kept (groups: in the configuration): only those that rules and users.groups name are known, with those in them",
		);
	const entry = decodeFor(source, row, notes);
	const primaryId = source.primary === undefined ? undefined : entry?.attributes.get(source.primary.member)?.[0];
	const context = { asked: rules.asked, unreadable: new Set<string>(), chains: openChains(session, source, state) };
	const who = { id: row.id, isRead: false, primaryId };
	const askedBy = (groups: typeof rules.pinned) =>
		entry && makeSubjects(context, membership && makeNamedGroups(session, state, membership, groups))(who, entry);
	const account = row.body === null ? undefined : (JSON.parse(row.body) as Account);
	const place = row.gone === null && entry !== undefined ? source.placeOf(entry, rules.asked.before) : undefined;
	const scopeGroups = session.groups.scope(state.id);
	const groupScope = membership && scopeGroups && makeGroupScope(session, state, membership, scopeGroups);
	const isOutside = row.gone === null && groupScope?.has(row.id, primaryId) === false;
	const scope = row.gone === null ? scopeOf(place, entry?.dn, lines, isOutside) : goneFrom(row, lines);
	const held = people.held(row.id).map((one): HeldFact => ({ ...one, target: one.target === "" ? undefined : one.target }));
	const seen = people.lastFull(source.name);
	const subject = row.gone === null ? askedBy(rules.pinned) : undefined;
	const pins = people.pins(row.id);
	const facts = { row, account, entry, place, isOutside, held, pins, at };
	return {
		source: source.name,
		anchor: row.anchor,
		dn: entry?.dn,
		...wordFor(facts),
		entry: entry && {
			attributes: Object.fromEntries(entry.attributes),
			server: row.server ?? undefined,
			at: row.read_at ?? undefined,
			run: row.read_at === null ? undefined : (row.read_run ?? undefined),
			seen: seen && { run: seen.run, at: seen.at, server: seen.server ?? undefined, sealed: seen.sealed === 1 },
		},
		scope,
		fields: entry === undefined ? [] : fieldsOf(entry, lines, account, managerIn(session, state.id)),
		groups: entry === undefined || membership === undefined ? [] : groupsOf(session, source, membership, row.id, primaryId),
		...grantsOf(sync, subject, account),
		account: account && {
			account,
			because: row.because ?? undefined,
			since: row.ended_at ?? undefined,
			dueAt: row.due_at ?? undefined,
			isProtected: row.protected === 1,
		},
		quarantine: row.quarantine === null ? undefined : { because: row.quarantine, since: row.quarantined_since ?? 0 },
		held,
		refused: people.refused(row.id).map(({ kind, target, rejected_by, rejected_at }) => {
			return { kind, target: target === "" ? undefined : target, by: rejected_by, at: rejected_at };
		}),
		pins,
		targets: targetsOf(sync, people.ledger(row.id), account, held, row.gone === null ? askedBy(rules.groups) : undefined),
		changes: changesOf(people, row),
		notes,
	};
}

/** The last changes of somebody, whoever it is by now. Another source may have the same anchor. */
export function changesOf(people: People, who: Pick<PersonRow, "anchor" | "source">) {
	return people.changes(who.anchor, who.source, LAST_CHANGES).map(({ at, run, kind, target, why, result }) => {
		return { at, run, kind, target: target ?? undefined, why, result };
	});
}

function decodeFor(source: Source, row: PersonRow, notes: string[]): Entry | undefined {
	if (row.bytes === null) return undefined;
	try {
		return source.decode(row.bytes);
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		notes.push(error.message);
		return undefined;
	}
}

function managerIn({ snapshot }: Session, sourceId: number): (dn: string) => Anchor | undefined {
	return (dn) => snapshot.byDn(sourceId, digest(dnKey(dn)))?.anchor;
}
