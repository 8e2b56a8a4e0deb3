import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { freePort } from "./loopback.ts";

/** The demo's configuration of an unpacked archive, on ports of its own, in a folder of its own. */
export async function demoConfig(tree: string, place: string): Promise<{ readonly config: string; readonly database: string }> {
	mkdirSync(place, { recursive: true });
	const [config, database] = [path.join(place, "dirsyncd.yaml"), path.join(place, "dirsyncd.db")];
	const text = readFileSync(path.join(tree, "config/demo.yaml"), "utf8")
		.replace(/^database: .*$/m, `database: ${database}`)
		.replaceAll("127.0.0.1:3890", `127.0.0.1:${await freePort()}`)
		.replace("127.0.0.1:8640", `127.0.0.1:${await freePort()}`);
	writeFileSync(config, text, { mode: 0o640 });
	return { config, database };
}

/** Runs a daemon on a PATH until its first run has succeeded, hands over the address of its page, and ends it. */
export async function whileRunning(command: readonly string[], searched: string, work: (page: string) => Promise<void>): Promise<void> {
	const [program = "", ...args] = command;
	const child = spawn(program, args, { cwd: "/", env: { PATH: searched }, stdio: ["ignore", "pipe", "pipe"] });
	const ended = once(child, "exit");
	let said = "";
	const isUp = new Promise<void>((resolve) => {
		for (const stream of [child.stdout, child.stderr])
			stream.on("data", (chunk: Buffer) => {
				said += chunk.toString();
				if (said.includes("run succeeded")) resolve();
			});
	});
	try {
		await Promise.race([isUp, ended.then(() => Promise.reject(new Error(`the daemon ended:\n${said}`)))]);
		await work(/"page":"([^"]+)"/.exec(said)?.[1] ?? "");
		child.kill("SIGTERM");
		expect(await ended).toEqual([0, null]);
	} finally {
		child.kill("SIGKILL");
	}
}
