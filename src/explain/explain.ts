import type { Account } from "../core/account.ts";
import type { Subject } from "../core/condition.ts";
import type { ConfigLines } from "../core/config-lines.ts";
import { dnKey, isBeneath } from "../core/dn.ts";
import type { Anchor, Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { type Mapping, type MappingField, mappingFields } from "../core/mapping.ts";
import { changedFields, isEntitledAs } from "../core/plan.ts";
import { type CompiledRule, judgeRule } from "../core/rules.ts";
import type { ScopePlace } from "../core/scope.ts";
import { attributesIn, compileMultiple, parseTemplate } from "../core/template.ts";
import { digest } from "../lib/digest.ts";
import type { Source } from "../source/source.ts";
import type { LedgerOfPerson, People, PersonRow } from "../store/people.ts";
import type { Session } from "../store/session.ts";
import { openChains } from "../sync/chains.ts";
import { type Membership, makeGroupScope, makeNamedGroups, openMembership } from "../sync/membership.ts";
import { rulesNow } from "../sync/rules.ts";
import type { SyncSource } from "../sync/settings.ts";
import { makeSubjects } from "../sync/subjects.ts";
import type { Explanation, FieldFact, GrantFact, GroupFact, HeldFact, RuleFact, ScopeFact, TargetFact } from "./explanation.ts";
import { wordFor } from "./state-words.ts";

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

/** Where somebody who is there stands, and which line says so. */
export function scopeOf(place: ScopePlace | undefined, dn: string | undefined, lines: ConfigLines, isOutside: boolean): ScopeFact {
	switch (place?.kind) {
		case undefined:
			return { isIn: undefined, line: undefined, why: "the entry cannot be read" };
		case "in-scope": {
			if (isOutside) {
				const names = lines.groups.map(({ text }) => text).join(", ");
				return { isIn: false, line: `${lines.source}.users.groups`, why: `in none of the groups of users.groups: ${names}` };
			}
			const base = lines.bases.find(({ text }) => dn !== undefined && isBeneath(dnKey(dn), dnKey(text)));
			const filter = lines.filter === undefined ? "" : `, and matches users.filter ${lines.filter}`;
			return { isIn: true, line: base?.line, why: `beneath ${base?.text ?? "a base"}${filter}` };
		}
		case "elsewhere":
			return { isIn: false, line: `${lines.source}.base`, why: place.where };
		case "excluded": {
			const line = lines.excluded.find(({ text }) => dnKey(text) === dnKey(place.by));
			return { isIn: false, line: line?.line ?? `${lines.source}.users.exclude`, why: `beneath the excluded ${place.by}` };
		}
		case "filtered":
			return { isIn: false, line: `${lines.source}.users.filter`, why: place.why };
		case "not-a-person":
			return { isIn: false, line: undefined, why: `it is ${place.what}` };
		case "unknown":
			return { isIn: undefined, line: undefined, why: place.why };
	}
}

function goneFrom({ gone, gone_evidence, gone_doubt }: PersonRow, lines: ConfigLines): ScopeFact {
	const doubt = gone_doubt === null ? "" : ` (doubted: ${gone_doubt})`;
	const evidence = gone_evidence ?? "";
	if (gone === "deleted") return { isIn: false, line: undefined, why: `not in the directory any more: ${evidence}${doubt}` };
	return { isIn: false, line: `${lines.source}.${lineOf(evidence)}`, why: `${evidence}${doubt}` };
}

/** By how the sources say it: what follows "now in" is a place of somebody else's naming. */
function lineOf(evidence: string): "base" | "users.exclude" | "users.filter" {
	if (evidence.startsWith("now in the excluded ")) return "users.exclude";
	return !evidence.startsWith("now in ") && evidence.includes("users.filter") ? "users.filter" : "base";
}

/** Each mapped field, its value, and which attributes it came from. */
export function fieldsOf(
	entry: Entry,
	{ mapping, ownFields }: Pick<ConfigLines, "mapping" | "ownFields">,
	account: Account | undefined,
	managerOf: (dn: string) => Anchor | undefined,
): readonly FieldFact[] {
	return mappingFields.flatMap((field) => {
		const template = mapping[field];
		if (template === undefined) return [];
		const parsed = parseTemplate(template);
		if (parsed.kind === "problem") return [];
		const values = compileMultiple(parsed)(entry.attributes);
		const used = field === "emails.other" ? values : values.slice(0, 1);
		const shown = field === "manager" ? used.map((dn) => managerOf(dn) ?? `${dn}, who is not in scope`) : used;
		const value = shown.length === 0 ? undefined : shown.join(", ");
		const has = account && valueIn(account, field);
		const isOther = account !== undefined && field !== "emails.other" && field !== "manager" && has !== value;
		const from = attributesIn(parsed).flatMap((name) => {
			const found = entry.attributes.get(name);
			return found === undefined ? [] : [[name, found] as const];
		});
		const line = ownFields.has(field) ? `mapping.${field}` : undefined;
		return [{ field, value, template, line, from: Object.fromEntries(from), instead: isOther ? (has ?? "nothing") : undefined }];
	});
}

function valueIn(account: Account, field: MappingField): string | undefined {
	switch (field) {
		case "name.givenName":
			return account.name?.givenName;
		case "name.familyName":
			return account.name?.familyName;
		case "emails.primary":
			return account.emails?.find(({ primary }) => primary === true)?.value;
		case "emails.other":
			return account.emails?.find(({ primary }) => primary !== true)?.value;
		case "phoneNumbers.work":
			return account.phoneNumbers?.find(({ type }) => type === "work")?.value;
		case "phoneNumbers.mobile":
			return account.phoneNumbers?.find(({ type }) => type === "mobile")?.value;
		default:
			return account[field satisfies keyof Account & keyof Mapping];
	}
}

function managerIn({ snapshot }: Session, sourceId: number): (dn: string) => Anchor | undefined {
	return (dn) => snapshot.byDn(sourceId, digest(dnKey(dn)))?.anchor;
}

function groupsOf(
	session: Session,
	source: Source,
	membership: Membership,
	id: number,
	primaryId: string | undefined,
): readonly GroupFact[] {
	const direct = membership.directGroupsOf(id);
	const names = new Map<number, { readonly name: string; readonly dn: string }>();
	const named = (group: number): { readonly name: string; readonly dn: string } => {
		const bytes = names.has(group) ? undefined : session.groupStage.bytes(group);
		if (!names.has(group)) names.set(group, nameOfGroup(source, bytes, group));
		return names.get(group) as { readonly name: string; readonly dn: string };
	};
	const primary = primaryId === undefined ? [] : [...membership.groups.values()].filter((group) => group.primary_id === primaryId);
	return [...membership.groupsOf(id, primaryId)]
		.map((group): GroupFact => {
			const way = membership.nesting.way(direct, group);
			const byPrimary =
				way === undefined
					? membership.nesting.way(
							primary.map((one) => one.id),
							group,
						)
					: undefined;
			const through = (way ?? byPrimary ?? [group]).slice(0, -1).map((one) => named(one).name);
			return { ...named(group), through, isPrimary: way === undefined };
		})
		.sort((one, other) => one.through.length - other.through.length || (one.name < other.name ? -1 : 1));
}

function nameOfGroup(source: Source, bytes: Buffer | undefined, id: number): { readonly name: string; readonly dn: string } {
	if (bytes === undefined) return { name: String(id), dn: "" };
	const dn = source.dn(bytes);
	const first = dn.split(/(?<!\\),/, 1)[0] ?? dn;
	return { name: first.slice(first.indexOf("=") + 1), dn };
}

/** Every feature and policy that there is a rule for, or that the account has. */
function grantsOf(
	{ entitling }: SyncSource,
	subject: Subject | undefined,
	account: Account | undefined,
): Pick<Explanation, "features" | "policies"> {
	const planned = subject && entitling.entitle(subject, account ?? {}).entitlements;
	const isSame = planned === undefined || account === undefined || isEntitledAs(account, planned);
	const factsOf = (kind: "feature" | "policy", grantOf: (of: typeof account | typeof planned, name: string) => string | undefined) => {
		const rules = entitling.all.filter((rule) => rule.kind === kind);
		const had = kind === "feature" ? (account?.features ?? []) : Object.keys(account?.policies ?? {});
		const names = [...new Set([...rules.map(({ name }) => name), ...had])].sort();
		return names.map((name): GrantFact => {
			const value = grantOf(account, name);
			const now = grantOf(planned, name);
			const rulesOf = rules.filter((rule) => rule.name === name);
			return {
				...{ name, value },
				planned: isSame || now === value ? undefined : (now ?? "nothing"),
				rules: subject === undefined ? [] : ruleFacts(rulesOf, subject, kind === "policy"),
			};
		});
	};
	return {
		features: factsOf("feature", (of, name) => (of?.features?.includes(name) === true ? "on" : undefined)),
		policies: factsOf("policy", (of, name) => of?.policies?.[name]),
	};
}

function ruleFacts(rules: readonly CompiledRule[], subject: Subject, isFirstOnly: boolean): readonly RuleFact[] {
	let isDecided = false;
	return rules.map((rule) => {
		const { truth, why } = judgeRule(rule, subject);
		const isLater = isDecided && isFirstOnly;
		const verdict = isLater ? "later" : truth === true ? "gives" : truth === false ? "does-not-match" : "cannot-be-told";
		// A rule in doubt may be the one: none after it counts either.
		isDecided ||= truth !== false;
		return { line: rule.place, value: rule.value, verdict, why: isLater ? `${why}; an earlier rule counts` : why };
	});
}

function targetsOf(
	{ views }: SyncSource,
	rows: readonly LedgerOfPerson[],
	account: Account | undefined,
	held: readonly HeldFact[],
	subject: Subject | undefined,
): readonly TargetFact[] {
	const facts = rows.map((row) => targetFact(row, account, held));
	const scopes = new Map(
		views.flatMap(({ target, condition }) => {
			if (condition === undefined || subject === undefined) return [];
			const { truth, why } = condition.judge(subject);
			return [[target, { isIn: truth, why }] as const];
		}),
	);
	const absent = [...scopes.keys()].filter((target) => !rows.some((row) => row.target === target));
	const blank = { wanted: "none", applied: "none", differs: [], state: "none", attempts: 0 } as const;
	const none = { remoteId: undefined, origin: undefined, nextAt: undefined, error: undefined, trouble: undefined };
	return [
		...facts.map((fact) => ({ ...fact, scope: scopes.get(fact.target) })),
		...absent.map((target): TargetFact => ({ target, scope: scopes.get(target), ...blank, ...none })),
	];
}

function targetFact(row: LedgerOfPerson, account: Account | undefined, held: readonly HeldFact[]): Omit<TargetFact, "scope"> {
	const wanted = row.is_wanted === 0 ? undefined : row.body === null ? account : (JSON.parse(row.body) as Account);
	const applied = row.is_applied === 0 ? undefined : row.is_same === 1 ? wanted : parsed(row.applied_body);
	const isHeld = held.some(({ target }) => target === undefined || target === row.target);
	const state: TargetFact["state"] =
		row.released_at !== null ? "released" : row.error !== null ? "failed" : row.pending === 1 ? "pending" : isHeld ? "held" : "applied";
	return {
		target: row.target,
		wanted: wordOf(wanted, row.is_wanted === 1),
		applied: wordOf(applied, row.is_applied === 1),
		differs: wanted !== undefined && applied !== undefined && wanted !== applied ? changedFields(applied, wanted) : [],
		state,
		remoteId: row.remote_id ?? undefined,
		origin: row.origin ?? undefined,
		attempts: row.attempts,
		nextAt: row.pending === 0 ? undefined : row.trouble !== null ? (row.retry_at ?? undefined) : (row.next_at ?? undefined),
		error: row.error ?? undefined,
		trouble: row.trouble ?? undefined,
	};
}

function wordOf(account: Account | undefined, isThere: boolean): string {
	if (!isThere) return "none";
	return account === undefined ? "not known" : account.active ? "active" : "disabled";
}

function parsed(body: string | null): Account | undefined {
	return body === null ? undefined : (JSON.parse(body) as Account);
}
