import type { Account } from "./account.ts";
import type { ChangeKind } from "./change.ts";
import { unreachable } from "./errors.ts";
import { entitlementPartsOf, type Keep, type PinnedPart, partText, pinnedFields } from "./pin.ts";

/** One change that a run made of an account, as the change log has it. */
export interface LoggedStep {
	readonly kind: ChangeKind;
	/** Unix milliseconds. */
	readonly at: number;
	readonly before: Account | undefined;
	readonly after: Account | undefined;
}

/** An account as it is when the run is to be taken back. */
export interface AccountNow {
	readonly account: Account | undefined;
	/** Since when it is not active, Unix milliseconds. */
	readonly endedAt: number | undefined;
	/** A later run that made, ended or enabled it. */
	readonly changedBy: number | undefined;
	/** Whether a change of it is held. */
	readonly isHeld: boolean;
}

/** What is to be kept of an account so that it is as before a run, and what of the run is left alone: a phrase each. */
export interface Undo {
	readonly keeps: readonly Keep[];
	readonly leftAlone: readonly string[];
}

/**
 * Works out the undoing of what a run did to one account, part by part: what still is as the run left it goes back to what it was
 * before; what has changed since is left alone.
 */
export function undoOf(steps: readonly LoggedStep[], now: AccountNow): Undo {
	const undos = steps.map((step) => undoStep(step, now));
	const keeps = undos.flatMap((undo) => undo.keeps);
	const leftAlone = undos.flatMap((undo) => undo.leftAlone);
	if (keeps.length === 0 || !now.isHeld) return { keeps, leftAlone };
	return { keeps: [], leftAlone: [...leftAlone, "a change of it is held: approve or reject that first"] };
}

function undoStep(step: LoggedStep, now: AccountNow): Undo {
	switch (step.kind) {
		case "create":
			return now.account === undefined ? alone("it is not there any more") : undoState(now, '"none"');
		case "delete":
			return now.account !== undefined
				? alone("it is there again")
				: undoState(now, step.before?.active === true ? '"active"' : '"disabled"', step.before);
		case "disable":
			if (now.account === undefined) return alone("it is not there any more");
			if (now.account.active) return alone("it is active again");
			// Who was disabled and has left since is not one whom the run ended.
			return now.changedBy === undefined && now.endedAt !== step.at
				? alone("it ended for another reason since")
				: undoState(now, '"active"');
		case "enable":
			if (now.account === undefined) return alone("it is not there any more");
			return now.account.active ? undoState(now, '"disabled"') : alone("it is disabled again");
		case "update":
			return undoParts(step, now, pinnedFields);
		case "entitlement":
			return undoParts(step, now, [...new Set([step.before, step.after].flatMap((side) => entitlementPartsOf(side ?? {})))]);
		default:
			return unreachable(step.kind);
	}
}

function undoState({ changedBy }: AccountNow, kept: string, body?: Account): Undo {
	if (changedBy !== undefined) return alone(`run ${changedBy} changed its state since`);
	return { keeps: [{ part: "state", kept, body }], leftAlone: [] };
}

function undoParts({ before, after }: LoggedStep, { account }: AccountNow, parts: readonly Exclude<PinnedPart, "state">[]): Undo {
	if (account === undefined) return alone("it is not there any more");
	if (before === undefined || after === undefined) return alone("the change log does not have what it was");
	const keeps: Keep[] = [];
	const leftAlone: string[] = [];
	for (const part of parts) {
		const [was, became, is] = [partText(part, before), partText(part, after), partText(part, account)];
		if (was === became || is === was) continue;
		if (is === became) keeps.push({ part, kept: was, body: undefined });
		else leftAlone.push(`${part}: changed since, now ${is}`);
	}
	return { keeps, leftAlone };
}

function alone(phrase: string): Undo {
	return { keeps: [], leftAlone: [phrase] };
}
