import { spawn } from "node:child_process";
import { serverPath } from "./require.ts";

export interface Output {
	readonly stdout: Buffer;
	readonly stderr: string;
}

/** Runs a program to its end. Rejects with what it said when it fails. */
export function command(program: string, args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) {
	return new Promise<Output>((resolve, reject) => {
		const child = spawn(program, args, { stdio: "pipe", env: { ...process.env, PATH: serverPath, LC_ALL: "C.UTF-8", ...options.env } });
		const stdout: Buffer[] = [];
		const stderr: Buffer[] = [];
		child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
		child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
		child.on("error", reject);
		child.on("close", (code, signal) => {
			const output = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
			if (code === 0) resolve(output);
			else reject(new Error(`${program} ${args.join(" ")}\nended with ${signal ?? code}:\n${output.stderr}\n${output.stdout.toString()}`));
		});
		// A program that ends without reading all of its input is no fault of ours: its exit code says what matters.
		child.stdin.on("error", () => {});
		child.stdin.end(options.input ?? "");
	});
}
