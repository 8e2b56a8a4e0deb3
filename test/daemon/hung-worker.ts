import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { openEngine } from "../../src/app/engine.ts";
import { unpackConfig } from "../../src/daemon/crossing.ts";
import { serveEngine } from "../../src/daemon/engine-server.ts";

// The real engine, in a thread that hangs in its next run once there is a file beside the database that says how; for hung.test.ts.
const config = unpackConfig(workerData);
const file = `${config.database}-hang`;

if (parentPort !== null) {
	serveEngine(parentPort, (beside) => {
		const engine = openEngine(config, { check: "always", clock: Date.now, random: Math.random, beside });
		return {
			...engine,
			sync: (...request) => {
				const how = existsSync(file) ? readFileSync(file, "utf8") : "";
				rmSync(file, { force: true });
				if (how === "loop") for (;;) Math.random();
				if (how === "system") spawnSync("sleep", ["20"]);
				return engine.sync(...request);
			},
		};
	});
}
