import { expect, it } from "vitest";
import { makeOverview } from "../../src/daemon/overview.ts";
import { makeRuns } from "../../src/daemon/runs.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { makeLog } from "../../src/telemetry/log.ts";
import { makeMetrics } from "../../src/telemetry/metrics.ts";
import { makeReport } from "../support/reports.ts";

function open(answers: RunReport[]) {
	const views = {
		sources: () => [],
		targets: () => [],
		accountCounts: () => [],
		featureCounts: () => [],
		size: () => 0,
		changes: () => [].values(),
	};
	const overview = makeOverview({ views, configured: () => ({ sources: ["corp"], targets: [], features: [] }), clock: () => 0 });
	const runs = makeRuns({
		engine: { call: async () => answers.shift() as never },
		overview,
		views,
		metrics: makeMetrics("1.0.0", () => {
			throw new Error("nobody scrapes");
		}),
		log: makeLog("silent", { write: () => {} }),
		clock: () => 0,
		ending: new AbortController().signal,
	});
	return { runs, overview };
}

it("an approval reads nothing, and says nothing about whether the source can be read", async () => {
	const error = { code: "PLAN_CHANGED", message: "something else would be done by now", hint: undefined } as const;
	const { runs, overview } = open([
		makeReport({ run: 3, outcome: "held" }),
		makeReport({ run: 4, trigger: "approve", outcome: "failed", error }),
		makeReport({ run: 5, trigger: "approve" }),
		makeReport({ run: 6, outcome: "failed", error: { code: "SOURCE_UNREACHABLE", message: "no answer", hint: undefined } }),
		makeReport({ run: 7, trigger: "approve" }),
	]);
	await runs.sync("corp", "delta", "schedule");
	await runs.approve("sha256:a", "ada");
	expect(overview.lastRun("corp")).toMatchObject({ run: 3, outcome: "held" });
	await runs.approve("sha256:b", "ada");
	expect(overview.lastRun("corp")).toMatchObject({ run: 5, outcome: "succeeded" });
	await runs.sync("corp", "delta", "schedule");
	await runs.approve("sha256:c", "ada");
	expect(overview.lastRun("corp")).toMatchObject({ run: 6, outcome: "failed" });
});
