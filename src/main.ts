import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { runCommandLine } from "./cli/cli.ts";
import { openDoors } from "./cli/doors.ts";
import { listenForEnd } from "./cli/ending.ts";
import { openOutput } from "./cli/output.ts";

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
		signal: listenForEnd({
			platform: process.platform,
			signals: process,
			clock: () => performance.now(),
			exit: (code) => process.exit(code),
		}),
		doors: openDoors(Date.now),
	},
	process.argv.slice(2),
);
await out.drained();
await err.drained();
process.exit(code);
