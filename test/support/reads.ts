import { judgeHealth } from "../../src/http/health.ts";
import type { Reads } from "../../src/http/reads.ts";
import type { Slice } from "../../src/store/slice.ts";
import { nothingToSee } from "./looks.ts";

const nothing: Slice<never> = { items: [], size: 0, reached: undefined };

/** What the API reads before anything happened; what matters to a test stands beside it. */
export const nothingToRead: Reads = {
	...nothingToSee,
	version: () => "1.2.3",
	startedAt: () => 1_772_452_000_000,
	health: () =>
		judgeHealth({
			...{
				now: 0,
				startedAt: 0,
				version: "1.2.3",
				phase: "running",
				sources: [],
				targets: [],
				database: undefined,
				engine: undefined,
				beside: [],
			},
		}),
	schedule: () => [],
	accountsNamed: () => [],
	strangers: () => [],
	preview: async ({ run }) => ({
		...{ source: "corp", plan: "", held: [], changes: [], count: 0, revert: { run, leftAlone: [], leftAloneCount: 0 } },
		summary: { create: 0, update: 0, entitlement: 0, disable: 0, enable: 0, delete: 0 },
	}),
	accounts: () => nothing,
	groups: () => nothing,
	groupsByAnchor: () => [],
	members: () => nothing,
	runs: () => nothing,
	runChanges: () => nothing,
	planChanges: () => nothing,
	quarantine: () => nothing,
	pins: () => nothing,
	log: () => nothing,
};
