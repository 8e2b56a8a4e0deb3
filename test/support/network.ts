import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { command } from "./command.ts";
import { serverPath } from "./require.ts";

/** One machine of the network: a network namespace of its own, with names of its own in its /etc/hosts. */
export interface Host {
	/** Where this process reaches it. */
	readonly address: string;
	/** Its addresses with their masks: to this process, and to the other machine. */
	readonly interfaces: readonly string[];
	/** Put before a command, runs it on that machine. */
	readonly within: readonly string[];
	/** Pulls the cable from this process to it: what is sent on it is lost, and nobody says so. */
	cutOff(): Promise<void>;
	/** It can be reached again when this resolves. */
	reconnect(): Promise<void>;
}

export interface Network {
	readonly hosts: readonly [Host, Host];
	close(): Promise<void>;
}

/** Of RFC 2544's network for benchmarks, which is nobody's: four addresses for each cable of this machine, by its number. */
const HOME = "198.18";
const NUMBERS = { first: 100, last: 199 };
/** The two ends of the cable between the machines, which nobody else sees. */
const BETWEEN = ["198.19.0.1", "198.19.0.2"] as const;

/**
 * Two machines with a cable between them and one from each to this process. Nothing of it outlives this process: a namespace ends
 * with the last process in it, and a cable with one of its ends. `file` becomes their /etc/hosts, with these names.
 */
export async function openNetwork(file: string, names: readonly [string, string]): Promise<Network> {
	const lines = names.map((name, index) => `${BETWEEN[index]} ${name} ${name.split(".", 1)[0]}`);
	writeFileSync(file, `127.0.0.1 localhost\n${lines.join("\n")}\n`);
	const [one, other] = [await openNamespace(), await openNamespace()];
	const cables: string[] = [];
	const close = async (): Promise<void> => {
		for (const { end } of [one, other]) await end();
		// They go with the namespaces, some time after.
		for (const name of cables) await command("ip", ["link", "delete", "dev", name]).catch(() => {});
	};
	const plugIn = async (namespace: Namespace, between: string): Promise<Host> => {
		const { name, address } = await runCable(namespace);
		cables.push(name);
		const interfaces = [`${address}/30`, `${between}/30`];
		const set = (cable: string, state: "up" | "down") => namespace.run("ip", "link", "set", "dev", cable, state);
		await namespace.run("mount", "--bind", file, "/etc/hosts");
		await set("lo", "up");
		for (const [index, cable] of ["home", "between"].entries()) {
			await namespace.run("ip", "address", "add", interfaces[index] as string, "dev", cable);
			await set(cable, "up");
		}
		const { within } = namespace;
		const reconnect = async (): Promise<void> => {
			await set("home", "up");
			await reach(address);
		};
		return { address, interfaces, within, cutOff: () => set("home", "down"), reconnect };
	};
	try {
		await one.run("ip", "link", "add", "between", "type", "veth", "peer", "name", "between", "netns", String(other.pid));
		return { hosts: [await plugIn(one, BETWEEN[0]), await plugIn(other, BETWEEN[1])], close };
	} catch (cause) {
		await close();
		throw cause;
	}
}

interface Namespace {
	readonly pid: number;
	readonly within: readonly string[];
	run(...args: readonly string[]): Promise<void>;
	end(): Promise<void>;
}

/** Kept by a process that ends when its stdin does, that is with this process, however that dies. */
async function openNamespace(): Promise<Namespace> {
	const keeper: ChildProcess = spawn("unshare", ["--net", "--mount", "sh", "-c", "echo; exec cat"], {
		stdio: ["pipe", "pipe", "inherit"],
		env: { ...process.env, PATH: serverPath },
	});
	const ended = once(keeper, "close");
	const isThere = await Promise.race([once(keeper.stdout as NodeJS.ReadableStream, "data"), ended.then(() => undefined)]);
	if (isThere === undefined) throw new Error("no network namespace can be made");
	const pid = keeper.pid as number;
	const within = ["nsenter", `--target=${pid}`, "--net", "--mount", "--"];
	return {
		pid,
		within,
		run: async (...args) => {
			const [program = "", ...rest] = [...within, ...args];
			await command(program, rest);
		},
		end: async () => {
			keeper.stdin?.end();
			await ended;
		},
	};
}

/** A port where nobody listens: who refuses it is there. */
const DISCARD = 9;

/** A cable that was just plugged in may carry nothing for a moment, and says that there is no route. */
async function reach(address: string): Promise<void> {
	for (let tries = 0; ; tries++) {
		const socket = connect({ host: address, port: DISCARD, timeout: 1000 });
		socket.once("timeout", () => socket.destroy(new Error(`no answer from ${address}`)));
		try {
			await once(socket, "connect");
			return;
		} catch (cause) {
			if ((cause as NodeJS.ErrnoException).code === "ECONNREFUSED") return;
			if (tries >= 20) throw cause;
		} finally {
			socket.destroy();
		}
	}
}

/** A cable from this process to the namespace. Its name is what keeps two processes from taking the same addresses. */
async function runCable({ pid }: Namespace): Promise<{ readonly name: string; readonly address: string }> {
	for (let number = NUMBERS.first; ; number++) {
		const name = `dirsyncd-${number}`;
		try {
			await command("ip", ["link", "add", name, "type", "veth", "peer", "name", "home", "netns", String(pid)]);
		} catch (cause) {
			if (number < NUMBERS.last && String(cause).includes("File exists")) continue;
			throw cause;
		}
		await command("ip", ["address", "add", `${HOME}.${number}.1/30`, "dev", name]);
		await command("ip", ["link", "set", "dev", name, "up"]);
		return { name, address: `${HOME}.${number}.2` };
	}
}
