import { attributesOfCondition, groupsOfCondition } from "../core/condition.ts";
import { groupKey } from "../core/group-name.ts";
import { attributesOf } from "../core/mapping.ts";
import type { TargetConfig } from "./target-config.ts";

/** What targets ask of people's entries besides the common mapping, which every source is to read: attributes in lower case, sorted. */
export function attributesAskedBy(targets: readonly TargetConfig[]): readonly string[] {
	const names = targets.flatMap(({ when, mapping }) => [
		...(when === undefined ? [] : attributesOfCondition(when)),
		...(mapping === undefined ? [] : attributesOf(mapping)),
	]);
	return [...new Set(names)].sort();
}

/** The groups that rules name, as written; each once, however it is spelled. */
export function groupsAskedBy(targets: readonly TargetConfig[]): readonly string[] {
	const named = targets.flatMap(({ when }) => (when === undefined ? [] : groupsOfCondition(when)));
	return [...new Map(named.map((text) => [groupKey(text), text])).values()];
}
