import { findConfig } from "../config/lookup.ts";
import { Failure } from "../core/errors.ts";
import { printable } from "../lib/table.ts";
import type { Command } from "./command.ts";
import type { Context, DaemonAnswer } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";

export const healthCommand: Command = {
	name: "health",
	usage: "[--live]",
	summary: "whether the running daemon is well, for scripts and healthchecks",
	details: `Asks the running daemon, wherever it listens, what its /health says: ends with 0 when all is well or something waits for a person, and
with 1 when it fails, gives no answer, or does not run. --live asks only whether it answers: directories and targets that are down do
not count, since starting the daemon again would not heal them. Of the configuration it reads only where the database is.`,
	options: { live: { kind: "flag", summary: "only whether it answers (/health/live)" } },
	operands: [0, 0],
	run: async (context, input) => {
		const { file } = findConfig(input.values.get("config"), context.environment, context.directory);
		const url = await daemonUrl(context, context.doors.databaseOf(file, context.environment));
		const path = input.flags.has("live") ? "/health/live" : "/health";
		const { status, notes, body } = understand(url, await context.doors.askHealth(new URL(path, url).href, context.signal));
		if (input.isJson) context.out.write(`${JSON.stringify(body)}\n`);
		else {
			const colour = status === "pass" ? "green" : status === "warn" ? "yellow" : "red";
			context.out.write(
				`${context.out.paint(colour, status)}: the daemon at ${url} ${input.flags.has("live") ? "answers" : words[status]}\n`,
			);
			for (const note of notes) context.out.write(`  ${printable(note)}\n`);
		}
		return status === "fail" ? exitCodes.failed : exitCodes.done;
	},
};

type Status = keyof typeof words;

const words = {
	pass: "says that all is well",
	warn: "works, and has something to say",
	fail: "does not do its work",
} as const;

async function daemonUrl({ doors }: Context, database: string): Promise<string> {
	const holder = await doors.holder(database);
	if (holder?.url !== undefined) return holder.url;
	const who =
		holder === undefined
			? `no daemon runs on the database ${database}`
			: `process ${holder.pid} (dirsyncd ${holder.command}) holds the database ${database}, and does not listen`;
	throw new Failure("DAEMON_UNREACHABLE", who, {
		hint: "dirsyncd run starts it. Only its own user sees that it runs: use sudo -u with that user, and its configuration.",
	});
}

/** The answer, if it is one of the daemon's. */
function understand(
	url: string,
	{ status, body }: DaemonAnswer,
): { readonly status: Status; readonly notes: readonly string[]; readonly body: unknown } {
	if (typeof body === "object" && body !== null && "status" in body && isStatus(body.status)) {
		const notes = "notes" in body && Array.isArray(body.notes) ? body.notes.map(String) : [];
		return { status: body.status, notes, body };
	}
	throw new Failure("DAEMON_UNREACHABLE", `what answers at ${url} is no dirsyncd, or one of another version: it says ${status}`);
}

function isStatus(said: unknown): said is Status {
	return typeof said === "string" && Object.hasOwn(words, said);
}
