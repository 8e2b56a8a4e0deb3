import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import roll from "pino-roll";
import { Failure } from "../core/errors.ts";

/** Where log lines are kept, and when a new file is begun. */
export interface LogFileOptions {
	/** "/var/log/dirsyncd.log" becomes dirsyncd.2026-03-02.1.log beside it. */
	readonly path: string;
	/** A file that is larger is followed by the next one. */
	readonly bytes: number;
	readonly frequency: "daily" | "hourly";
	/** How many files are kept besides the one that is written. */
	readonly keep: number;
}

/** Why the file does not take what is logged, and since when (Unix milliseconds). */
export interface LogTrouble {
	readonly since: number;
	readonly because: string;
	readonly hint: string;
}

/** The log's file. A disk that is full or gone costs lines, never a wait and never the daemon. */
export interface LogFile {
	write(line: string): void;
	trouble(): LogTrouble | undefined;
	/** Looks whether the file is still where it was, and tries again what could not be written. Called every ten seconds, too. */
	look(): Promise<void>;
	/** Resolves when the last lines are written, or after `timeoutMs`. */
	close(timeoutMs: number): Promise<void>;
}

export interface LogFileParts {
	readonly clock: () => number;
	/** The file takes nothing, said once; and it does again. */
	onTrouble(trouble: LogTrouble): void;
	onRecovered(lost: number): void;
}

/** So much waits for a disk that takes nothing; what comes after is lost to the file. */
const MOST_WAITING_BYTES = 1_048_576;
const LOOK_EVERY_MS = 10_000;
/** Names of people stand in it at debug: nobody outside of the group. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
const HINT = "Free space on its disk, or mend log.file.path; meanwhile the log goes to standard output.";
const DATE = { daily: "yyyy-MM-dd", hourly: "yyyy-MM-dd-HH" } as const;

/** Opens the file that is written now. Throws OUTPUT_UNWRITABLE where nothing can be written. */
export async function openLogFile(options: LogFileOptions, { clock, onTrouble, onRecovered }: LogFileParts): Promise<LogFile> {
	const { bytes, frequency } = options;
	tryFolder(options.path);
	const file = await beginRolling(options.path, {
		...{ size: `${bytes}b`, frequency, dateFormat: DATE[frequency], mode: FILE_MODE, maxLength: MOST_WAITING_BYTES },
	});
	let trouble: LogTrouble | undefined;
	/** What is written goes to a file that nobody can find any more. */
	let isMissing = false;
	let lost = 0;
	let isClosed = false;
	removeOld(options, file.file);

	const fail = (because: string): void => {
		if (trouble !== undefined) return;
		trouble = { since: clock(), because: `the log file ${file.file} takes nothing: ${because}`, hint: HINT };
		onTrouble(trouble);
	};
	const recover = (): void => {
		if (trouble === undefined || isMissing) return;
		trouble = undefined;
		onRecovered(lost);
		lost = 0;
	};
	file.on("error", (error: NodeJS.ErrnoException) => {
		if (error.syscall === "open") isMissing = true;
		fail(error.message);
	});
	file.on("drop", () => {
		lost += 1;
		fail("what is to be written waits for a disk that does not answer");
	});
	file.on("write", recover);
	file.on("ready", () => {
		isMissing = false;
		removeOld(options, file.file);
	});

	const look = async (): Promise<void> => {
		try {
			await stat(file.file);
			// An attempt without a line of its own: what waits is written with it.
			if (trouble !== undefined && !isMissing) file.write("");
			if (!isMissing) return;
		} catch (error) {
			if (isClosed) return;
			isMissing = true;
			fail(error instanceof Error ? error.message : String(error));
		}
		try {
			mkdirSync(path.dirname(file.file), { recursive: true, mode: FOLDER_MODE });
			file.reopen();
			file.write("");
		} catch {
			// The trouble is known already, and the next look tries again.
		}
	};
	const looking = setInterval(() => void look(), LOOK_EVERY_MS);
	looking.unref();

	return {
		write: (line) => {
			if (!isClosed) file.write(line);
		},
		trouble: () => trouble,
		look,
		close: async (timeoutMs) => {
			if (isClosed) return;
			isClosed = true;
			clearInterval(looking);
			const closed = new Promise<void>((resolve) => file.once("close", () => resolve()));
			file.end();
			const late = Promise.withResolvers<void>();
			const timer = setTimeout(late.resolve, timeoutMs);
			await Promise.race([closed, late.promise]);
			clearTimeout(timer);
			file.destroy();
		},
	};
}

/** Said before anything begins, since pino-roll opens later and tells it as an event. */
function tryFolder(file: string): void {
	const folder = path.dirname(file);
	const probe = path.join(folder, `.${path.basename(file)}.${process.pid}`);
	try {
		mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
		closeSync(openSync(probe, "w", FILE_MODE));
		rmSync(probe);
	} catch (cause) {
		throw unwritable(file, cause);
	}
}

async function beginRolling(file: string, options: Omit<Parameters<typeof roll>[0], "file">): ReturnType<typeof roll> {
	try {
		const rolling = await roll({ ...options, file });
		const opened = Promise.withResolvers<void>();
		rolling.once("ready", opened.resolve);
		rolling.once("error", opened.reject);
		await opened.promise;
		rolling.off("error", opened.reject);
		return rolling;
	} catch (cause) {
		throw unwritable(file, cause);
	}
}

function unwritable(file: string, cause: unknown): Failure {
	return new Failure(
		"OUTPUT_UNWRITABLE",
		`the log cannot be written to ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
		{
			cause,
			hint: "Name a file in log.file.path whose folder dirsyncd may write, or leave log.file out.",
		},
	);
}

/**
 * Removes what is too much whenever a file is begun, in place of pino-roll: that would remove the file that is written where others
 * are of days that have not come yet, as after a clock was set back. Those go first here.
 */
function removeOld({ path: file, keep }: LogFileOptions, current: string): void {
	const { dir, name, ext } = path.parse(file);
	const parse = (found: string) => {
		if (!found.startsWith(`${name}.`) || !found.endsWith(ext || ".log")) return [];
		const [, date, number] = /^\.(\d{4}(?:-\d\d){2,3})\.(\d+)$/.exec(found.slice(name.length, -(ext || ".log").length)) ?? [];
		return date === undefined ? [] : [{ found, date, number: Number(number) }];
	};
	const written = path.basename(current);
	const today = parse(written)[0]?.date ?? "";
	try {
		const others = readdirSync(dir).flatMap((found) => (found === written ? [] : parse(found)));
		const rank = (date: string): string => (date > today ? "" : date);
		others.sort((one, other) => {
			const [before, after] = [rank(one.date), rank(other.date)];
			return before === after ? one.number - other.number : before < after ? -1 : 1;
		});
		for (const { found } of others.slice(0, Math.max(0, others.length - keep))) rmSync(path.join(dir, found), { force: true });
	} catch {
		// It is too much for longer, and tried again with the next file.
	}
}
