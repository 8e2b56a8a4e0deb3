import { type ChangeKind, type Counts, changeKinds } from "./change.ts";

/** Limits for one kind of change, per run and source. */
export interface Limit {
	/** More than so many are held. */
	readonly count?: number;
	/** More than this share, in percent, of the accounts in the state that the change ends is held, once past `floor`. */
	readonly percent?: number;
	/** So many are never held for their share: 2 of 10 leaving is no disaster. */
	readonly floor: number;
}

/** Limits for groups, per run and source: groups deleted, and memberships that end. */
export interface GroupLimits {
	readonly deleted: Limit | undefined;
	readonly removed: Limit | undefined;
}

export type Limits = Readonly<Partial<Record<ChangeKind, Limit>>>;

/** The source's accounts before the run, in the state that each kind of change ends. */
export type Population = Readonly<Record<ChangeKind, number>>;

export type Verdict = { readonly kind: "pass" } | { readonly kind: "hold"; readonly because: string };

/** Judges a plan by its numbers, kind by kind: a kind past its limit is held whole, the others go on. */
export function judge(counts: Counts, population: Population, limits: Limits): Readonly<Record<ChangeKind, Verdict>> {
	const verdicts = {} as Record<ChangeKind, Verdict>;
	for (const kind of changeKinds) verdicts[kind] = judgeNumber(counts[kind], population[kind], limits[kind]);
	return verdicts;
}

/** Judges one number against how many there are. */
export function judgeNumber(count: number, of: number, limit: Limit | undefined): Verdict {
	if (limit === undefined || count === 0) return { kind: "pass" };
	if (limit.count !== undefined && count > limit.count) {
		return { kind: "hold", because: `limit ${number(limit.count)}` };
	}
	if (limit.percent !== undefined && count > limit.floor && count * 100 > limit.percent * of) {
		return { kind: "hold", because: `limit ${limit.percent} % of ${number(of)}` };
	}
	return { kind: "pass" };
}

function number(value: number): string {
	return value.toLocaleString("en-US");
}
