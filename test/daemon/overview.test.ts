import { describe, expect, it } from "vitest";
import { gatherParts, lastRunOf, makeOverview } from "../../src/daemon/overview.ts";
import type { RunView, SourceView } from "../../src/store/views.ts";
import { makeReport } from "../support/reports.ts";

const run: RunView = {
	run: 4,
	source: "corp",
	mode: "full",
	trigger: "schedule",
	startedAt: 1000,
	endedAt: 2000,
	outcome: "failed",
	sealed: false,
	unsealed: [],
	fullBecause: undefined,
	server: undefined,
	error: "no answer",
	read: 0,
	created: 0,
	updated: 0,
	disabled: 0,
	enabled: 0,
	deleted: 0,
	entitlements: 0,
	held: 0,
	quarantined: 0,
	reverts: undefined,
};
const corp: SourceView = {
	source: "corp",
	lastRun: run,
	lastSuccess: { full: 500, delta: 900 },
	sealed: true,
	entries: 10,
	held: { disable: 2 },
	quarantined: 1,
	strategy: "uSNChanged",
	groups: 4,
	memberships: 40,
};
const times = {
	source: "corp",
	running: undefined,
	next: { full: 1, delta: 2 },
	dueSinceSuccess: 1,
	fullDueSinceSuccess: 0,
	intervalMs: 300_000,
};

function open(sources: () => readonly SourceView[], names = ["corp"]) {
	const clock = { now: 10_000 };
	const views = { sources, targets: () => [], accountCounts: () => [], featureCounts: () => [], size: () => 4096 };
	const overview = makeOverview({
		views,
		configured: () => ({ sources: names, targets: ["accounts"], features: [] }),
		clock: () => clock.now,
	});
	return { clock, overview };
}

describe("the overview", () => {
	it("knows from the database how the last run before the start ended", () => {
		const { overview } = open(() => [corp]);
		expect(gatherParts(overview, [times], () => undefined).sources[0]).toMatchObject({
			lastSuccessAt: 900,
			lastRun: { run: 4, outcome: "failed", endedAt: 2000, error: "no answer" },
			held: { disable: 2 },
			quarantined: 1,
		});
	});

	it("does not take a run that is going on for the last one that ended", () => {
		const { overview } = open(() => [{ ...corp, lastRun: { ...run, outcome: "running", endedAt: undefined } }]);
		expect(gatherParts(overview, [times], () => undefined).sources[0]?.lastRun).toBeUndefined();
	});

	it("shows a run as soon as it has ended, with its remedy", () => {
		let view = corp;
		const { overview } = open(() => [view]);
		overview.state();
		view = { ...corp, held: {} };
		const error = { code: "SOURCE_REFUSED", message: "wrong password", hint: "Check it." } as const;
		overview.ended("corp", lastRunOf(makeReport({ run: 5, outcome: "failed", error, startedAt: 100, durationMs: 50.4 })));
		expect(gatherParts(overview, [times], () => undefined).sources[0]).toMatchObject({
			lastRun: { run: 5, endedAt: 150, hint: "Check it." },
			held: {},
		});
	});

	it("shows what is configured and nothing else", () => {
		const { overview } = open(() => [corp], ["new"]);
		const { sources, targets, databaseBytes } = overview.state();
		expect(databaseBytes).toBe(4096);
		expect(sources).toMatchObject([{ source: "new", entries: 0 }]);
		expect(targets).toMatchObject([{ target: "accounts", accounts: 0 }]);
	});

	it("asks the database once a second at the most", () => {
		let reads = 0;
		const { overview, clock } = open(() => {
			reads += 1;
			return [corp];
		});
		for (let scrape = 0; scrape < 50; scrape++) overview.state();
		expect(reads).toBe(1);
		clock.now += 1000;
		overview.state();
		expect(reads).toBe(2);
	});

	it("says since when the database cannot be read, and keeps what it knew", () => {
		let isBroken = false;
		const { overview, clock } = open(() => {
			if (isBroken) throw new Error("disk I/O error");
			return [corp];
		});
		expect(overview.trouble()).toBeUndefined();
		isBroken = true;
		clock.now = 20_000;
		expect(overview.trouble()).toMatchObject({ since: 20_000, because: expect.stringContaining("disk I/O error") });
		clock.now = 30_000;
		expect(overview.trouble()).toMatchObject({ since: 20_000 });
		expect(overview.state().sources).toHaveLength(1);
		isBroken = false;
		clock.now = 40_000;
		expect(overview.trouble()).toBeUndefined();
	});
});
