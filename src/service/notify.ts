import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What surrounds the process: systemd says in it where it listens, and how long it waits for a sign of life. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Assignments of sd_notify(3), as `READY=1`. Rejects when systemd cannot be told. */
export type Notify = (...said: readonly string[]) => Promise<void>;

/** systemd-notify waits until what it said was read, for up to 5 s by itself. */
const LONGEST_MS = 6000;

const run = promisify(execFile);

/**
 * Tells systemd by its own program, since Node has no datagram sockets of AF_UNIX and packages that have them compile. A few
 * milliseconds each time. Undefined where nobody listens.
 */
export function makeNotify(environment: Environment): Notify | undefined {
	const { NOTIFY_SOCKET: socket, PATH: path = "/usr/bin:/bin" } = environment;
	if (socket === undefined || socket === "") return undefined;
	return async (...said) => {
		// Nothing else of our environment: it may hold secrets, and the helper has no use for them.
		const env = { NOTIFY_SOCKET: socket, PATH: path };
		await run("systemd-notify", [`--pid=${mainProcess(environment)}`, ...said.map(oneLine)], { env, timeout: LONGEST_MS });
	};
}

/** Who is the service's main process stays so: systemd names it to whom it watches, and else it is who we are. */
function mainProcess({ WATCHDOG_PID: named }: Environment): string {
	return named !== undefined && /^\d+$/.test(named) ? named : String(process.channel === undefined ? process.pid : process.ppid);
}

/** A line break would begin another assignment. */
function oneLine(assignment: string): string {
	return assignment.replaceAll(/\s+/g, " ").trim();
}
