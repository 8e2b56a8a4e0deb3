import type { Entitlements } from "../core/account.ts";
import type { Entry } from "../core/entry.ts";
import type { CompiledRules, EntitledBy } from "../core/rules.ts";
import type { NamedGroups } from "./membership.ts";
import { type Asked, makeSubjects, type SubjectContext } from "./subjects.ts";

/** Asks the rules about people, and keeps of whom they could say nothing for certain. */
export function makeEntitling(rules: CompiledRules, context: SubjectContext & { readonly ruled: NamedGroups | undefined }) {
	const subjectOf = makeSubjects(context, context.ruled);
	const untold = new Map<string, { count: number; why: string }>();
	let doubt: { readonly because: string | undefined } | undefined;

	return {
		/** By the rule's place: "features[3]". */
		untold,
		entitle: (who: Asked, entry: Entry, before: Entitlements | undefined): EntitledBy => {
			const entitled = rules.entitle(subjectOf(who, entry), before ?? {});
			for (const { rule, why } of entitled.untold) {
				const known = untold.get(rule.place);
				untold.set(rule.place, { count: (known?.count ?? 0) + 1, why: known?.why ?? why });
			}
			return entitled;
		},
		/** Why one of the groups that rules name may have members that cannot be seen, if so. */
		groupsDoubt: (): string | undefined => {
			doubt ??= { because: context.ruled?.doubtOf(rules.groups.keys()) };
			return doubt.because;
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
