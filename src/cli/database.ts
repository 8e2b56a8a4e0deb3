import type { Config } from "../config/config.ts";
import { Failure } from "../core/errors.ts";
import type { Holder } from "../daemon/lock.ts";
import type { Engine, Planner } from "../engine.ts";
import type { Context } from "./context.ts";
import { type Daemon, reachDaemon } from "./through-daemon.ts";

/** How long a command waits for another short one to end, in milliseconds. */
const PATIENCE_MS = 15_000;

/** What a command does with the engine, here or in the daemon that has the database. */
export interface Ways<T> {
	here(engine: Engine): Promise<T>;
	there(daemon: Daemon): Promise<T>;
}

/** Does something that writes: within this process when the database is free, through the daemon when one is running. */
export async function writing<T>(context: Context, config: Config, command: string, ways: Ways<T>): Promise<T> {
	const lock = await takeLock(context, config, command);
	if ("daemon" in lock) return ways.there(lock.daemon);
	try {
		const engine = await context.doors.openEngine(config);
		try {
			return await ways.here(engine);
		} finally {
			await engine.close();
		}
	} finally {
		lock.release();
	}
}

/** Does something that changes nothing, beside whoever has the database. */
export async function reading<T>(context: Context, config: Config, read: (planner: Planner) => Promise<T>): Promise<T> {
	const planner = await context.doors.openPlanner(config);
	try {
		return await read(planner);
	} finally {
		await planner.close();
	}
}

async function takeLock(context: Context, config: Config, command: string): Promise<{ release(): void } | { daemon: Daemon }> {
	try {
		return await context.doors.waitForLock(config.database, { command, clock: context.clock }, PATIENCE_MS, context.signal);
	} catch (error) {
		const holder = error instanceof Failure && error.code === "DATABASE_LOCKED" ? (error.cause as Holder | undefined) : undefined;
		if (holder?.url === undefined) throw error;
		return { daemon: reachDaemon(context, config, holder.url) };
	}
}
