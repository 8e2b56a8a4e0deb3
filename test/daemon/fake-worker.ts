import { spawnSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Failure } from "../../src/core/errors.ts";
import { unpackConfig } from "../../src/daemon/crossing.ts";
import { serveEngine } from "../../src/daemon/engine-server.ts";
import type { Engine } from "../../src/engine.ts";
import { passwordIn } from "../support/configs.ts";
import { makeReport } from "../support/reports.ts";

// An engine whose sources do what their names say; for engine-client.test.ts.
const config = unpackConfig(workerData);

function open(): Engine {
	if (config.database === "corrupt") throw new Failure("DATABASE_CORRUPT", "the database is damaged", { hint: "Restore the last backup." });
	if (config.database === "dies") process.exit(3);
	if (config.database === "takes forever") for (;;) Math.random();
	return {
		sync: async ({ source, mode, trigger }, on, signal) => {
			on.progress({ source, stage: "reading", done: 10, of: undefined });
			on.ldap(source, "search", 0.5);
			on.certificate(source, 1_800_000_000_000);
			if (source === "secret") return makeReport({ source, warnings: [passwordIn(config) ?? "none"] });
			if (source === "busy") throw new Failure("RUN_ALREADY_ACTIVE", "a run of busy is going on", { hint: "Wait." });
			if (source === "bug") throw new TypeError("x is not a function");
			if (source === "crash") setImmediate(() => Promise.reject(new Error("out of luck")));
			if (source === "slow" || source === "crash") await pause(60_000, undefined, { signal });
			if (source === "deaf") for (;;) Math.random();
			// Nothing but the operating system's answer ends it.
			if (source === "stuck") spawnSync("sleep", ["3"]);
			if (source === "busy for a while") spawnSync("sleep", ["0.3"]);
			return makeReport({ source, trigger, mode: mode === "auto" ? "delta" : mode });
		},
		approve: async (plan, by) => makeReport({ run: 2, warnings: [plan, by] }),
		reject: async () => ({ source: "corp", rejected: 60 }),
		revert: async ({ run }, by) => makeReport({ run: 3, trigger: "revert", warnings: [`${run}`, by] }),
		preview: async () => {
			throw new Failure("NOT_FOUND", "no such run");
		},
		explain: async () => [],
		unpin: async () => ({ accounts: 1, pins: 2 }),
		watch: (_source, woken, signal) => {
			woken();
			return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
		},
		deliver: () => {},
		forget: async () => ({ accounts: 1, groups: 0 }),
		readBack: async (target) => ({ target, same: 1, changed: 0, missing: 0, others: 0, partialBecause: undefined }),
		nextDelivery: () => 42,
		retain: () => ({ runs: 1, changes: 2, entries: 3 }),
		backUp: () => {},
		close: async () => {},
	};
}

if (parentPort !== null) serveEngine(parentPort, open);
