import type { Account } from "../core/account.ts";
import { driftOf } from "../core/drift.ts";
import { Failure } from "../core/errors.ts";
import { digest } from "../lib/digest.ts";
import { eachAtMost } from "../lib/window.ts";
import type { LeftRow } from "../store/read-back.ts";
import type { Session } from "../store/session.ts";
import type { RemoteAccount, Target, TargetReader } from "../target/target.ts";

/** One account of ours that is not at the target as we left it. */
export interface Drift {
	readonly row: LeftRow;
	readonly left: Account;
	/** Undefined: it is not there. */
	readonly found: Account | undefined;
	/** One phrase for each field; of an account that is not there, that it is not. */
	readonly phrases: readonly string[];
	/** It was found just so before, and brought back to what is wanted since: the target keeps it in a way of its own. */
	readonly isKept: boolean;
}

/** What reading a target back found. */
export interface ReadBackReport {
	readonly target: string;
	readonly same: number;
	readonly changed: number;
	readonly missing: number;
	/** Accounts that are not ours: counted, never touched. Undefined: the target's list is not complete, so nobody knows. */
	readonly others: number | undefined;
	/** Why the list was not enough, and each account was asked for. */
	readonly partialBecause: string | undefined;
}

export interface ReadBackContext {
	readonly session: Session;
	readonly target: Target;
	/** Called for each account that is not as we left it, as often as `onDrift` likes. */
	readonly onDrift: (drift: Drift) => void;
	readonly onSame: (row: LeftRow) => void;
}

const PAGE = 500;

/**
 * Reads what a target has and compares it with what we left there. Whoever seems to differ, or to be missing, is asked for by itself
 * before it is said: a list takes long, and deliveries go on meanwhile. A list that cannot be proven complete says nothing of who is
 * missing from it: then each one is asked for.
 */
export async function readBack(context: ReadBackContext, signal: AbortSignal): Promise<ReadBackReport> {
	const { session, target } = context;
	const { reader, name } = target;
	if (reader === undefined) throw new Failure("NOT_FOUND", `target ${name} cannot be read back`, { hint: "Its type has no way to ask." });
	const counts = { same: 0, changed: 0, missing: 0 };
	session.readBack.clear();
	try {
		const partialBecause = await list(session, reader, signal);
		for (let after = 0; ; ) {
			const rows = session.readBack.page(name, after, PAGE);
			await eachAtMost(target.lanes, rows, async (row) => {
				signal.throwIfAborted();
				const drift = await compare(context, reader, row, signal);
				if (drift === undefined) {
					counts.same++;
					context.onSame(row);
					return;
				}
				counts[drift.found === undefined ? "missing" : "changed"]++;
				context.onDrift(drift);
			});
			const last = rows.at(-1);
			if (last === undefined) break;
			after = last.account_id;
		}
		const others = partialBecause === undefined ? session.readBack.others(name) : undefined;
		return { target: name, ...counts, others, partialBecause };
	} finally {
		session.readBack.clear();
	}
}

/** Returns why the list is not all of it, if so. */
async function list(session: Session, reader: TargetReader, signal: AbortSignal): Promise<string | undefined> {
	let page: { remoteId: string; body: string; untold: string }[] = [];
	const keep = (): void => {
		session.readBack.add(page);
		page = [];
	};
	try {
		for await (const { remoteId, account, untold } of reader.list(signal)) {
			page.push({ remoteId, body: JSON.stringify(account), untold: (untold ?? []).join() });
			if (page.length === PAGE) keep();
		}
		return undefined;
	} catch (error) {
		if (!(error instanceof Failure && error.code === "TARGET_LISTING_PARTIAL")) throw error;
		return error.message;
	} finally {
		keep();
	}
}

type Row = LeftRow & { readonly found_body: string | null; readonly untold: string | null };

async function compare(
	{ session, target }: ReadBackContext,
	reader: TargetReader,
	row: Row,
	signal: AbortSignal,
): Promise<Drift | undefined> {
	const left = JSON.parse(row.body) as Account;
	const managerId = managerIdOf(session, target, row, left);
	const listed = row.found_body === null ? undefined : (JSON.parse(row.found_body) as Account);
	if (listed !== undefined && driftOf({ account: left, managerId }, listed, fieldsIn(row.untold)).length === 0) return undefined;
	const found: RemoteAccount | undefined = await reader.read(row.remote_id, signal);
	if (found === undefined) {
		const phrases = [`there is no account ${row.remote_id}`];
		return { row, left, found: undefined, phrases, isKept: false };
	}
	const phrases = driftOf({ account: left, managerId }, found.account, found.untold);
	if (phrases.length === 0) return undefined;
	// Who is let in there against what is wanted is nobody's way of keeping it.
	const isKept = found.account.active === left.active && (row.found?.equals(digest(JSON.stringify(found.account))) ?? false);
	return { row, left, found: found.account, phrases, isKept };
}

function fieldsIn(joined: string | null): readonly (keyof Account)[] {
	return (joined?.split(",") ?? []) as (keyof Account)[];
}

function managerIdOf(session: Session, target: Target, row: LeftRow, { manager }: Account): string | undefined {
	if (manager === undefined || target.managerBy === "anchor") return manager;
	return session.ledger.managerId(target.name, row.account_id, manager);
}
