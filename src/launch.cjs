#!/usr/bin/env node
// Started by whatever Node is on PATH, hands over to the Node 24 this project pins (package.json, optionalDependencies).
// Plain CommonJS that old Nodes understand: it must be able to say what is missing.
"use strict";
const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

const OLDEST = [22, 19];
// V8 lets garbage pile up to many times what is used: a first reading of 100,000 people peaked at 430 MB, and does at 230 MB with
// these. The bench (test/bench/host.ts) uses the same.
const SMALL_HEAP = ["--max-semi-space-size=8", "--heap-growing-percent=20"];

/** The pinned runtime of this platform, or undefined where npm did not bring it (`npm ci --omit=optional`, a release image). */
function pinnedNode() {
	const platform = process.platform === "win32" ? "win" : process.platform;
	const file = process.platform === "win32" ? "node.exe" : "node";
	try {
		const home = path.dirname(require.resolve(`node-${platform}-${process.arch}/package.json`));
		const binary = path.join(home, "bin", file);
		return existsSync(binary) ? binary : undefined;
	} catch {
		return undefined; // Not installed: the Node we run on may do.
	}
}

function isNewEnough(version) {
	const [major, minor] = version.split(".").map(Number);
	return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function entryPoint() {
	const source = path.join(__dirname, "main.ts");
	return existsSync(source) ? source : path.join(__dirname, "main.js");
}

const node = pinnedNode() ?? (isNewEnough(process.versions.node) ? process.execPath : undefined);
if (node === undefined) {
	process.stderr.write(
		`dirsyncd: this is Node ${process.versions.node}, which is too old, and the pinned Node 24 is not installed.\n` +
			`Run "npm ci" without --omit=optional, or use Node ${OLDEST.join(".")} or newer.\n`,
	);
	process.exit(1);
}

// `--exec FILE …` runs another file of this project on the same Node: its tests, its bench.
const args = process.argv.slice(2);
const other = args[0] === "--exec" ? args.splice(0, 2)[1] : undefined;

// The channel has no messages. It breaks when this process dies, however it dies, and main.ts then ends too: a launcher that
// was killed leaves no daemon behind that nobody knows.
const flags = ["--disable-warning=ExperimentalWarning", ...(other === undefined ? SMALL_HEAP : [])];
const child = spawn(node, [...flags, other ?? entryPoint(), ...args], {
	stdio: other === undefined ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
	windowsHide: true,
});
// Windows gives a console's Ctrl+C to both of us, and knows no other way to send one: what is "sent" there kills at once. So we stay,
// and the child ends by itself.
const signals = process.platform === "win32" ? ["SIGINT", "SIGBREAK", "SIGHUP"] : ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"];
const passOn = (signal) => process.platform !== "win32" && child.kill(signal);
for (const signal of signals) process.on(signal, () => passOn(signal));
// npm passes on a Ctrl-C but not a SIGTERM: it dies, and what it started would run on with nobody knowing.
if (process.env.npm_lifecycle_event !== undefined) {
	const parent = process.ppid;
	const watch = setInterval(() => {
		if (process.ppid === parent) return;
		clearInterval(watch);
		child.kill("SIGTERM");
	}, 500);
	watch.unref();
}
child.on("error", (error) => {
	process.stderr.write(`dirsyncd: cannot start ${node}: ${error.message}\n`);
	process.exit(1);
});
child.on("exit", (code, signal) => {
	if (signal === null) process.exit(code);
	for (const name of signals) process.removeAllListeners(name);
	process.kill(process.pid, signal);
});
