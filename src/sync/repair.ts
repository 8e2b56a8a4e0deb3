import type { DeliveryKind } from "../core/change.ts";
import { claimsOf } from "../core/claims.ts";
import { digest } from "../lib/digest.ts";
import type { Step } from "../store/delivery-ledger.ts";
import type { Session } from "../store/session.ts";
import type { Target } from "../target/target.ts";
import { type Drift, type ReadBackReport, readBack } from "./read-back.ts";

/** What becomes of an account that is not as we left it. `release`: it is left alone from then on. */
export type DriftAction = "report" | "repair" | "release";

export interface RepairContext {
	readonly session: Session;
	readonly target: Target;
	readonly action: DriftAction;
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/**
 * Reads a target back and does what the configuration says about each account that is not as we left it, with a line in the change
 * log, once. What the target keeps in a way of its own is not repaired over and over.
 */
export async function readBackAndAct(context: RepairContext, signal: AbortSignal): Promise<ReadBackReport> {
	const { session, target, clock } = context;
	const report = await readBack(
		{
			session,
			target,
			onDrift: (drift) => session.transaction(() => act(context, drift)),
			onSame: (row) => {
				if (row.found !== null) session.readBack.note(target.name, row, undefined);
			},
		},
		signal,
	);
	const { same, changed, missing, others } = report;
	session.transaction(() => session.targetStates.wasReadBack(target.name, clock(), { same, changed, missing, others }));
	return report;
}

function act({ session, target, action, clock }: RepairContext, drift: Drift): void {
	const { row, left, found, phrases, isKept } = drift;
	const seen = found === undefined ? Buffer.alloc(0) : digest(JSON.stringify(found));
	const say = (result: string): void => {
		const where = { run: row.run_id, source: target.name, target: target.name };
		const change = { at: clock(), ...where, kind: kindOf(drift), subject: "account", anchor: row.anchor };
		const sides = { before: found && JSON.stringify(found), after: JSON.stringify(left) };
		session.log.append()({ ...change, name: left.userName, why: `at the target: ${phrases.join(", ")}`, ...sides, result });
	};
	const isNews = !row.found?.equals(seen);
	switch (isKept ? "report" : action) {
		case "report":
			if (session.readBack.note(target.name, row, seen) && isNews) say("reported");
			return;
		case "release":
			if (session.readBack.release(target.name, row, seen, phrases.join(", "), clock())) say("released");
			return;
		case "repair":
			if (repair(session, target, drift, seen, clock())) say("repaired");
	}
}

function repair(session: Session, target: Target, drift: Drift, seen: Buffer, at: number): boolean {
	const { row, found } = drift;
	if (found !== undefined) {
		const opened = { digest: seen, body: JSON.stringify(found), kind: kindOf(drift), step: stepOf(drift) };
		return session.readBack.repair(target.name, row, opened);
	}
	if (!session.readBack.note(target.name, row, undefined)) return false;
	session.ledger.outdateReports(target.name, row.account_id);
	session.ledger.lost(target.name, row.account_id, at, undefined);
	session.groupLedger.reopenMembers(target.name, row.account_id);
	return true;
}

function kindOf({ left, found }: Drift): DeliveryKind {
	if (found === undefined) return "create";
	if (found.active === left.active) return "update";
	return left.active ? "enable" : "disable";
}

/** Ends first, then names, then the rest: see the ledger. */
function stepOf({ left, found }: Drift): Step {
	if (found !== undefined && claimsOf(found).join("\n") !== claimsOf(left).join("\n")) return 1;
	return found?.active === true && !left.active ? 0 : 2;
}
