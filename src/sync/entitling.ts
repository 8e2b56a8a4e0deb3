import type { Entitlements } from "../core/account.ts";
import type { Subject } from "../core/condition.ts";
import type { Entry } from "../core/entry.ts";
import { isEntitledAs } from "../core/plan.ts";
import type { CompiledRules, EntitledBy } from "../core/rules.ts";
import type { NamedGroups } from "./membership.ts";
import { type Asked, makeSubjects, type SubjectContext, warily } from "./subjects.ts";

/** What the rules give to somebody. */
export interface EntitledHere extends EntitledBy {
	/** Why it may be otherwise, if so: by a group that may have members who cannot be seen. */
	readonly doubt: string | undefined;
}

/** Asks the rules about people, and keeps of whom they could say nothing for certain. */
export function makeEntitling(rules: CompiledRules, context: SubjectContext & { readonly ruled: NamedGroups | undefined }) {
	const { ruled } = context;
	const subjectOf = makeSubjects(context, ruled);
	const untold = new Map<string, { count: number; why: string }>();
	let isAnyDoubted: boolean | undefined;

	/** Asked once more as if who is not seen in a doubted group might be in it: what comes out otherwise then is doubted, and nothing else is. */
	const doubtOf = (subject: Subject, before: Entitlements, given: Entitlements): string | undefined => {
		isAnyDoubted ??= ruled?.doubtOf(rules.groups.keys()) !== undefined;
		if (!isAnyDoubted) return undefined;
		let because: string | undefined;
		const wary = warily(subject, ruled, (doubt) => {
			because ??= doubt;
		});
		return isEntitledAs(given, rules.entitle(wary, before).entitlements) ? undefined : because;
	};

	return {
		/** By the rule's place: "features[3]". */
		untold,
		entitle: (who: Asked, entry: Entry, before: Entitlements = {}): EntitledHere => {
			const subject = subjectOf(who, entry);
			const entitled = rules.entitle(subject, before);
			for (const { rule, why } of entitled.untold) {
				const known = untold.get(rule.place);
				untold.set(rule.place, { count: (known?.count ?? 0) + 1, why: known?.why ?? why });
			}
			return { ...entitled, doubt: doubtOf(subject, before, entitled.entitlements) };
		},
	};
}

/** Whether somebody loses a feature or a policy, or gets another value of a policy. */
export function takesAway(before: Entitlements, after: Entitlements): boolean {
	const features = new Set(after.features);
	return (
		(before.features ?? []).some((name) => !features.has(name)) ||
		Object.entries(before.policies ?? {}).some(([name, value]) => after.policies?.[name] !== value)
	);
}
