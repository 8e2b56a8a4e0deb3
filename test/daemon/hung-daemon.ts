import path from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import { runDaemon } from "../../src/daemon/daemon.ts";

// A daemon whose engine can be made to hang, and that gives it up within seconds; for hung.test.ts.
const load = () => loadConfig(process.argv[2] as string, process.env);
const ending = new AbortController();
process.on("SIGTERM", () => ending.abort());
await runDaemon({
	...{ loaded: load(), isDemo: false, reload: load, version: "0.0.0", isJson: false, signal: ending.signal },
	engine: { file: path.join(import.meta.dirname, "hung-worker.ts"), pulse: { everyMs: 200, limitMs: 3000, cutMs: 1000 } },
});
