import { fork } from "node:child_process";
import { once } from "node:events";
import { openEngine } from "../../src/app/engine.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Mode, RunReport } from "../../src/sync/report.ts";
import { type Cost, peakMemoryMb } from "./measure.ts";

/** One run, and what it cost the process it ran in. */
export interface Measured extends Cost {
	/** The most memory the process ever held so far. */
	readonly peakMb: number;
	readonly report: RunReport;
}

export interface Host {
	run(mode: Mode): Promise<Measured>;
	close(): Promise<void>;
}

/** As src/launch.cjs starts the daemon. */
const SMALL_HEAP = ["--max-semi-space-size=8", "--heap-growing-percent=20"];

/**
 * An engine in a process of its own, so that its memory and processor time are nobody else's. What Node takes to start and to load
 * our code is not counted: the daemon does that once. Opening the database is counted with the first run.
 */
export function openHost(configFile: string): Host {
	const execArgv = [...process.execArgv, ...SMALL_HEAP];
	const child = fork(import.meta.filename, [configFile], { execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] });
	const ended = once(child, "exit").then(([code]) => {
		throw new Error(`the bench's engine ended with ${code}`);
	});
	ended.catch(() => {}); // Looked at where an answer is waited for.
	return {
		run: async (mode) => {
			child.send(mode);
			const [measured] = (await Promise.race([once(child, "message"), ended])) as [Measured | { readonly failure: string }];
			if ("failure" in measured) throw new Error(measured.failure);
			return measured;
		},
		close: async () => {
			child.disconnect();
			await ended.catch(() => {});
		},
	};
}

function serve(configFile: string): void {
	const { config } = loadConfig(configFile, process.env);
	let engine: ReturnType<typeof openEngine> | undefined;
	const silent = { progress: () => {}, ldap: () => {}, certificate: () => {} };

	async function measure(mode: Mode): Promise<Measured> {
		const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
		engine ??= openEngine(config, { check: "always", clock: Date.now, random: Math.random });
		const report = await engine.sync({ source: "corp", mode, trigger: "command" }, silent, new AbortController().signal);
		const wallMs = performance.now() - startedAt;
		const { user, system } = process.cpuUsage(cpu);
		return { wallMs, cpuMs: (user + system) / 1000, peakMb: peakMemoryMb(), report };
	}

	process.on("message", (mode: Mode) => {
		measure(mode).then(
			(measured) => process.send?.(measured),
			(error: unknown) => process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
		);
	});
	process.on("disconnect", () => engine?.close());
}

if (process.argv[1] === import.meta.filename) serve(process.argv[2] as string);
