import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { runCommandLine } from "./cli/cli.ts";
import { openDoors } from "./cli/doors.ts";
import { openOutput } from "./cli/output.ts";

/** A terminal and npm both deliver the same Ctrl-C: what comes again within this time, in milliseconds, is no second one. */
const SAME_SIGNAL_MS = 500;

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

/** The first SIGINT or SIGTERM asks for an end; a second one ends at once. */
function listenForEnd(): AbortSignal {
	const ending = new AbortController();
	let firstAt: number | undefined;
	for (const [name, number] of Object.entries(signalNumbers)) {
		process.on(name, () => {
			const now = performance.now();
			if (firstAt === undefined) {
				firstAt = now;
				ending.abort();
			} else if (now - firstAt > SAME_SIGNAL_MS) process.exit(128 + number);
		});
	}
	return ending.signal;
}

/** The launcher's channel breaks when the launcher is gone, even by SIGKILL: then nobody knows of this process any more. */
function endWithLauncher(): void {
	if (process.channel === undefined) return;
	process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
	process.channel.unref();
}

function userName(): string {
	try {
		return userInfo().username;
	} catch {
		return `uid ${process.getuid?.() ?? "?"}`; // A container's user need not have a name.
	}
}

/** The version stands in package.json alone, beside src/ and dist/ alike. */
function readVersion(): string {
	const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
	return version;
}

endWithLauncher();
const out = openOutput(process.stdout);
const err = openOutput(process.stderr);
const code = await runCommandLine(
	{
		out,
		err,
		environment: process.env,
		directory: process.cwd(),
		clock: Date.now,
		user: userName(),
		version: readVersion(),
		signal: listenForEnd(),
		doors: openDoors(Date.now),
	},
	process.argv.slice(2),
);
await out.drained();
await err.drained();
process.exit(code);
