import type { ScimOptions } from "../../src/target/scim/options.ts";
import type { ScimSurroundings } from "../../src/target/scim/scim.ts";

/** A target's options with nothing special; a test says what it is about. */
export function scimOptions(url: string, more: Partial<ScimOptions> = {}): ScimOptions {
	return {
		name: "scim",
		url,
		auth: { kind: "bearer", token: () => "scim-token" },
		tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined },
		proxy: undefined,
		match: "userName",
		dialect: "path",
		concurrency: 4,
		ratePerSecond: undefined,
		timeoutMs: 10_000,
		memberBatch: 100,
		features: "entitlements",
		policies: "roles",
		groups: true,
		...more,
	};
}

/** A clock that moves only when somebody waits, and who waited how long. */
export function makeTime(startMs = Date.UTC(2026, 0, 1)) {
	let now = startMs;
	const waits: number[] = [];
	const surroundings: Required<ScimSurroundings> = {
		clock: () => now,
		random: () => 0,
		wait: async (ms, signal) => {
			signal.throwIfAborted();
			waits.push(ms);
			now += ms;
		},
	};
	return {
		...surroundings,
		waits,
		pass: (ms: number): void => {
			now += ms;
		},
	};
}
