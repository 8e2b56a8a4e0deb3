import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "./loopback.ts";

/** One series of an answer, and its value now. */
export interface Sample {
	readonly metric: Readonly<Record<string, string>>;
	readonly value: number;
}

export interface FiringAlert {
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly state: "pending" | "firing";
}

/**
 * A real Prometheus that scrapes `target` (host:port) every second as our job, by our rules, which fire without waiting: days and
 * weeks before are a second before. `ca`: the PEM file with the authority of a target that speaks TLS.
 */
export interface Prometheus {
	/** What an instant query answers; throws what Prometheus says against it. */
	query(expression: string): Promise<readonly Sample[]>;
	alerts(): Promise<readonly FiringAlert[]>;
	/** "up", "down" or "unknown" of each target. */
	targets(): Promise<readonly string[]>;
	stop(): Promise<void>;
}

/** A scrape takes a second, a run of the schedule another; the rest is for a machine that does other things, too. */
const WAIT_MS = 60_000;

const rules = path.join(import.meta.dirname, "../../deploy/prometheus");

export async function startPrometheus(folder: string, target: string, ca?: string): Promise<Prometheus> {
	mkdirSync(folder, { recursive: true });
	writeFileSync(
		path.join(folder, "recording.yml"),
		readFileSync(path.join(rules, "recording.yml"), "utf8").replace(/\boffset \d+d\b/g, "offset 1s"),
	);
	writeFileSync(
		path.join(folder, "alerts.yml"),
		readFileSync(path.join(rules, "alerts.yml"), "utf8").replace(/\bfor: \d+[mh]$/gm, "for: 0s"),
	);
	const configured = readFileSync(path.join(rules, "prometheus.yml"), "utf8")
		.replace(/(scrape_interval|scrape_timeout|evaluation_interval): \d+s/g, "$1: 1s")
		.replace(/^( +- targets: ).*$/m, `$1["${target}"]`)
		.replace(/^( +)metrics_path: .*$/m, (line, indent) =>
			ca === undefined ? line : `${line}\n${indent}scheme: https\n${indent}tls_config: { ca_file: ${ca} }`,
		);
	writeFileSync(path.join(folder, "prometheus.yml"), configured);
	const port = await freePort();
	const child = spawn(
		"prometheus",
		[
			`--config.file=${path.join(folder, "prometheus.yml")}`,
			`--storage.tsdb.path=${path.join(folder, "data")}`,
			`--web.listen-address=127.0.0.1:${port}`,
			"--log.level=warn",
		],
		{ stdio: ["ignore", "ignore", "pipe"] },
	);
	let said = "";
	child.stderr.on("data", (chunk: Buffer) => {
		said += chunk;
	});
	const closed = once(child, "close");
	const ask = async (question: string): Promise<unknown> => {
		const response = await fetch(`http://127.0.0.1:${port}/api/v1/${question}`);
		const answer = (await response.json()) as { readonly status: string; readonly error?: string; readonly data: unknown };
		if (answer.status !== "success") throw new Error(`Prometheus says to ${question}: ${answer.error}`);
		return answer.data;
	};
	await until(
		async () => {
			if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}:\n${said}`);
			return (await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.ok;
		},
		(isReady) => isReady === true,
	);
	return {
		query: async (expression) => {
			const { result } = (await ask(`query?query=${encodeURIComponent(expression)}`)) as {
				readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];
			};
			return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
		},
		alerts: async () => ((await ask("alerts")) as { readonly alerts: readonly FiringAlert[] }).alerts,
		targets: async () =>
			((await ask("targets")) as { readonly activeTargets: readonly { readonly health: string }[] }).activeTargets.map(
				({ health }) => health,
			),
		stop: async () => {
			child.kill("SIGTERM");
			await closed;
		},
	};
}

/** Asks again and again, since a server that scrapes tells nobody when it has; returns the first answer that `is` what is wanted. */
export async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
	const deadline = Date.now() + WAIT_MS;
	for (;;) {
		const answer = await ask();
		if (is(answer)) return answer;
		if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS} ms; at last: ${JSON.stringify(answer)}`);
		await pause(100);
	}
}
