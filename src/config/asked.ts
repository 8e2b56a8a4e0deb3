import { attributesOfCondition, compileCondition } from "../core/condition.ts";
import { attributesOf } from "../core/mapping.ts";
import type { Config, FeatureConfig, PolicyConfig } from "./config.ts";

/** Rules and targets, as far as they ask something of people. */
export type Asking = Pick<Config, "features" | "policies" | "targets">;

/** What is asked of people's entries besides the common mapping, which a source is to read: attributes in lower case, sorted. */
export function attributesAskedBy(asking: Asking, source: string): readonly string[] {
	const names = asking.targets.flatMap(({ when, mapping }) => [
		...(when === undefined ? [] : attributesOfCondition(when)),
		...(mapping === undefined ? [] : attributesOf(mapping)),
	]);
	const { features, policies } = rulesFor(asking, source);
	for (const { when } of [...features, ...policies]) if (when !== undefined) names.push(...attributesOfCondition(when));
	return [...new Set(names)].sort();
}

/** The groups that rules name, as written; each once, however it is spelled. */
export function groupsAskedBy(asking: Asking, source: string): readonly string[] {
	const { features, policies } = rulesFor(asking, source);
	const conditions = [...asking.targets, ...features, ...policies].flatMap(({ when }) => when ?? []);
	return [...new Map(conditions.flatMap((when) => [...compileCondition(when).groups])).values()];
}

/** The rules for people of one source. */
export function rulesFor(
	{ features, policies }: Pick<Asking, "features" | "policies">,
	source: string,
): { readonly features: readonly FeatureConfig[]; readonly policies: readonly PolicyConfig[] } {
	const isMine = (rule: FeatureConfig): boolean => rule.source === undefined || rule.source === source;
	return { features: features.filter(isMine), policies: policies.filter(isMine) };
}
