import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Matter, MatterDetail } from "../../src/core/matter.ts";
import { look, type Sighting } from "../../src/core/matters.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 27, 9);

const held = (plan: string): MatterDetail => ({ kind: "held", plan, count: 62, kinds: [], first: [] });
const failed: MatterDetail = { kind: "failed", runs: 1, because: "no answer", hint: undefined, lastSuccessAt: undefined };
const unsealed: MatterDetail = { kind: "unsealed", reasons: ["a referral"] };
const target: MatterDetail = { kind: "target", because: "no answer", hint: undefined, pending: 3, retryAt: 0 };
const aside = (count: number): MatterDetail => ({ kind: "quarantine", count, first: [] });
const certificate = (days: number): MatterDetail => ({ kind: "certificate", expiresAt: START + days * DAY });

/** What is seen at a time after the start, in milliseconds; a number in place of a detail is the time of the run that failed. */
interface Look {
	readonly at: number;
	readonly sees?: MatterDetail | "well";
	readonly run?: number;
	/** What is said: the states of the notices. */
	readonly says: string;
}

function sightingOf(kind: MatterDetail["kind"], { sees, run, at }: Look): readonly Sighting[] {
	if (sees === undefined) return [];
	if (sees === "well") return [{ kind, about: "corp", isThere: false, isFinal: false }];
	return [
		{
			kind,
			about: "corp",
			isThere: true,
			detail: sees,
			since: undefined,
			run: undefined,
			runAt: run === undefined ? undefined : START + at,
		},
	];
}

/** What is said at each look, from what was kept of the one before: as it is kept, in JSON. */
function tell(kind: MatterDetail["kind"], looks: readonly Look[], exists = () => true, settleMs = 0): readonly string[] {
	let matters: readonly Matter[] = [];
	return looks.map((each) => {
		const after = look(matters, sightingOf(kind, each), exists, START + each.at, settleMs);
		matters = JSON.parse(JSON.stringify(after.matters)) as readonly Matter[];
		return after.notices.map(({ state }) => state).join(" ");
	});
}

describe("of what is not as it should be, somebody is told", () => {
	it.each<{ title: string; kind: MatterDetail["kind"]; looks: readonly Look[] }>([
		{
			title: "a held plan: at once, and not again by every run",
			kind: "held",
			looks: [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: 5 * MINUTE, sees: held("a"), says: "" },
				{ at: 10 * MINUTE, sees: held("a"), says: "" },
			],
		},
		{
			title: "a held plan that nobody decides: once a day",
			kind: "held",
			looks: [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: DAY - 1, sees: held("a"), says: "" },
				{ at: DAY, sees: held("a"), says: "reminder" },
				{ at: DAY + HOUR, sees: held("a"), says: "" },
				{ at: 2 * DAY, sees: held("a"), says: "reminder" },
			],
		},
		{
			title: "another held plan: anew, but one that changes with every run only every 15 minutes",
			kind: "held",
			looks: [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: 5 * MINUTE, sees: held("b"), says: "" },
				{ at: 10 * MINUTE, sees: held("c"), says: "" },
				{ at: 15 * MINUTE, sees: held("d"), says: "changed" },
				{ at: 20 * MINUTE, sees: held("d"), says: "" },
			],
		},
		{
			title: "what was held and is decided: once",
			kind: "held",
			looks: [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: MINUTE, sees: "well", says: "recovered" },
				{ at: 2 * MINUTE, sees: "well", says: "" },
				{ at: 3 * MINUTE, sees: held("a"), says: "opened" },
			],
		},
		{
			title: "a source that fails: not by one run",
			kind: "failed",
			looks: [
				{ at: 0, sees: failed, run: 1, says: "" },
				{ at: MINUTE, sees: "well", says: "" },
				{ at: 2 * MINUTE, sees: failed, run: 2, says: "" },
			],
		},
		{
			title: "a source that fails: by two runs in a row",
			kind: "failed",
			looks: [
				{ at: 0, sees: failed, run: 1, says: "" },
				{ at: 5 * MINUTE, sees: failed, run: 2, says: "opened" },
				{ at: 10 * MINUTE, sees: failed, run: 3, says: "" },
				{ at: 2 * DAY, sees: failed, run: 4, says: "" },
				{ at: 2 * DAY + 1, sees: "well", says: "recovered" },
			],
		},
		{
			title: "a target that takes nothing: after 15 minutes, and when it takes something again",
			kind: "target",
			looks: [
				{ at: 0, sees: target, says: "" },
				{ at: 15 * MINUTE - 1, sees: target, says: "" },
				{ at: 15 * MINUTE, sees: target, says: "opened" },
				{ at: 16 * MINUTE, says: "" },
				{ at: 17 * MINUTE, sees: "well", says: "recovered" },
			],
		},
		{
			title: "a target that was out for a moment: nobody",
			kind: "target",
			looks: [
				{ at: 0, sees: target, says: "" },
				{ at: 14 * MINUTE, sees: "well", says: "" },
				{ at: 16 * MINUTE, sees: target, says: "" },
			],
		},
		{
			title: "a full reading that is not sealed: once, until one is",
			kind: "unsealed",
			looks: [
				{ at: 0, sees: unsealed, says: "opened" },
				{ at: DAY, sees: unsealed, says: "" },
				{ at: 2 * DAY, sees: "well", says: "recovered" },
			],
		},
		{
			title: "a quarantine that stays, and again when it has grown much, once a day at most",
			kind: "quarantine",
			looks: [
				{ at: 0, sees: aside(2), says: "" },
				{ at: 15 * MINUTE, sees: aside(2), says: "opened" },
				{ at: HOUR, sees: aside(40), says: "" },
				{ at: 15 * MINUTE + DAY, sees: aside(6), says: "" },
				{ at: HOUR + DAY, sees: aside(7), says: "changed" },
				{ at: 2 * DAY, sees: "well", says: "recovered" },
			],
		},
		{
			title: "a certificate: 30, 7 and 1 days before its end, and at its end",
			kind: "certificate",
			looks: [
				{ at: 0, sees: certificate(20), says: "opened" },
				{ at: 12 * DAY, sees: certificate(20), says: "" },
				{ at: 13 * DAY, sees: certificate(20), says: "changed" },
				{ at: 18 * DAY, sees: certificate(20), says: "" },
				{ at: 19 * DAY, sees: certificate(20), says: "changed" },
				{ at: 20 * DAY, sees: certificate(20), says: "changed" },
				{ at: 21 * DAY, sees: "well", says: "recovered" },
			],
		},
		{
			title: "a held plan after the clock was set back: a day after it was, and that it is over at once",
			kind: "held",
			looks: [
				{ at: 300 * DAY, sees: held("a"), says: "opened" },
				{ at: HOUR, sees: held("a"), says: "" },
				{ at: HOUR + DAY, sees: held("a"), says: "reminder" },
				{ at: 2 * DAY, sees: "well", says: "recovered" },
			],
		},
		{
			title: "a target that takes nothing, seen before the clock was set back: 15 minutes after it was",
			kind: "target",
			looks: [
				{ at: 300 * DAY, sees: target, says: "" },
				{ at: HOUR, sees: target, says: "" },
				{ at: HOUR + 15 * MINUTE, sees: target, says: "opened" },
			],
		},
		{
			title: "what nobody knows any more: nothing, and it is not over",
			kind: "held",
			looks: [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: MINUTE, says: "" },
				{ at: 2 * MINUTE, sees: held("a"), says: "" },
			],
		},
	])("$title", ({ kind, looks }) => {
		expect(tell(kind, looks)).toEqual(looks.map(({ says }) => says));
	});

	it("a source that failed and is read only once a day: after 15 minutes", () => {
		const run = { kind: "failed", about: "corp", isThere: true, detail: failed, since: START, run: undefined, runAt: START } as const;
		const first = look([], [run], () => true, START + MINUTE, 0);
		expect(first.notices).toEqual([]);
		const second = look(first.matters, [run], () => true, START + 15 * MINUTE, 0);
		expect(second.notices).toMatchObject([{ state: "opened", matter: { since: START, detail: { runs: 1 } } }]);
	});

	describe("that it is over", () => {
		const settle = 15 * MINUTE;
		const says = (looks: readonly Look[]) => tell("held", looks, () => true, settle);

		it("only when it stayed well, and since when", () => {
			const looks: readonly Look[] = [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: HOUR, sees: "well", says: "" },
				{ at: HOUR + settle - 1, sees: "well", says: "" },
				{ at: HOUR + settle, sees: "well", says: "recovered" },
				{ at: 2 * HOUR, sees: "well", says: "" },
			];
			expect(says(looks)).toEqual(looks.map((each) => each.says));
			const opened = look([], sightingOf("held", looks[0] as Look), () => true, START, settle);
			const well = look(opened.matters, sightingOf("held", looks[1] as Look), () => true, START + HOUR, settle);
			const over = look(well.matters, sightingOf("held", looks[3] as Look), () => true, START + HOUR + settle, settle);
			expect(over.notices).toMatchObject([{ state: "recovered", at: START + HOUR, matter: { since: START } }]);
		});

		it("also when the clock was set back meanwhile", () => {
			const looks: readonly Look[] = [
				{ at: 300 * DAY, sees: held("a"), says: "opened" },
				{ at: 300 * DAY + 1, sees: "well", says: "" },
				{ at: HOUR, sees: "well", says: "" },
				{ at: HOUR + settle, sees: "well", says: "recovered" },
			];
			expect(says(looks)).toEqual(looks.map((each) => each.says));
		});

		it("not, nor that it begins, when it swings", () => {
			const swings = Array.from({ length: 40 }, (_, index): Look => {
				const at = index * 5 * MINUTE;
				return { at, sees: index % 2 === 0 ? held("a") : "well", says: index === 0 ? "opened" : "" };
			});
			expect(says(swings)).toEqual(swings.map((each) => each.says));
		});

		it("that another plan is held when it is back, though", () => {
			const looks: readonly Look[] = [
				{ at: 0, sees: held("a"), says: "opened" },
				{ at: 20 * MINUTE, sees: "well", says: "" },
				{ at: 25 * MINUTE, sees: held("b"), says: "changed" },
			];
			expect(says(looks)).toEqual(looks.map((each) => each.says));
		});

		it("at once where a person ended it", () => {
			const opened = look([], sightingOf("held", { at: 0, sees: held("a"), says: "" }), () => true, START, settle);
			const decided = look(opened.matters, [{ kind: "held", about: "corp", isThere: false, isFinal: true }], () => true, START + 1, settle);
			expect(decided).toMatchObject({ matters: [], notices: [{ state: "recovered" }] });
		});

		it("whatever happens when: no two beginnings within the time it has to stay well, and what was told last is true in the end", () => {
			const step = fc.record({ afterMs: fc.integer({ min: 1, max: 40 * MINUTE }), isThere: fc.boolean() });
			fc.assert(
				fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.constantFrom("held", "unsealed", "target"), (steps, kind) => {
					const detail = { held: held("a"), unsealed, target }[kind as "held"];
					let at = 0;
					const looks = steps.map(({ afterMs, isThere }): Look => {
						at += afterMs;
						return { at, sees: isThere ? detail : "well", says: "" };
					});
					const end = looks.at(-1) as Look;
					// It stays as it was at last, and is looked at now and then.
					for (let minutes = 1; minutes <= 40; minutes++) looks.push({ ...end, at: end.at + minutes * MINUTE });
					const told = tell(kind, looks, () => true, settle).flatMap((state, index) =>
						state === "" || state === "reminder" ? [] : [{ state, at: looks[index]?.at as number }],
					);
					expect(told.every(({ state }, index) => state === (index % 2 === 0 ? "opened" : "recovered"))).toBe(true);
					const beginnings = told.filter(({ state }) => state === "opened");
					for (const [index, { at }] of beginnings.slice(1).entries()) {
						expect(at - (beginnings[index]?.at as number)).toBeGreaterThanOrEqual(settle);
					}
					expect((told.at(-1)?.state ?? "recovered") === "opened").toBe(end.sees !== "well");
				}),
				{ numRuns: 300 },
			);
		});
	});

	it("nothing of a source or target that is not configured any more", () => {
		const opened = look(
			[],
			[{ kind: "held", about: "corp", isThere: true, detail: held("a"), since: START, run: undefined, runAt: undefined }],
			() => true,
			START,
			0,
		);
		expect(look(opened.matters, [], () => false, START + 2 * DAY, 0)).toEqual({ matters: [], notices: [] });
	});
});
