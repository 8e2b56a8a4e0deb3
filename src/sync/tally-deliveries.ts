import type { DeliveryKind } from "../core/change.ts";
import type { DeliveryCount } from "./report.ts";

interface WantedBy {
	readonly run_id: number;
}

/** What was delivered to one target, counted as it happens. */
export interface Tally {
	add(row: WantedBy & { readonly kind: DeliveryKind }, result: DeliveryCount["result"], seconds: number): void;
	/** A group was brought to what is wanted, or refused. */
	addGroup(row: WantedBy, result: "applied" | "refused"): void;
	/** The newest run that wanted any of what was added since the last call; 0: none did. */
	newestRun(): number;
	/** Everything that was added so far. */
	readonly total: number;
	/** What the target took so far. */
	readonly applied: number;
	/** Groups refused since the last call. */
	takeGroupsRefused(): number;
	/** What came since the last call. */
	take(): readonly DeliveryCount[];
}

export function makeTally(target: string): Tally {
	let counts = new Map<string, { -readonly [K in keyof DeliveryCount]: DeliveryCount[K] }>();
	let groupsRefused = 0;
	let total = 0;
	let applied = 0;
	let newest = 0;
	return {
		newestRun: () => {
			const run = newest;
			newest = 0;
			return run;
		},
		add: ({ kind, run_id }, result, seconds) => {
			total++;
			newest = Math.max(newest, run_id);
			if (result === "applied") applied++;
			const key = `${kind} ${result}`;
			const count = counts.get(key) ?? { target, kind, result, count: 0, seconds: 0 };
			count.count++;
			count.seconds += seconds;
			counts.set(key, count);
		},
		get applied() {
			return applied;
		},
		get total() {
			return total;
		},
		addGroup: ({ run_id }, result) => {
			total++;
			newest = Math.max(newest, run_id);
			if (result === "applied") applied++;
			if (result === "refused") groupsRefused++;
		},
		takeGroupsRefused: () => {
			const refused = groupsRefused;
			groupsRefused = 0;
			return refused;
		},
		take: () => {
			const taken = [...counts.values()];
			counts = new Map();
			return taken;
		},
	};
}
