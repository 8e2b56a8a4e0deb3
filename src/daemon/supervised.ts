import type { HttpServer } from "../http/server.ts";
import { makeNotify } from "../service/notify.ts";
import { makeSupervisor, type Sight, type Supervisor } from "../service/supervisor.ts";
import type { Log } from "../telemetry/log.ts";
import type { Front } from "./front.ts";
import type { Works } from "./works.ts";

/** systemd, where it started us; else nobody. */
export function openSupervisor(log: Log): Supervisor {
	return makeSupervisor({
		notify: makeNotify(process.env),
		environment: process.env,
		monotonicUsec: () => process.hrtime.bigint() / 1000n,
		onDeaf: (err) => log.warn({ err }, "systemd cannot be told how dirsyncd is"),
		onUnwell: ({ status: because }) =>
			log.error({ because }, "systemd is not told any more that dirsyncd is well, and will start it again unless it recovers"),
	});
}

/**
 * How the daemon is, for its supervisor. That this is asked at all says that the event loop turns. A directory out of reach is no
 * reason to start us again, which would not heal it; an engine that is down, and stays so for a while, is one.
 */
export async function look(front: Front, works: Works, http: HttpServer): Promise<Sight> {
	const { status, notes } = front.http.health();
	const isWell = works.facts().engine === undefined && (await http.isLive());
	const more = notes.length > 1 ? ` (and ${notes.length - 1} more)` : "";
	return { isWell, status: notes[0] === undefined ? `${status}: all is well` : `${status}: ${notes[0]}${more}` };
}
