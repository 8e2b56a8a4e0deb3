import type { Account } from "../core/account.ts";
import type { ChangeKind, DeliveryKind } from "../core/change.ts";
import { claimsOf } from "../core/claims.ts";
import { outcomeAtTarget } from "../core/target-view.ts";
import { digest } from "../lib/digest.ts";
import type { Step } from "./delivery-ledger.ts";
import type { GroupLedger } from "./group-ledger.ts";
import type { Ledger } from "./ledger.ts";
import type { TargetPlan, TargetWantRow } from "./target-plan.ts";

const PAGE = 1000;

/** Carries what is planned for targets with views of their own into the ledger. */
export function makeTargetCommit(targetPlan: TargetPlan, ledger: Ledger, groupLedger: GroupLedger) {
	return {
		/** Inside the run's one transaction: after the accounts were written, before the groups are. */
		commit: (run: number): void => {
			for (let after = { id: 0, target_id: Number.MIN_SAFE_INTEGER }; ; ) {
				const rows = targetPlan.wants(after.id, after.target_id, PAGE);
				for (const row of rows) write(row, run);
				const last = rows.at(-1);
				if (last === undefined) break;
				after = last;
			}
			groupLedger.followPassages();
		},
	};

	function write(row: TargetWantRow, run: number): void {
		const kinds = new Set([...row.follows.split(","), ...(row.own?.split(",") ?? [])] as ChangeKind[]);
		const { before, text, account } = outcomeFor(row, kinds);
		const at = { target: row.target_id, account: row.id, run, oldBody: row.before };
		if (text === undefined) {
			if (row.before === null) return;
			ledger.wantThere({ ...at, wanted: undefined, isOutside: row.is_outside === 1, kind: "delete", step: 0 });
			groupLedger.pass(row.target_id, row.id, "leaves");
			return;
		}
		const body = text === row.body ? null : text;
		// Whose end is held or was rejected is in the target's scope as before.
		const isOutside = (isEndWithheld(row, account) ? row.was_outside : row.is_outside) === 1;
		if (text === row.before) {
			ledger.rememberThere(row.target_id, row.id, body, isOutside);
			return;
		}
		const wanted = { digest: digest(text), body };
		if (row.before === null) {
			ledger.wantThere({ ...at, wanted, isOutside, kind: "create", step: 2 });
			// An account made in this run is in no group yet.
			if (row.own !== null) groupLedger.pass(row.target_id, row.id, "comes");
			return;
		}
		const kind = kinds.has("disable") ? "disable" : kinds.has("enable") ? "enable" : "update";
		ledger.wantThere({ ...at, wanted, isOutside, kind, step: stepOf(kind, before, account) });
	}
}

interface Outcome {
	readonly before: Account | undefined;
	readonly account: Account | undefined;
	readonly text: string | undefined;
}

function outcomeFor(row: TargetWantRow, kinds: ReadonlySet<ChangeKind>): Outcome {
	// Nearly all rows of a first reading are creates, whose text is at hand.
	if (row.before === null) {
		const text = kinds.has("create") ? (row.desired ?? undefined) : undefined;
		return { before: undefined, account: undefined, text };
	}
	const before = JSON.parse(row.before) as Account;
	const desired = row.desired === null ? undefined : (JSON.parse(row.desired) as Account);
	const account = outcomeAtTarget(before, desired, kinds);
	const text = account === undefined ? undefined : account === before ? row.before : JSON.stringify(account);
	return { before, account, text };
}

/** Whether the account is still active there against what was planned. */
function isEndWithheld(row: TargetWantRow, account: Account | undefined): boolean {
	if (account?.active !== true) return false;
	return row.desired === null || !(JSON.parse(row.desired) as Account).active;
}

function stepOf(kind: DeliveryKind, before: Account | undefined, after: Account | undefined): Step {
	const had = before === undefined ? [] : claimsOf(before);
	const has = after === undefined ? [] : claimsOf(after);
	if (had.join("\n") !== has.join("\n")) return 1;
	return kind === "disable" ? 0 : 2;
}
