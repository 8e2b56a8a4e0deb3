import type { DeliveryKind } from "../core/change.ts";
import type { DeliveryCount } from "./report.ts";

/** What was delivered to one target, counted as it happens. */
export interface Tally {
	add(kind: DeliveryKind, result: DeliveryCount["result"], seconds: number): void;
	/** A group was brought to what is wanted, or refused. */
	addGroup(result: "applied" | "refused"): void;
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
	return {
		add: (kind, result, seconds) => {
			total++;
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
		addGroup: (result) => {
			total++;
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
