import type { CompiledCondition, Subject } from "../core/condition.ts";
import type { Anchor, Entry } from "../core/entry.ts";
import type { Truth } from "../core/matching.ts";
import { type Pin, withPinnedFields } from "../core/pin.ts";
import { endOf } from "../core/plan.ts";
import type { Session } from "../store/session.ts";
import type { NamedGroups } from "./membership.ts";
import type { SyncSource } from "./settings.ts";
import { type Asked, makeSubjects, type SubjectContext, warily } from "./subjects.ts";
import { type ViewedTarget, viewedTargets } from "./views.ts";

/** What conditions are asked with. */
export interface ProspectContext extends SubjectContext {
	/** The run's instant, Unix milliseconds. */
	readonly at: number;
	/** The groups that targets' conditions name; undefined: this source reads no groups. */
	readonly named: NamedGroups | undefined;
}

/** A person as planning has it at hand. */
export interface Sighting extends Asked {
	/** Undefined: gone from sight or from scope, or cannot be decoded. */
	readonly entry: Entry | undefined;
	readonly gone: "out-of-scope" | "deleted" | undefined;
	readonly hasRegained: boolean;
	/** Why the person may not be gone. */
	readonly doubt: string | undefined;
	/** What is kept of the account: the target's own mapping has it, too, as far as it says the same as everywhere. */
	readonly pins: readonly Pin[];
}

/** Notes of each person what the targets with views of their own will be planned by, while the entry is at hand. */
export function makeProspects(session: Session, sync: SyncSource, context: ProspectContext) {
	const { targetPlan } = session;
	const { named, at } = context;
	const viewed = viewedTargets(session, sync);
	const untold = new Map<string, { count: number; why: string }>();

	const subjectOf = makeSubjects(context, named);

	const judge = ({ view }: ViewedTarget, subject: Subject) => {
		const verdict = view.condition?.judge(subject) ?? { truth: true, why: "" };
		if (verdict.truth === undefined) {
			const before = untold.get(view.target);
			untold.set(view.target, { count: (before?.count ?? 0) + 1, why: before?.why ?? verdict.why });
		}
		return verdict;
	};

	/** What a condition says is doubted where it would not say so of somebody who may be in a group that hides members. */
	const doubtOf = (condition: CompiledCondition, subject: Subject, truth: Truth): string | undefined => {
		if (truth === undefined || named?.doubtOf(condition.groups.keys()) === undefined) return undefined;
		let because: string | undefined;
		const wary = warily(subject, named, (doubt) => {
			because ??= doubt;
		});
		return condition.judge(wary).truth === truth ? undefined : because;
	};

	return {
		untold,
		/** Returns why somebody cannot be made an account of at a target, if so. */
		note: (sighting: Sighting, managerOf: (dn: string) => Anchor | undefined): string | undefined => {
			if (viewed.length === 0) return undefined;
			const { id, entry, gone, hasRegained } = sighting;
			const subject = entry && subjectOf(sighting, entry);
			let problem: string | undefined;
			for (const each of viewed) {
				const { condition, mapping, target } = each.view;
				const { truth, why } = subject === undefined ? { truth: undefined, why: "" } : judge(each, subject);
				const mapped = entry && truth !== false ? mapping?.(entry, managerOf) : undefined;
				if (mapped?.kind === "unmappable" && truth === true) problem ??= `at target ${target}: ${mapped.reason}`;
				targetPlan.prospect({
					...{ id, target: each.id, truth, why, hasRegained },
					doubt: sighting.doubt ?? (subject && condition && doubtOf(condition, subject, truth)),
					fields: mapped?.kind === "account" ? JSON.stringify(withPinnedFields(mapped.account, sighting.pins)) : undefined,
					isPresent: entry !== undefined,
					ended: gone ?? (entry && endOf(entry, at)?.cause),
				});
			}
			return problem;
		},
	};
}
