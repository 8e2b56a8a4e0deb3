import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import { renameOver } from "../lib/rename-over.ts";
import { holdExclusively } from "../store/exclusive.ts";

/** Who holds a database. */
export interface Holder {
	readonly pid: number;
	/** As in `run`, `sync`. */
	readonly command: string;
	/** Unix milliseconds. */
	readonly since: number;
	/** Where the daemon's API is; short commands have none. */
	readonly url: string | undefined;
}

export interface Lock {
	/** Lets others know where the API is, once it listens. */
	announce(url: string): void;
	release(): void;
}

export interface Claim {
	readonly command: string;
	readonly clock: () => number;
}

/**
 * Takes the database for this process, or throws Failure DATABASE_LOCKED that says who has it. What decides is a lock of the
 * kernel's, which ends with its process; the file that says who is only for people, and may be stale after a kill -9.
 */
export function acquireLock(database: string, claim: Claim): Lock {
	makeFolder(path.dirname(database));
	const held = holdExclusively(besideDatabase(database, "lock"));
	if (held === undefined) throw lockedBy(database, readHolderSoon(database));
	const ownerFile = besideDatabase(database, "owner");
	const since = claim.clock();
	const write = (url: string | undefined): void => writeOwner(ownerFile, { pid: process.pid, command: claim.command, since, url });
	try {
		write(undefined);
	} catch (cause) {
		held.release();
		throw unwritable(`the file ${ownerFile}`, cause);
	}
	return {
		announce: write,
		release: () => {
			try {
				rmSync(ownerFile, { force: true });
			} finally {
				// Windows keeps a file that somebody is just reading; it may be stale, a lock may not.
				held.release();
			}
		},
	};
}

/** As `acquireLock`, waiting up to `timeoutMs` for another short command to end. A daemon does not end: it is not waited for. */
export async function waitForLock(database: string, claim: Claim, timeoutMs: number, signal: AbortSignal): Promise<Lock> {
	const deadline = claim.clock() + timeoutMs;
	for (;;) {
		signal.throwIfAborted();
		try {
			return acquireLock(database, claim);
		} catch (error) {
			const isLocked = error instanceof Failure && error.code === "DATABASE_LOCKED";
			if (!isLocked || claim.clock() >= deadline || readHolder(database)?.url !== undefined) throw error;
		}
		// Nothing tells when a file lock is freed.
		await pause(100, undefined, { signal });
	}
}

/** Who says to hold the database. Only sure when `acquireLock` has just failed: the file may be left over from a kill -9. */
export function readHolder(database: string): Holder | undefined {
	try {
		const said = JSON.parse(readFileSync(besideDatabase(database, "owner"), "utf8")) as unknown;
		return parseHolder(said);
	} catch {
		return undefined; // Missing, or being replaced: nobody has said so yet.
	}
}

/** A file that belongs to a database, beside it, whatever name of the database was given: SQLite follows links as well. */
export function besideDatabase(database: string, what: "lock" | "owner" | "token" | "viewer-token"): string {
	return `${realPath(database)}-${what}`;
}

function makeFolder(folder: string): void {
	try {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
	} catch (cause) {
		throw unwritable(`the folder ${folder}`, cause);
	}
}

function unwritable(what: string, cause: unknown): Failure {
	return new Failure("DATABASE_UNWRITABLE", `${what} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
		cause,
		hint: "Check that the folder of the database belongs to dirsyncd's user.",
	});
}

function realPath(file: string): string {
	try {
		return realpathSync(file);
	} catch {
		// Not made yet: then its folder is.
		try {
			return path.join(realpathSync(path.dirname(file)), path.basename(file));
		} catch {
			return path.resolve(file);
		}
	}
}

function writeOwner(file: string, holder: Holder): void {
	const next = `${file}.${process.pid}`;
	writeFileSync(next, `${JSON.stringify({ ...holder, since: new Date(holder.since).toISOString() })}\n`, { mode: 0o600 });
	renameOver(next, file);
}

/** Who has just taken the lock writes the file right after: give it up to a quarter of a second. */
function readHolderSoon(database: string): Holder | undefined {
	const cell = new Int32Array(new SharedArrayBuffer(4));
	for (let attempt = 0; attempt < 25; attempt++) {
		const holder = readHolder(database);
		if (holder !== undefined && isAlive(holder.pid)) return holder;
		Atomics.wait(cell, 0, 0, 10);
	}
	return readHolder(database);
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// Another user's process may not be signalled, but is there.
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

function lockedBy(database: string, holder: Holder | undefined): Failure {
	if (holder === undefined) {
		return new Failure("DATABASE_LOCKED", `another process holds the database ${database}`, {
			hint: "Wait until it has ended, or end it.",
		});
	}
	const since = new Date(holder.since).toISOString();
	const where = holder.url === undefined ? "" : `, at ${holder.url}`;
	return new Failure(
		"DATABASE_LOCKED",
		`the database ${database} is held by process ${holder.pid} (dirsyncd ${holder.command}) since ${since}${where}`,
		{ cause: holder, hint: "One dirsyncd at a time works on a database. Stop that one first, or give this one a database of its own." },
	);
}

function parseHolder(said: unknown): Holder | undefined {
	if (typeof said !== "object" || said === null) return undefined;
	const { pid, command, since, url } = said as Partial<Record<keyof Holder, unknown>>;
	if (typeof pid !== "number" || typeof command !== "string" || typeof since !== "string") return undefined;
	return { pid, command, since: Date.parse(since), url: typeof url === "string" ? url : undefined };
}
