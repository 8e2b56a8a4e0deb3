import type { Account } from "../core/account.ts";
import type { Subject } from "../core/condition.ts";
import { isEntitledAs } from "../core/plan.ts";
import { type CompiledRule, judgeRule } from "../core/rules.ts";
import type { SyncSource } from "../sync/settings.ts";
import type { Explanation, GrantFact, RuleFact } from "./explanation.ts";

/** Every feature and policy that there is a rule for, or that the account has. */
export function grantsOf(
	{ entitling }: SyncSource,
	subject: Subject | undefined,
	account: Account | undefined,
): Pick<Explanation, "features" | "policies"> {
	const planned = subject && entitling.entitle(subject, account ?? {}).entitlements;
	const isSame = planned === undefined || account === undefined || isEntitledAs(account, planned);
	const factsOf = (kind: "feature" | "policy", grantOf: (of: typeof account | typeof planned, name: string) => string | undefined) => {
		const rules = entitling.all.filter((rule) => rule.kind === kind);
		const had = kind === "feature" ? (account?.features ?? []) : Object.keys(account?.policies ?? {});
		const names = [...new Set([...rules.map(({ name }) => name), ...had])].sort();
		return names.map((name): GrantFact => {
			const value = grantOf(account, name);
			const now = grantOf(planned, name);
			const rulesOf = rules.filter((rule) => rule.name === name);
			return {
				...{ name, value },
				planned: isSame || now === value ? undefined : (now ?? "nothing"),
				rules: subject === undefined ? [] : ruleFacts(rulesOf, subject, kind === "policy"),
			};
		});
	};
	return {
		features: factsOf("feature", (of, name) => (of?.features?.includes(name) === true ? "on" : undefined)),
		policies: factsOf("policy", (of, name) => of?.policies?.[name]),
	};
}

function ruleFacts(rules: readonly CompiledRule[], subject: Subject, isFirstOnly: boolean): readonly RuleFact[] {
	let isDecided = false;
	return rules.map((rule) => {
		const { truth, why } = judgeRule(rule, subject);
		const isLater = isDecided && isFirstOnly;
		const verdict = isLater ? "later" : truth === true ? "gives" : truth === false ? "does-not-match" : "cannot-be-told";
		// A rule in doubt may be the one: none after it counts either.
		isDecided ||= truth !== false;
		return { line: rule.place, value: rule.value, verdict, why: isLater ? `${why}; an earlier rule counts` : why };
	});
}
