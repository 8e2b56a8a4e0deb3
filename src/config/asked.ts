import { attributesOfCondition } from "../core/condition.ts";
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
