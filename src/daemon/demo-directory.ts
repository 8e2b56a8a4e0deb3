import type { DemoConfig } from "../config/config.ts";
import { type Demo, startDemo } from "../demo/demo.ts";
import type { Log } from "../telemetry/log.ts";

/** A company larger than this is made up on demand and does not live: the memory of the daemon is for real work. */
const LARGEST_COMPANY = 20_000;

/** Serves the made-up directory that the configuration asks for, and logs what happens in it. */
export async function startDemoDirectory({ listen, people, seed, paceMs }: DemoConfig, log: Log): Promise<Demo> {
	const tell = (event: string): void => log.info({ event }, "in the demo");
	const demo = await startDemo({
		host: listen.host,
		port: listen.port,
		seed,
		people: { kind: people > LARGEST_COMPANY ? "vast" : "company", count: people },
		...(people <= LARGEST_COMPANY && { life: { paceMs, tell } }),
	});
	log.info({ url: demo.url, people, seed, paceMs }, "demo directory open");
	return demo;
}
