import { execFileSync } from "node:child_process";

/** Runs a program to its end and returns what it prints. Throws with what it says on standard error when it fails. */
export function run(program: string, args: readonly string[], folder: string): string {
	return execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 << 20 });
}

/** The npm that started us, on the Node that we run on; else the one on the PATH. */
export function runNpm(args: readonly string[], folder: string): string {
	const npm = process.env["npm_execpath"];
	return npm === undefined ? run("npm", args, folder) : run(process.execPath, [npm, ...args], folder);
}
