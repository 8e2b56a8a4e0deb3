import type { Explanation } from "../explain/explanation.ts";
import type { SourceView, TargetView, Views } from "../store/views.ts";
import type { Progress } from "../sync/report.ts";

/** What the page reads of the daemon, beside its health. All but `explain` answers at once. */
export interface Look extends Pick<Views, "heldBriefly" | "quarantineBriefly" | "runs" | "run"> {
	/** Those that are configured, in order. */
	sources(): readonly SourceView[];
	targets(): readonly TargetView[];
	rules(): readonly RuleView[];
	/** The runs that are going on now. */
	going(): readonly Going[];
	/** Why somebody's account is as it is, as the command of the same name tells it. */
	explain(user: string): Promise<readonly Explanation[]>;
}

/** A run that is going on, and how far it is. */
export interface Going extends Progress {
	/** Unix milliseconds. */
	readonly since: number;
}

/** What rules give, and to how many accounts. */
export interface RuleView {
	readonly kind: "feature" | "policy";
	readonly name: string;
	/** Of a policy. */
	readonly value: string | undefined;
	readonly accounts: number;
	/** The rules that give it, in order: none when it is not in the configuration any more. */
	readonly rules: readonly { readonly place: string; readonly through: string }[];
}
