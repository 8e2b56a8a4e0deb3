import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { listenForEnd } from "../../src/cli/ending.ts";

/** A process of a platform, its clock at 0, which keeps the codes that it was to exit with. */
function processOf(platform: NodeJS.Platform) {
	const signals = new EventEmitter();
	const exits: number[] = [];
	let now = 0;
	const signal = listenForEnd({ platform, signals, clock: () => now, exit: (code) => exits.push(code) });
	return { signals, exits, signal, at: (ms: number) => (now = ms) };
}

it.each([
	{ platform: "win32", name: "SIGINT", why: "Ctrl+C, by which WinSW stops a service" },
	{ platform: "win32", name: "SIGBREAK", why: "Ctrl+Break" },
	{ platform: "win32", name: "SIGHUP", why: "the console is closed, or the user signs out" },
	{ platform: "linux", name: "SIGINT", why: "Ctrl+C" },
	{ platform: "linux", name: "SIGTERM", why: "systemd stops the service" },
] as const)("on $platform $name asks for an end: $why", ({ platform, name }) => {
	const { signals, signal, exits } = processOf(platform);
	signals.emit(name);
	expect(signal.aborted).toBe(true);
	expect(exits).toEqual([]);
});

it("elsewhere than on Windows SIGHUP is for reading the configuration again, not for an end", () => {
	const { signals, signal } = processOf("linux");
	signals.emit("SIGHUP");
	expect(signal.aborted).toBe(false);
});

it("a second one ends at once, unless it is the same Ctrl+C that came by two ways", () => {
	const { signals, exits, at } = processOf("win32");
	signals.emit("SIGINT");
	at(400);
	signals.emit("SIGINT");
	expect(exits).toEqual([]);
	at(900);
	signals.emit("SIGBREAK");
	expect(exits).toEqual([128 + 21]);
});
