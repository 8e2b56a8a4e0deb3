import { expect, it } from "vitest";
import { noCounts } from "../../src/core/change.ts";
import { judge } from "../../src/core/gate.ts";
import { collapsed, doubtOfEmptiness, unreadableStanding } from "../../src/core/seal.ts";

it.each([
	{ active: 10, disables: 3, verdict: "pass", why: "the floor lets a small company lose people" },
	{ active: 10, disables: 4, verdict: "hold", why: "past the floor and past the share" },
	{ active: 1000, disables: 50, verdict: "pass", why: "just the share, and just the count" },
	{ active: 1000, disables: 51, verdict: "hold", why: "one past both" },
	{ active: 100_000, disables: 51, verdict: "hold", why: "the count holds where the share would not" },
	{ active: 600, disables: 31, verdict: "hold", why: "the share holds where the count would not" },
	{ active: 0, disables: 0, verdict: "pass", why: "there is nothing to hold" },
] as const)("the gate says $verdict to $disables of $active disabled: $why", ({ active, disables, verdict }) => {
	const population = { ...noCounts, disable: active };
	expect(judge({ ...noCounts, disable: disables }, population, { disable: { count: 50, percent: 5, floor: 3 } }).disable.kind).toBe(
		verdict,
	);
});

it("holds each kind by its own limit, and what has no limit not at all", () => {
	const counts = { create: 9999, update: 60, entitlement: 0, disable: 1, enable: 0, delete: 11 };
	const population = { create: 100, update: 100, entitlement: 100, disable: 100, enable: 0, delete: 100 };
	const verdicts = judge(counts, population, { update: { percent: 50, floor: 10 }, delete: { count: 10, floor: 3 } });
	expect(
		Object.entries(verdicts)
			.filter(([, { kind }]) => kind === "hold")
			.map(([kind]) => kind),
	).toEqual(["update", "delete"]);
});

it.each([
	{ had: 1000, lost: 10, suspicious: false, why: "ten people may change" },
	{ had: 1000, lost: 200, suspicious: false, why: "a fifth is still believed" },
	{ had: 1000, lost: 201, suspicious: true, why: "more than a fifth is not" },
	{ had: 20, lost: 8, suspicious: false, why: "a few of a small company" },
	{ had: 3, lost: 3, suspicious: true, why: "all who had it" },
	{ had: 2, lost: 2, suspicious: false, why: "the last two may both have changed" },
])("an attribute that $lost of $had lost is suspicious: $suspicious ($why)", ({ had, lost, suspicious }) => {
	expect(collapsed([{ attribute: "mail", had, lost }])).toHaveLength(suspicious ? 1 : 0);
});

it.each([
	{ known: 0, seen: 0, doubted: false },
	{ known: 1, seen: 0, doubted: true },
	{ known: 1000, seen: 1, doubted: false },
])("$seen entries where $known were known are doubted as a whole: $doubted", ({ known, seen, doubted }) => {
	expect(doubtOfEmptiness(known, seen) !== undefined).toBe(doubted);
});

it("says of how many the state cannot be read, once it is more than a fifth", () => {
	expect(unreadableStanding(80, 100)).toEqual([]);
	expect(unreadableStanding(79, 100)).toEqual(["userAccountControl cannot be read on 21 of 100 entries: who is disabled is not known"]);
});
