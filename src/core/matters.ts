import { keyOf, type Matter, type MatterDetail, type MatterKind, type MatterNotice } from "./matter.ts";

/** What is known now of one matter that may be. Of what nobody knows there is no sighting: then it stays as it was. */
export type Sighting =
	/** `isFinal`: somebody ended it, so it will not come back by itself. */
	| { readonly kind: MatterKind; readonly about: string; readonly isThere: false; readonly isFinal: boolean }
	| {
			readonly kind: MatterKind;
			readonly about: string;
			readonly isThere: true;
			readonly detail: MatterDetail;
			/** Since when, where that is known better than by looking. Unix milliseconds. */
			readonly since: number | undefined;
			/** The run that says so; undefined: none does, or it is not known. */
			readonly run: number | undefined;
			/** When the run ended that says so; undefined: no run did. */
			readonly runAt: number | undefined;
	  };

/** What is there after a look, and what is to be said of it. */
export interface Looked {
	readonly matters: readonly Matter[];
	readonly notices: readonly MatterNotice[];
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** How long a matter has to last before anybody is told. What waits for a person is told at once. */
const PATIENCE_MS: Readonly<Record<MatterKind, number>> = {
	held: 0,
	failed: 15 * MINUTE_MS,
	unsealed: 0,
	target: 15 * MINUTE_MS,
	quarantine: 15 * MINUTE_MS,
	certificate: 0,
	database: 5 * MINUTE_MS,
};

/** A source that failed so often in a row is told of before its time. */
const FAILED_RUNS = 2;

/** A plan that grows with every run is told anew no more often than this: the newest is what counts. */
const CHANGE_PAUSE_MS: Readonly<Record<MatterKind, number>> = {
	held: 15 * MINUTE_MS,
	failed: Number.POSITIVE_INFINITY,
	unsealed: Number.POSITIVE_INFINITY,
	target: Number.POSITIVE_INFINITY,
	quarantine: DAY_MS,
	certificate: 0,
	database: Number.POSITIVE_INFINITY,
};

/** What waits for somebody's decision is said once a day. */
const REMIND_MS: Readonly<Partial<Record<MatterKind, number>>> = { held: DAY_MS };

/** Days before its end at which a certificate is told of. */
const CERTIFICATE_DAYS = [30, 7, 1, 0];

/**
 * From the matters there were, and what is known now, to those there are and what is to be said: once when a matter opens, again
 * only when it is another one, and once when it is over, if it was ever told. What comes back before it was well for `settleMs`
 * is the same matter, and nothing is said: a directory that swings makes no mails. `exists`: whether a source or target is still
 * configured; what is about none goes without a word. Pure.
 */
export function look(
	matters: readonly Matter[],
	sightings: readonly Sighting[],
	exists: (kind: MatterKind, about: string) => boolean,
	now: number,
	settleMs: number,
): Looked {
	const known = new Map(
		matters.filter((matter) => exists(matter.detail.kind, matter.about)).map((matter) => [matter.key, notAfter(matter, now)]),
	);
	const notices: MatterNotice[] = [];
	for (const sighting of sightings) {
		const key = keyOf(sighting.kind, sighting.about);
		const before = known.get(key);
		if (!sighting.isThere) {
			const wellSince = before?.wellSince ?? now;
			known.delete(key);
			if (before?.told === undefined) continue;
			if (sighting.isFinal || now - wellSince >= settleMs) notices.push({ matter: before, state: "recovered", at: wellSince });
			else known.set(key, { ...before, wellSince });
			continue;
		}
		const matter = follow(key, before, sighting, now);
		const state = dueOf(matter, now);
		if (state === undefined) {
			known.set(key, matter);
			continue;
		}
		const told: Matter = { ...matter, told: { at: now, mark: markOf(matter.detail, now) } };
		known.set(key, told);
		notices.push({ matter: told, state, at: now });
	}
	return { matters: [...known.values()], notices };
}

/** A clock that was set back would leave in the future what is counted from: nothing would be said before it is there again. */
function notAfter(matter: Matter, now: number): Matter {
	const { since, wellSince, told } = matter;
	return {
		...matter,
		// Once it was told, it is part of this occurrence's name.
		since: told === undefined ? Math.min(since, now) : since,
		wellSince: wellSince === undefined ? undefined : Math.min(wellSince, now),
		told: told && { ...told, at: Math.min(told.at, now) },
	};
}

function follow(
	key: string,
	before: Matter | undefined,
	{ about, detail, since, run, runAt }: Sighting & { isThere: true },
	now: number,
): Matter {
	const isSameRun = before?.runAt === runAt;
	const runs = before?.detail.kind === "failed" ? before.detail.runs + (isSameRun ? 0 : 1) : 1;
	return {
		key,
		about,
		since: before?.since ?? Math.min(since ?? now, now),
		detail: detail.kind === "failed" ? { ...detail, runs } : detail,
		run: run ?? before?.run,
		runAt,
		wellSince: undefined,
		told: before?.told,
	};
}

/** What of it is to be said now, if anything. */
function dueOf({ detail, since, told }: Matter, now: number): Exclude<MatterNotice["state"], "recovered"> | undefined {
	const { kind } = detail;
	if (told === undefined) {
		const isOften = detail.kind === "failed" && detail.runs >= FAILED_RUNS;
		return isOften || now - since >= PATIENCE_MS[kind] ? "opened" : undefined;
	}
	if (isAnother(detail, told.mark, now) && now - told.at >= CHANGE_PAUSE_MS[kind]) return "changed";
	const remindMs = REMIND_MS[kind];
	return remindMs !== undefined && now - told.at >= remindMs ? "reminder" : undefined;
}

/** What makes it another one than was told. */
function markOf(detail: MatterDetail, now: number): string {
	switch (detail.kind) {
		case "held":
			return detail.plan;
		case "quarantine":
			return String(detail.count);
		case "certificate":
			return String(levelOf(detail.expiresAt, now));
		default:
			return "";
	}
}

function isAnother(detail: MatterDetail, told: string, now: number): boolean {
	const mark = markOf(detail, now);
	if (detail.kind === "quarantine") return detail.count >= Math.max(2 * Number(told), Number(told) + 5);
	// A certificate that was renewed for a short time only is nearer to its end than it was, or not told again.
	if (detail.kind === "certificate") return Number(mark) < Number(told);
	return mark !== told;
}

/** Of the days at which a certificate is told of, the one that it is within; undefined: it lasts longer. */
export function levelOf(expiresAt: number, now: number): number | undefined {
	return CERTIFICATE_DAYS.filter((days) => expiresAt - now <= days * DAY_MS).at(-1);
}
