import type { Config, FeatureConfig, PolicyConfig } from "../config/config.ts";
import { describeCondition } from "../core/condition.ts";
import type { Explanation } from "../explain/explanation.ts";
import type { Going, Look, RuleView } from "../http/look.ts";
import type { Views } from "../store/views.ts";
import { makeLane } from "./lane.ts";
import type { Overview } from "./overview.ts";

export interface LookParts {
	readonly views: Views;
	readonly overview: Overview;
	going(): readonly Going[];
	/** The one that is in force. */
	config(): Config;
	/** In the engine's thread: of a name that nobody has, everybody's entry is looked at. */
	explain(user: string): Promise<readonly Explanation[]>;
}

/** What the page sees of the daemon: it reads beside the engine, as the commands do, but for what takes long. */
export function makeLook({ views, overview, going, config, explain }: LookParts): Look {
	// One after the other: each opens the database in the engine's thread, and may ask the directory.
	const explaining = makeLane();
	return {
		heldBriefly: (most) => views.heldBriefly(most),
		quarantineBriefly: (most) => views.quarantineBriefly(most),
		runs: (limit, before) => views.runs(limit, before),
		run: (id) => views.run(id),
		sources: () => overview.state().sources,
		targets: () => overview.state().targets,
		rules: () => rulesOf(config(), views),
		going,
		explain: (user) => explaining.enter(() => explain(user)),
	};
}

/** Every feature and value that the configuration gives, and then those that accounts still have of an older one. */
function rulesOf({ features, policies }: Config, views: Pick<Views, "entitlementCounts">): readonly RuleView[] {
	const found = new Map<string, RuleView>();
	const keyOf = (kind: string, name: string, value: string | undefined): string => JSON.stringify([kind, name, value ?? ""]);
	const add = (kind: RuleView["kind"], rule: FeatureConfig | PolicyConfig, index: number): void => {
		const value = "value" in rule ? rule.value : undefined;
		const key = keyOf(kind, rule.name, value);
		const place = `${kind === "feature" ? "features" : "policies"}[${index}]`;
		const before = found.get(key)?.rules ?? [];
		found.set(key, { kind, name: rule.name, value, accounts: 0, rules: [...before, { place, through: throughOf(rule) }] });
	};
	for (const [index, rule] of features.entries()) add("feature", rule, index);
	for (const [index, rule] of policies.entries()) add("policy", rule, index);
	for (const { kind, name, value, accounts } of views.entitlementCounts()) {
		const key = keyOf(kind, name, value);
		const blank: RuleView = { kind, name, value, accounts, rules: [] };
		found.set(key, { ...(found.get(key) ?? blank), accounts });
	}
	return [...found.values()];
}

function throughOf({ when, source }: FeatureConfig): string {
	const condition = when === undefined ? "everybody" : describeCondition(when);
	return source === undefined ? condition : `${condition}, of ${source}`;
}
