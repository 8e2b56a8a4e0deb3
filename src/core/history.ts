import type { Account } from "./account.ts";
import { type EntitlementKind, type EntitlementPhrase, entitlementPhrases } from "./entitlement-words.ts";
import type { Anchor } from "./entry.ts";
import { type Origin, originIn } from "./move.ts";

/** One change of an account itself that went out, as the change log has it. What was rejected, or is a target's own doing, is none. */
export interface HistoryRow {
	/** Its place in the log. */
	readonly sequence: number;
	/** Unix milliseconds. */
	readonly at: number;
	readonly run: number;
	readonly source: string;
	readonly anchor: Anchor;
	readonly kind: string;
	readonly why: string;
	readonly before: Account | undefined;
	readonly after: Account | undefined;
}

/** Whose account it is. */
export interface Holder {
	readonly source: string;
	readonly anchor: Anchor;
	readonly userName: string;
}

export interface CurrentAccount {
	readonly source: string;
	readonly anchor: Anchor;
	readonly account: Account;
}

/** A time in which an account had a feature, or one value of a policy. */
export interface Period {
	readonly kind: EntitlementKind;
	readonly name: string;
	/** Of a policy. */
	readonly value: string | undefined;
	readonly holder: Holder;
	readonly begin: Begin;
	readonly end: End;
}

/** `before`: it was there already at this instant, and what tells of its beginning is not in the log any more. */
export type Begin =
	| { readonly kind: "known"; readonly at: number; readonly run: number; readonly through: string }
	| { readonly kind: "before"; readonly at: number };

/** `unknown`: it is not there any more, and the log does not tell when it went. */
export type End =
	| { readonly kind: "still" }
	| { readonly kind: "known"; readonly at: number; readonly run: number; readonly because: string }
	| { readonly kind: "unknown" };

/** Which features and policies are asked for. */
export type Wanted = (kind: EntitlementKind, name: string) => boolean;

/** What accounts are now, and since when the change log knows of them (Unix milliseconds). */
export interface Today {
	readonly accounts: Iterable<CurrentAccount>;
	readonly logStart: number;
}

interface Had {
	readonly kind: EntitlementKind;
	readonly name: string;
	readonly value: string | undefined;
}

interface OpenPeriod extends Had {
	readonly begin: Begin;
}

/**
 * The periods that a change log tells of, in the order of their end; then those that have not ended, in the order of the accounts.
 * Rows come in the log's order; rows without anything wanted in them may be left out. In memory is only what has not ended, so no
 * more than the accounts have at one time.
 */
export function* periodsOf(rows: Iterable<HistoryRow>, today: Today, isWanted: Wanted): Generator<Period> {
	const open = new Map<string, { holder: Holder; had: Map<string, OpenPeriod> }>();
	for (const steps of byAccountAndRun(rows)) {
		const last = steps.at(-1) as HistoryRow;
		const holder = holderOf(last);
		const origin = originOf(steps);
		const key = keyOf(holder);
		const had = open.get(origin === undefined ? key : keyOf(origin))?.had ?? new Map<string, OpenPeriod>();
		if (origin !== undefined) open.delete(keyOf(origin));
		for (const period of turn(steps, had, isWanted)) yield { ...period, holder };
		if (had.size === 0) open.delete(key);
		else open.set(key, { holder, had });
	}
	for (const { source, anchor, account } of today.accounts) {
		const holder = { source, anchor, userName: account.userName };
		const had = open.get(keyOf(holder))?.had;
		open.delete(keyOf(holder));
		yield* endedToday(had ?? new Map(), entitlementsOf(account, isWanted), holder, today.logStart);
	}
	for (const { holder, had } of open.values()) yield* endedToday(had, new Map(), holder, today.logStart);
}

/** What one run did to what one account has. `had` is brought up to date; what ended is returned. */
function* turn(steps: readonly HistoryRow[], had: Map<string, OpenPeriod>, isWanted: Wanted): Generator<Omit<Period, "holder">> {
	const [first, last] = [steps[0] as HistoryRow, steps.at(-1) as HistoryRow];
	const moment = { at: first.at, run: first.run };
	const sides = steps.map((row) => ({
		before: entitlementsOf(row.before, isWanted),
		after: entitlementsOf(row.after, isWanted),
		row,
	}));
	const phrases = steps.filter(({ kind }) => kind === "entitlement" || kind === "create").flatMap(({ why }) => entitlementPhrases(why));
	const keys = new Set([...had.keys(), ...sides.flatMap(({ before, after }) => [...before.keys(), ...after.keys()])]);
	for (const key of keys) {
		// The changes of a run are logged in the order of their kinds, and each has only its own part in its sides: what one of them
		// changes is so, whatever the others show.
		const changing = sides.filter(
			({ before, after }) => before.get(key)?.value !== after.get(key)?.value || before.has(key) !== after.has(key),
		);
		const was = (changing[0] ?? sides[0])?.before.get(key);
		const is = (changing.at(-1) ?? sides.at(-1))?.after.get(key);
		const known = had.get(key);
		if (known !== undefined && !isSame(known, was)) yield { ...known, end: { kind: "unknown" } };
		const current = was === undefined || isSame(known, was) ? known : { ...was, begin: { kind: "before" as const, at: first.at } };
		if (isSame(was, is)) {
			if (was === undefined) had.delete(key);
			else if (current !== undefined) had.set(key, current);
			continue;
		}
		const row = changing.at(-1)?.row ?? last;
		if (was !== undefined && current !== undefined)
			yield { ...current, end: { kind: "known", ...moment, because: becauseOf(was, is, row, phrases) } };
		if (is === undefined) had.delete(key);
		else had.set(key, { ...is, begin: { kind: "known", ...moment, through: phraseOf(is, phrases)?.through ?? row.why } });
	}
}

function* endedToday(
	had: ReadonlyMap<string, OpenPeriod>,
	has: ReadonlyMap<string, Had>,
	holder: Holder,
	logStart: number,
): Generator<Period> {
	for (const [key, period] of had) {
		yield { ...period, holder, end: { kind: isSame(period, has.get(key)) ? "still" : "unknown" } };
	}
	for (const [key, own] of has) {
		if (!isSame(had.get(key), own)) yield { ...own, holder, begin: { kind: "before", at: logStart }, end: { kind: "still" } };
	}
}

/** Rows of one account in one run come one after the other in the log. */
function* byAccountAndRun(rows: Iterable<HistoryRow>): Generator<readonly HistoryRow[]> {
	let steps: HistoryRow[] = [];
	for (const row of rows) {
		const last = steps.at(-1);
		if (last !== undefined && (last.run !== row.run || keyOf(last) !== keyOf(row))) {
			yield steps;
			steps = [];
		}
		steps.push(row);
	}
	if (steps.length > 0) yield steps;
}

function entitlementsOf(account: Account | undefined, isWanted: Wanted): Map<string, Had> {
	const all: Had[] = [
		...(account?.features ?? []).map((name) => ({ kind: "feature" as const, name, value: undefined })),
		...Object.entries(account?.policies ?? {}).map(([name, value]) => ({ kind: "policy" as const, name, value })),
	];
	return new Map(all.filter(({ kind, name }) => isWanted(kind, name)).map((own) => [`${own.kind} ${own.name}`, own]));
}

function becauseOf(was: Had, is: Had | undefined, row: HistoryRow, phrases: readonly EntitlementPhrase[]): string {
	const reason = phraseOf(was, phrases)?.through;
	if (is !== undefined) return `${JSON.stringify(is.value)} since then${reason === undefined ? "" : `: ${reason}`}`;
	return row.kind === "delete" ? `account deleted: ${row.why}` : (reason ?? row.why);
}

function phraseOf({ kind, name }: Had, phrases: readonly EntitlementPhrase[]): EntitlementPhrase | undefined {
	return phrases.find((phrase) => phrase.kind === kind && phrase.name === name);
}

function isSame(one: Had | undefined, other: Had | undefined): boolean {
	return one === undefined || other === undefined ? one === other : one.value === other.value;
}

function originOf(steps: readonly HistoryRow[]): Origin | undefined {
	return steps.map(originOfRow).find((origin) => origin !== undefined);
}

/** Where an account came from by this change. */
export function originOfRow({ kind, why }: HistoryRow): Origin | undefined {
	return kind === "update" ? originIn(why) : undefined;
}

function holderOf({ source, anchor, before, after }: HistoryRow): Holder {
	return { source, anchor, userName: (after ?? before)?.userName ?? "" };
}

/** Two sources may have the same anchor. */
export function keyOf({ source, anchor }: Origin): string {
	return `${source} ${anchor}`;
}
