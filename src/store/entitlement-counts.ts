import type { Entitlements } from "../core/account.ts";
import { isEntitledAs } from "../core/plan.ts";
import type { Connection } from "./database.ts";

/** Counts how many accounts have each feature and each value of a policy. Call inside the run's one transaction. */
export function openEntitlementCounts(db: Connection) {
	const count = db.prepare<[string, string, string, number]>(
		"INSERT INTO entitlement_counts (kind, name, value, accounts) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET accounts = accounts + excluded.accounts",
	);
	const created = [
		`INSERT INTO entitlement_counts (kind, name, value, accounts) SELECT 'feature', f.value, '', count(*)
		FROM planned p JOIN outcomes o ON o.id = p.id, json_each(o.desired, '$.features') f WHERE p.kind = 'create' AND p.passed = 1 GROUP BY 2
		ON CONFLICT DO UPDATE SET accounts = accounts + excluded.accounts`,
		`INSERT INTO entitlement_counts (kind, name, value, accounts) SELECT 'policy', f.key, f.value, count(*)
		FROM planned p JOIN outcomes o ON o.id = p.id, json_each(o.desired, '$.policies') f WHERE p.kind = 'create' AND p.passed = 1 GROUP BY 2, 3
		ON CONFLICT DO UPDATE SET accounts = accounts + excluded.accounts`,
	].map((sql) => db.prepare(sql));
	const forget = db.prepare("DELETE FROM entitlement_counts WHERE accounts = 0");

	const add = ({ features, policies }: Entitlements, by: 1 | -1): void => {
		for (const name of features ?? []) count.run("feature", name, "", by);
		for (const [name, value] of Object.entries(policies ?? {})) count.run("policy", name, value, by);
	};

	return {
		/** One account that was there before: what it had, and has. */
		recount: (before: Entitlements, after: Entitlements): void => {
			if (isEntitledAs(before, after)) return;
			add(before, -1);
			add(after, 1);
		},
		/** Those that the stage creates. */
		countCreated: (): void => {
			for (const step of created) step.run();
		},
		/** What nobody has any more. */
		forgetNone: (): void => {
			forget.run();
		},
	};
}
