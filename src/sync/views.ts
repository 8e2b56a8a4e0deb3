import { type Condition, compileCondition } from "../core/condition.ts";
import type { Limits } from "../core/gate.ts";
import { groupKey } from "../core/group-name.ts";
import { compileMapping, type Mapping } from "../core/mapping.ts";
import type { Schema } from "../core/matching.ts";
import type { EndActions } from "../core/target-view.ts";
import type { Session } from "../store/session.ts";
import type { SyncSource, TargetView } from "./settings.ts";

/** What the configuration says of one target alone. */
export interface TargetTerms {
	readonly name: string;
	readonly when: Condition | undefined;
	readonly mapping: Mapping | undefined;
	readonly lifecycle: EndActions | undefined;
	readonly limits: Limits;
}

/** Whether a target gets other than what everyone gets. */
export function hasView({ when, mapping, lifecycle }: TargetTerms): boolean {
	return when !== undefined || mapping !== undefined || lifecycle !== undefined;
}

/** The views of those targets that have one. Throws CONFIG_INVALID for a condition or a template that cannot be read. */
export function makeViews(
	targets: readonly TargetTerms[],
	source: { readonly mapping: Mapping; readonly schema: Schema },
): readonly TargetView[] {
	return targets.filter(hasView).map(({ name, when, mapping, lifecycle, limits }) => {
		const condition = when && compileCondition(when, source.schema);
		return {
			target: name,
			condition,
			mapping: mapping && compileMapping({ ...source.mapping, ...mapping }),
			lifecycle,
			limits,
			scope: scopeText(when),
		};
	});
}

/** A text that changes with any target's view; undefined when there is none. */
export function viewsText(targets: readonly TargetTerms[]): string | undefined {
	const viewed = targets.filter(hasView).map(({ name, when, mapping, lifecycle }) => [name, when, mapping, lifecycle]);
	return viewed.length === 0 ? undefined : JSON.stringify(viewed);
}

/** A target that is planned by itself in this run, with its id in the ledger. */
export interface ViewedTarget {
	readonly id: number;
	readonly view: TargetView;
}

/** Those that have a view, and those that had one: what is wanted there may still differ. */
export function viewedTargets({ ledger }: Session, { views, limits }: Pick<SyncSource, "views" | "limits">): readonly ViewedTarget[] {
	return ledger
		.targets()
		.filter((target) => target.hasView)
		.map(({ id, name }) => ({ id, view: views.find(({ target }) => target === name) ?? { ...open, target: name, limits } }));
}

/** What everyone gets. */
const open = {
	condition: undefined,
	mapping: undefined,
	lifecycle: undefined,
	scope: scopeText(undefined),
} as const;

function scopeText(when: Condition | undefined): string {
	return when === undefined
		? ""
		: JSON.stringify(when, (name, value: unknown) => (name === "group" && typeof value === "string" ? groupKey(value) : value));
}
