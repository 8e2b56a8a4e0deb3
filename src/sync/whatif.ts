import type { Session } from "../store/session.ts";
import { judgedChanges } from "./judged.ts";
import { keepUnread, type Templates } from "./kept-fields.ts";
import type { OfflineTerms } from "./offline.ts";
import type { Planned, RunContext } from "./planned.ts";
import type { HeldKind } from "./report.ts";
import type { RuleCount } from "./rule-tally.ts";
import { plan } from "./run.ts";
import type { SyncSource } from "./settings.ts";
import { type EntitlementOutcome, makeEntitlements } from "./whatif-entitlements.ts";
import { type Example, type KindOutcome, makeKinds } from "./whatif-kinds.ts";

/** What a configuration would make of one source's people, by the snapshot alone. */
export interface WhatIf {
	readonly source: string;
	/** When the snapshot was as it is, Unix milliseconds; undefined: the database does not know the source. */
	readonly asOf: number | undefined;
	/** People in the snapshot. */
	readonly people: number;
	/** Whether rules, scope and targets are those of the last reading: what would change does so whatever the configuration. */
	readonly isSame: boolean;
	readonly changes: readonly KindOutcome[];
	readonly held: readonly HeldKind[];
	/** Who would be set aside and is not yet. */
	readonly quarantined: { readonly count: number; readonly examples: readonly Example[] };
	readonly rules: readonly RuleOutcome[];
	readonly entitlements: readonly EntitlementOutcome[];
	/** What can be told only after the next reading, in sentences. */
	readonly unknown: readonly string[];
	/** What may be meant otherwise, in sentences: rules on attributes that nobody shows. */
	readonly warnings: readonly string[];
}

/** One rule of the configuration, in its order. */
export interface RuleOutcome extends RuleCount {
	/** "features[3]". */
	readonly place: string;
	readonly kind: "feature" | "policy";
	readonly name: string;
	/** Of a policy. */
	readonly value: string | undefined;
	/** Its condition in a few words. */
	readonly through: string;
	/** Of how many people nothing certain can be said. */
	readonly unknown: number;
}

/** What a source's configuration says besides what is compiled of it. */
export interface WhatIfTerms extends Omit<OfflineTerms, "kept" | "mostExamples"> {
	readonly templates: Templates;
	/** Targets that the database does not know, and at which everybody has an account. */
	readonly newTargets: readonly string[];
}

/** Accounts named as examples of a kind of change; and of people for a rule, a feature or a policy. */
const MOST_OF_KIND = 10;
const MOST_OF_RULE = 5;

/** Plans everybody of the snapshot by a configuration, and says what comes of it. Nothing is read from the directory and nothing kept. */
export async function whatIf(context: RunContext, terms: WhatIfTerms, signal: AbortSignal): Promise<WhatIf> {
	const { session } = context;
	const { name } = context.sync.source;
	const state = session.snapshot.source(name);
	const asOf = session.runs.lastGoodAt(name);
	if (state.id === 0 || asOf === undefined) return unknownSource(name);
	const { sync, kept, because } = keepUnread(context.sync, state, terms.templates);
	const kind = { kind: "whatif", terms: { ...terms, kept, mostExamples: MOST_OF_RULE } } as const;
	try {
		// As of then: that somebody's time has come since is not the configuration's doing.
		const planned = await plan({ ...context, sync, clock: () => asOf }, kind, [], false, signal);
		const isSame = !planned.rules.isAnother && terms.newTargets.length === 0 && planned.offline?.viewChanged === undefined;
		const unknown = [...(planned.offline?.unknown ?? []), ...because, ...untoldBy(sync, planned)];
		const outcome = outcomeOf(session, planned);
		const changes = [...outcome.changes, ...terms.newTargets.flatMap((target) => createdAt(target, planned))];
		return { source: name, asOf, people: state.entries, isSame, ...outcome, changes, unknown };
	} finally {
		session.clear();
	}
}

function unknownSource(source: string): WhatIf {
	return {
		...{ source, asOf: undefined, people: 0, isSame: false, changes: [], held: [], rules: [], entitlements: [] },
		quarantined: { count: 0, examples: [] },
		warnings: [],
		unknown: [`source ${source} is not in the database: who is in it is known only after its first reading`],
	};
}

function outcomeOf(session: Session, planned: Planned): Omit<WhatIf, "source" | "asOf" | "people" | "isSame" | "unknown"> {
	const kinds = makeKinds(session, planned.state.id, MOST_OF_KIND);
	const entitlements = makeEntitlements(MOST_OF_RULE);
	for (const change of judgedChanges(session)) {
		kinds.add(change);
		if (change.subject === "account" && change.target === undefined) entitlements.add(change);
	}
	const aside = session.decisions.newQuarantine(MOST_OF_KIND);
	return {
		changes: kinds.all(),
		held: planned.heldKinds,
		quarantined: { count: aside.count, examples: aside.first.map(({ name, reason }) => ({ name, why: reason })) },
		rules: rulesOf(planned),
		entitlements: entitlements.all(),
		warnings: planned.warnings,
	};
}

/** What no gate judges: a target that is new gets everybody. */
function createdAt(target: string, { state, judgement: { passed } }: Planned): readonly KindOutcome[] {
	const count = state.active + state.inactive + passed.create - passed.delete;
	const created = { subject: "account", target, kind: "create", count, held: 0, waiting: 0, examples: [] } as const;
	return count === 0 ? [] : [created];
}

function rulesOf({ offline, planning }: Planned): readonly RuleOutcome[] {
	return (offline?.tally.counts() ?? []).map(({ rule, count }) => {
		const { place, kind, name, value, through } = rule;
		return { place, kind, name, value, through, ...count, unknown: planning.untoldRules.get(place)?.count ?? 0 };
	});
}

/** What conditions could not tell: of groups that are not in the snapshot, and of people although they are. */
function untoldBy({ entitling, views }: SyncSource, { offline, planning }: Planned): readonly string[] {
	const conditions = [
		...entitling.all.map(({ place, condition }) => ({ place, condition, people: planning.untoldRules.get(place) })),
		...views.map(({ target, condition }) => ({ place: `target ${target}`, condition, people: planning.untold.get(target) })),
	];
	return conditions.flatMap(({ place, condition, people }) => {
		const missing = [...(condition?.groups.keys() ?? [])].flatMap((key) => offline?.missingGroups.get(key) ?? []);
		if (missing.length > 0) return missing.map((why) => `${place}: ${why}`);
		if (people === undefined) return [];
		return [`${place}: of ${people.count.toLocaleString("en-US")} people it cannot be told (${people.why}); they keep what they have`];
	});
}
