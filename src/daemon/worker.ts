import { parentPort, workerData } from "node:worker_threads";
import { openEngine } from "../app/engine.ts";
import { unpackConfig } from "./crossing.ts";
import { serveEngine } from "./engine-server.ts";

// The engine's thread. Started by engine-client.ts and by nothing else.
if (parentPort !== null) {
	const config = unpackConfig(workerData);
	serveEngine(parentPort, (beside) => openEngine(config, { check: "always", clock: Date.now, random: Math.random, beside }));
}
