import type { RunReport } from "../../src/sync/report.ts";

/** A run in which nothing happened; what matters to a test stands in `differences`. */
export function makeReport(differences: Partial<RunReport> = {}): RunReport {
	return {
		run: 1,
		source: "corp",
		mode: "delta",
		outcome: "succeeded",
		sealed: false,
		unsealed: [],
		read: 0,
		created: 0,
		updated: 0,
		disabled: 0,
		enabled: 0,
		deleted: 0,
		entitlements: 0,
		unchanged: 0,
		held: 0,
		quarantined: 0,
		delivered: 0,
		pending: 0,
		durationMs: 12,
		groups: undefined,
		trigger: "schedule",
		startedAt: 0,
		server: undefined,
		strategy: undefined,
		fullBecause: undefined,
		warnings: [],
		error: undefined,
		plan: undefined,
		heldKinds: [],
		deliveries: [],
		revert: undefined,
		...differences,
	};
}
