import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const main = path.join(import.meta.dirname, "..", "..", "src", "main.ts");

export type LogLine = Readonly<Record<string, unknown>>;

/** A dirsyncd in a process of its own, and what it says. */
export interface DaemonProcess {
	readonly child: ChildProcess;
	readonly lines: readonly LogLine[];
	/** What it wrote to standard error. */
	stderr(): string;
	/** The first log line, past or to come, of which `is` is true. Rejects when the process ends without it. */
	said(is: (line: LogLine) => boolean): Promise<LogLine>;
	/** Where HTTP listens, once it is up. */
	url(): Promise<string>;
	/** Sends a signal and waits for the end; the exit code, or the signal's name. */
	end(signal: NodeJS.Signals): Promise<number | string>;
}

/** `script`: another than the command line. */
export function startDaemon(config: string, script?: string): DaemonProcess {
	const started = script === undefined ? [main, "run", "--config"] : [script];
	return listenTo(
		spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...started, config], { stdio: ["pipe", "pipe", "pipe"] }),
	);
}

/** A daemon that was started otherwise, in a container, say; its signals reach it through `child`. */
export function listenTo(child: ChildProcessByStdio<Writable | null, Readable, Readable>): DaemonProcess {
	const lines: LogLine[] = [];
	const waiting = new Set<{ readonly is: (line: LogLine) => boolean; readonly found: PromiseWithResolvers<LogLine> }>();
	let stderr = "";
	child.stderr.on("data", (chunk: Buffer) => {
		stderr += chunk.toString();
	});
	createInterface({ input: child.stdout }).on("line", (text) => {
		const line = JSON.parse(text) as LogLine;
		lines.push(line);
		for (const one of waiting) if (one.is(line)) one.found.resolve(line);
	});
	const closed = once(child, "close");
	void closed.then(() => {
		const last = lines.map((line) => JSON.stringify(line)).join("\n");
		for (const { found } of waiting)
			found.reject(new Error(`the daemon ended with ${child.exitCode ?? child.signalCode}:\n${last}\n${stderr}`));
	});
	const said = async (is: (line: LogLine) => boolean): Promise<LogLine> => {
		const before = lines.find(is);
		if (before !== undefined) return before;
		const one = { is, found: Promise.withResolvers<LogLine>() };
		waiting.add(one);
		return one.found.promise;
	};
	return {
		child,
		lines,
		stderr: () => stderr,
		said,
		url: async () => {
			await said(({ msg }) => msg === "dirsyncd is up");
			const start = await said(({ msg }) => msg === "dirsyncd starts");
			return String(start["page"]);
		},
		end: async (signal) => {
			child.kill(signal);
			await closed;
			return child.exitCode ?? String(child.signalCode);
		},
	};
}
