import { describe, expect, it } from "vitest";
import { type HealthFacts, judgeHealth, type LastRun, type SourceFacts } from "../../src/http/health.ts";
import { openPage } from "../../src/http/page/open.ts";
import { html, markupOf } from "../../src/lib/html.ts";

const now = Date.parse("2026-03-02T12:00:00Z");
const minute = 60_000;

const good: LastRun = {
	run: 7,
	mode: "delta",
	outcome: "succeeded",
	endedAt: now - minute,
	unsealed: [],
	error: undefined,
	hint: undefined,
};
const failed: LastRun = { ...good, outcome: "failed", error: "no answer from ldaps://dc1 within 10 s", hint: "Check the firewall." };

const corp: SourceFacts = {
	source: "corp",
	running: undefined,
	next: { delta: now + 4 * minute, full: now + 840 * minute },
	intervalMs: 5 * minute,
	dueSinceSuccess: 0,
	lastSuccessAt: now - minute,
	lastRun: good,
	held: {},
	quarantined: 0,
	watching: undefined,
};

const well: HealthFacts = {
	now,
	startedAt: now - 600 * minute,
	version: "1.2.3",
	phase: "running",
	sources: [corp],
	targets: [{ target: "accounts", pending: 0, failed: 0, trouble: undefined }],
	database: undefined,
	engine: undefined,
	beside: [],
};

const out: SourceFacts = { ...corp, dueSinceSuccess: 3, lastSuccessAt: now - 16 * minute, lastRun: failed };
const trouble = { since: now - minute, because: "the database /var/x.db cannot be written: disk full", hint: "Free some space." };

const shown = (facts: HealthFacts) => {
	const health = judgeHealth(facts);
	return { health, page: openPage(health, html``).map(markupOf).join("\n") };
};

const withSource = (differences: Partial<SourceFacts>): HealthFacts => ({ ...well, sources: [{ ...corp, ...differences }] });

describe("health", () => {
	it.each<{ why: string; facts: HealthFacts; status: string }>([
		{ why: "everything is well", facts: well, status: "pass" },
		{ why: "a run is going on", facts: withSource({ running: { mode: "full", since: now - minute }, dueSinceSuccess: 1 }), status: "pass" },
		{ why: "changes are held", facts: withSource({ held: { disable: 60 } }), status: "warn" },
		{ why: "a hold has dissolved", facts: withSource({ held: { disable: 0 } }), status: "pass" },
		{ why: "somebody is in quarantine", facts: withSource({ quarantined: 1 }), status: "warn" },
		{ why: "the last run failed", facts: withSource({ lastRun: failed, dueSinceSuccess: 1 }), status: "warn" },
		{ why: "the last run was partial", facts: withSource({ lastRun: { ...good, outcome: "partial" } }), status: "warn" },
		{ why: "the last reading had no seal", facts: withSource({ lastRun: { ...good, unsealed: ["a size limit"] } }), status: "warn" },
		{ why: "a run is overdue", facts: withSource({ dueSinceSuccess: 2 }), status: "warn" },
		{ why: "the only source has come due three times without success", facts: { ...well, sources: [out] }, status: "fail" },
		{ why: "one of two sources is out", facts: { ...well, sources: [corp, { ...out, source: "lab" }] }, status: "warn" },
		{ why: "both of two sources are out", facts: { ...well, sources: [out, { ...out, source: "lab" }] }, status: "fail" },
		{ why: "nothing has been read yet", facts: withSource({ lastRun: undefined, lastSuccessAt: undefined }), status: "warn" },
		{
			why: "the first three runs ever failed",
			facts: withSource({ lastRun: failed, lastSuccessAt: undefined, dueSinceSuccess: 3 }),
			status: "fail",
		},
		{
			why: "it has just started and the last success is from yesterday",
			facts: { ...withSource({ lastSuccessAt: now - 1440 * minute, dueSinceSuccess: 1 }), startedAt: now - 1000 },
			status: "pass",
		},
		{
			why: "it has just started, the last success is from yesterday, and the first run failed",
			facts: { ...withSource({ lastSuccessAt: now - 1440 * minute, dueSinceSuccess: 1, lastRun: failed }), startedAt: now - 2 * minute },
			status: "fail",
		},
		{
			why: "a watch is down: the schedule goes on",
			facts: withSource({ watching: { kind: "down", since: now, because: "…" } }),
			status: "pass",
		},
		{ why: "the database cannot be written", facts: { ...well, database: trouble }, status: "fail" },
		{ why: "the engine is down", facts: { ...well, engine: { ...trouble, because: "the engine is down: out of memory" } }, status: "fail" },
		{
			why: "a target refuses some accounts",
			facts: { ...well, targets: [{ target: "accounts", pending: 3, failed: 2, trouble: undefined }] },
			status: "warn",
		},
		{
			why: "deliveries are on their way",
			facts: { ...well, targets: [{ target: "accounts", pending: 3, failed: 0, trouble: undefined }] },
			status: "pass",
		},
		{ why: "it is starting", facts: { ...well, phase: "starting" }, status: "fail" },
		{ why: "it is stopping", facts: { ...well, phase: "stopping" }, status: "fail" },
	])("is $status when $why", ({ facts, status }) => {
		const health = judgeHealth(facts);
		expect(health.status).toBe(status);
		expect(health.notes.length > 0).toBe(
			Object.values(health.checks)
				.flat()
				.some((check) => check.status !== "pass"),
		);
	});

	it("says of a source what broke, since when, and what helps", () => {
		const check = judgeHealth({ ...well, sources: [out] }).checks["source:corp"]?.[0];
		expect(check).toMatchObject({
			status: "fail",
			lastRun: { run: 7, mode: "delta", outcome: "failed", time: "2026-03-02T11:59:00.000Z" },
		});
		expect(check?.output).toContain("no answer from ldaps://dc1 within 10 s");
		expect(check?.output).toContain("Check the firewall.");
		expect(check?.output).toContain("the last success was at 2026-03-02T11:44:00.000Z");
		expect(check?.output).toContain("no run has succeeded for 16 min");
	});

	it.each([
		{ watching: undefined, says: undefined },
		{ watching: { kind: "opening" }, says: "opening" },
		{ watching: { kind: "up", since: now }, says: "up" },
		{
			watching: { kind: "down", since: now - minute, because: "port 636 refuses" },
			says: "down since 2026-03-02T11:59:00.000Z: port 636 refuses",
		},
	] as const)("says of a source whether it is watching: $says", ({ watching, says }) => {
		const { health, page } = shown(withSource({ watching }));
		expect(health.checks["source:corp"]?.[0]?.watching).toBe(says);
		if (says === undefined) expect(page).not.toContain("watching");
		else expect(page).toContain(`watching: ${says}`);
	});

	it("says what is held and how to decide", () => {
		expect(judgeHealth(withSource({ held: { disable: 60, delete: 2 } })).checks["source:corp"]?.[0]?.output).toContain(
			"60 disable, 2 delete",
		);
	});

	it("has a check per source and target, for the database, the engine and the schedule", () => {
		expect(Object.keys(judgeHealth(well).checks).sort()).toEqual(["database", "engine", "schedule", "source:corp", "target:accounts"]);
	});

	it("says when the next run is due, and that a run is overdue", () => {
		expect(judgeHealth(well).checks["schedule"]?.[0]).toMatchObject({ status: "pass", nextRun: "2026-03-02T12:04:00.000Z" });
		expect(judgeHealth(withSource({ dueSinceSuccess: 2 })).checks["schedule"]?.[0]).toMatchObject({
			status: "warn",
			output: "overdue: came due 2 times without success (due every 5 min)",
		});
	});

	it("says since when the database cannot be written, and what helps", () => {
		expect(judgeHealth({ ...well, database: trouble }).checks["database"]?.[0]).toMatchObject({
			status: "fail",
			output: "the database /var/x.db cannot be written: disk full, since 2026-03-02T11:59:00.000Z. Free some space.",
		});
	});
});
