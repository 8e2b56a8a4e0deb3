import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type DaemonProcess, listenTo } from "./daemons.ts";
import type { Image } from "./image.ts";
import { serverPath } from "./require.ts";

/** Folders and files of this machine, by where the container sees them. */
export interface Mounts {
	readonly readOnly?: Readonly<Record<string, string>>;
	readonly writable?: Readonly<Record<string, string>>;
}

export interface Ended {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

/** A container that runs what the image says it runs. */
export interface Container extends DaemonProcess {
	/** Runs another program in it, as its user: `docker exec`. */
	exec(args: readonly string[]): Promise<Ended>;
	/** Sends its first process a signal from outside: within, it would be spared SIGSTOP. */
	signal(signal: NodeJS.Signals): Promise<Ended>;
	/** Whatever state it is in; nothing of it is left. */
	remove(): Promise<void>;
}

/** Runs the image's entry point with `args` to its end: `docker run --rm --read-only --cap-drop=ALL … IMAGE ARGS`. */
export function runToEnd(image: Image, mounts: Mounts, args: readonly string[]): Promise<Ended> {
	return runProgram(image, mounts, [...image.config.Entrypoint, ...args]);
}

/** Runs another program in a container of the image: `docker run --entrypoint`. */
export async function runProgram(image: Image, mounts: Mounts, args: readonly string[]): Promise<Ended> {
	const { child, done } = launch(image, mounts, args);
	try {
		return await ended(child);
	} finally {
		done();
	}
}

/** Starts what the image starts: `docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges … IMAGE`. */
export function startContainer(image: Image, mounts: Mounts): Container {
	const { child, id, state, done } = launch(image, mounts, [...image.config.Entrypoint, ...image.config.Cmd]);
	const tell = (...args: readonly string[]): Promise<Ended> => ended(runc(state, ...args));
	return {
		...listenTo(child),
		exec: (args) => tell("exec", id, ...args),
		signal: (signal) => tell("kill", id, signal),
		remove: async () => {
			await tell("delete", "--force", id);
			done();
		},
	};
}

let count = 0;

function launch(image: Image, mounts: Mounts, args: readonly string[]) {
	const bundle = mkdtempSync(path.join(tmpdir(), "dirsyncd-bundle-"));
	writeFileSync(path.join(bundle, "config.json"), JSON.stringify(specification(image, mounts, args)));
	const state = path.join(bundle, "state");
	count += 1;
	const id = `dirsyncd-test-${process.pid}-${count}`;
	const child = runc(state, "run", "--bundle", bundle, id);
	return { child, id, state, done: () => rmSync(bundle, { recursive: true, force: true }) };
}

function runc(state: string, ...args: readonly string[]) {
	return spawn("runc", ["--root", state, ...args], { env: { ...process.env, PATH: serverPath }, stdio: ["ignore", "pipe", "pipe"] });
}

async function ended(child: ReturnType<typeof runc>): Promise<Ended> {
	let [out, err] = ["", ""];
	child.stdout.on("data", (chunk: Buffer) => {
		out += chunk;
	});
	child.stderr.on("data", (chunk: Buffer) => {
		err += chunk;
	});
	return new Promise((resolve, reject) => {
		child.on("error", reject);
		child.on("close", (code) => resolve({ code, out, err }));
	});
}

/**
 * The strictest that deploy/ asks for: the image's user, nothing to write to but what is mounted writable, not even /tmp, no capability
 * and no way to get one. The network is this machine's, so that tests reach it.
 */
function specification({ root, config }: Image, { readOnly = {}, writable = {} }: Mounts, args: readonly string[]): object {
	const [uid, gid] = config.User.split(":").map(Number);
	const bind = (how: "ro" | "rw") => (entry: [string, string]) => ({
		...{ destination: entry[0], source: entry[1], type: "bind", options: ["rbind", how, "nosuid", "nodev"] },
	});
	return {
		ociVersion: "1.0.2",
		process: {
			...{ user: { uid, gid }, args, env: config.Env, cwd: config.WorkingDir, noNewPrivileges: true },
			capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
		},
		root: { path: root, readonly: true },
		mounts: [
			{ destination: "/proc", type: "proc", source: "proc" },
			{ destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "mode=755", "size=64k"] },
			...Object.entries(readOnly).map(bind("ro")),
			...Object.entries(writable).map(bind("rw")),
		],
		linux: { namespaces: ["pid", "mount", "ipc", "uts"].map((type) => ({ type })) },
	};
}
