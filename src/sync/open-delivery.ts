import type { Account } from "../core/account.ts";
import type { Ordered } from "../core/delivery.ts";
import { withState } from "../core/plan.ts";
import { digest } from "../lib/digest.ts";
import type { PendingRow } from "../store/delivery-ledger.ts";
import type { Session } from "../store/session.ts";
import type { Delivery, Target } from "../target/target.ts";

/** An open delivery. The two accounts are parsed when somebody looks at them: for a first delivery to the local target nobody does. */
export interface OpenDelivery {
	readonly row: PendingRow;
	/** Undefined: the account is to go. */
	readonly wantedText: string | undefined;
	readonly wanted: Account | undefined;
	/** What the target has; undefined: nothing, or not known. */
	readonly appliedText: string | undefined;
	readonly applied: Account | undefined;
}

export type Sent = Ordered<OpenDelivery>;

export function openDelivery(row: PendingRow, text = appliedIn(row)): OpenDelivery {
	const wantedText = row.wanted === null || row.body === null ? undefined : row.body;
	const wanted = accountIn(wantedText);
	const applied = accountIn(text);
	return {
		row,
		wantedText,
		appliedText: text,
		get wanted() {
			return wanted();
		},
		get applied() {
			return applied();
		},
	};
}

function appliedIn({ applied_body, applied, wanted, body }: PendingRow): string | undefined {
	if (applied_body !== null) return applied_body;
	return applied !== null && wanted?.equals(applied) && body !== null ? body : undefined;
}

function accountIn(text: string | undefined): () => Account | undefined {
	let account: Account | undefined;
	return () => {
		if (text !== undefined) account ??= JSON.parse(text) as Account;
		return account;
	};
}

/** Out of the way: another userName, and no addresses, until its own delivery comes. */
export function parked({ applied, wanted }: OpenDelivery, userName: string): Account | undefined {
	const account = applied ?? wanted;
	if (account === undefined) return undefined;
	const { emails: _, ...rest } = account;
	return { ...rest, userName };
}

/** What goes to the target, and what it has when it has taken it. */
export interface Sending {
	readonly delivery: Delivery;
	/** Undefined: nothing any more. */
	readonly result: { readonly text: string; readonly digest: Buffer } | undefined;
	/** The manager is not there yet: sent without, and again once it is. */
	readonly lacksManager: boolean;
}

export function sending(session: Session, target: Target, { delivery, parkAs }: Sent): Sending {
	const { row, wantedText } = delivery;
	// What was sent before and never answered may have arrived: the target compares with what it has.
	const isKnown = row.intent_at === null || row.remote_id === null;
	const same = {
		anchor: row.anchor,
		kind: row.kind,
		remoteId: row.remote_id ?? undefined,
		appliedAnchor: row.external_id === null || row.external_id === row.anchor ? undefined : row.external_id,
	};
	if (parkAs !== undefined) {
		const wanted = parked(delivery, parkAs);
		const text = JSON.stringify(wanted);
		const managerId = managerOf(session, target, row, wanted);
		const sent = {
			...same,
			key: `${keyOf(target.name, row)}.parked`,
			wanted,
			wantedText: text,
			applied: isKnown ? delivery.applied : undefined,
			managerId,
		};
		return { delivery: sent, result: { text, digest: digest(text) }, lacksManager: false };
	}
	const managerId = target.managerBy === "anchor" ? undefined : managerOf(session, target, row, delivery.wanted);
	const lacksManager = target.managerBy === "remote-id" && managerId === undefined && delivery.wanted?.manager !== undefined;
	const sent: Delivery = {
		...same,
		managerId,
		wantedText,
		get key() {
			return keyOf(target.name, row);
		},
		get wanted() {
			return delivery.wanted;
		},
		get applied() {
			return isKnown ? delivery.applied : undefined;
		},
	};
	if (wantedText === undefined || row.wanted === null) return { delivery: sent, result: undefined, lacksManager };
	if (!lacksManager) return { delivery: sent, result: { text: wantedText, digest: row.wanted }, lacksManager };
	const { manager: _, ...rest } = delivery.wanted as Account;
	const text = JSON.stringify(rest);
	return {
		delivery: { ...sent, wanted: rest, wantedText: text, applied: isKnown ? delivery.applied : undefined },
		result: { text, digest: digest(text) },
		lacksManager,
	};
}

/**
 * The end alone of an account that is to end and was not taken as it is wanted: who leaves is not let in for a telephone number that the
 * target does not take, or because it deletes nobody. What is there is asked for where it is not known. Undefined: it is no end, there
 * is nothing more to it, or something else is wanted since.
 */
export async function endOnly(
	session: Session,
	target: Target,
	sent: Sent,
	signal: AbortSignal,
): Promise<(Sent & { readonly sending: Sending }) | undefined> {
	const { delivery, parkAs } = sent;
	const { row, wanted } = delivery;
	if (parkAs !== undefined || row.remote_id === null || wanted?.active === true) return undefined;
	const isKnown = row.intent_at === null && delivery.applied !== undefined;
	const there = isKnown ? delivery.applied : (await target.reader?.read(row.remote_id, signal))?.account;
	if (there?.active !== true || !session.ledger.isCurrent(target.name, row)) return undefined;
	const ended = withState(there, false);
	const text = JSON.stringify(ended);
	if (text === delivery.wantedText) return undefined;
	const { delivery: whole } = sending(session, target, sent);
	const managerId = isKnown ? managerOf(session, target, row, ended) : undefined;
	const same = { ...known(whole), kind: "disable", key: `${whole.key}.end`, wanted: ended, wantedText: text, managerId } as const;
	return {
		delivery,
		parkAs: there.userName,
		wave: sent.wave,
		sending: { delivery: { ...same, applied: there }, result: { text, digest: digest(text) }, lacksManager: false },
	};
}

/** A copy whose accounts are values. */
function known({ anchor, remoteId, appliedAnchor, applied, ...rest }: Delivery): Delivery {
	return { ...rest, anchor, remoteId, appliedAnchor, applied };
}

export function managerOf(session: Session, target: Target, row: PendingRow, wanted: Account | undefined): string | undefined {
	return wanted?.manager === undefined ? undefined : session.ledger.managerId(target.name, row.account_id, wanted.manager);
}

/** The same for every retry of a change, and another one for every other: a run wants one state of an account, and so does what comes later. */
function keyOf(target: string, { anchor, run_id, revision }: PendingRow): string {
	return digest(`${target} ${anchor} ${run_id} ${revision}`).toString("hex");
}
