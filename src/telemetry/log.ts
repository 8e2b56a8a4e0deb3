import { setTimeout as pause } from "node:timers/promises";
import { type Logger, pino, stdTimeFunctions } from "pino";
import { PinoPretty } from "pino-pretty";
import { formatDuration } from "../lib/duration.ts";
import { printable } from "../lib/table.ts";
import type { Outcome, RunReport } from "../sync/report.ts";
import { isJournal, withPriority } from "./journal.ts";
import { type LogFile, type LogFileOptions, type LogTrouble, openLogFile } from "./log-file.ts";

export type Log = Logger;

export interface LogOptions {
	readonly level: string;
	/** Undefined: none. */
	readonly file: LogFileOptions | undefined;
	/** 1 for the daemon, whose output is its log; 2 for every other command, whose output is its answer. */
	readonly descriptor: 1 | 2;
	/** Lines for people instead of JSON. */
	readonly pretty: boolean;
	readonly colour: boolean;
	readonly clock: () => number;
}

/** The log, and where it goes. */
export interface LogBook {
	readonly log: Log;
	/** Why its file takes nothing; then it goes to the output. */
	trouble(): LogTrouble | undefined;
	/** Another level and another file from now on. Throws OUTPUT_UNWRITABLE; then all stays as it was. */
	change(to: Pick<LogOptions, "level" | "file">): Promise<void>;
	/** Waits until the last lines are written, for who still reads them. */
	close(timeoutMs: number): Promise<void>;
}

/** Names under which a secret could come along with something logged whole: a request, a configuration, an error of a library. */
const SECRET_NAMES = ["password", "pass", "secret", "token", "authorization", "Authorization", "credentials", "bearer", "cookie", "Cookie"];

/** So many bytes wait for a reader that has stopped reading; what comes after them is lost, and the work goes on. */
const MOST_WAITING_BYTES = 1_048_576;
const FILE_CLOSE_MS = 500;

/** Opens the log: to its file if it has one, else to the output; on a terminal to both. Throws OUTPUT_UNWRITABLE. */
export async function openLog(options: LogOptions): Promise<LogBook> {
	const { descriptor, clock } = options;
	const stream = descriptor === 1 ? process.stdout : process.stderr;
	const screen = options.pretty ? pretty(options) : lossy(stream, isJournal({ journalStream: process.env["JOURNAL_STREAM"], descriptor }));
	let file: LogFile | undefined;
	let fileOptions = options.file;
	const log = makeLog(options.level, {
		write: (line) => {
			file?.write(line);
			if (file === undefined || options.pretty || file.trouble() !== undefined) screen.write(line);
		},
	});
	const open = async (to: LogFileOptions | undefined): Promise<LogFile | undefined> =>
		to &&
		openLogFile(to, {
			clock,
			onTrouble: ({ because, hint }) => log.warn({ because, hint }, "the log file takes nothing; the log goes to the output"),
			onRecovered: (lost) => log.info({ lost }, "the log file is written again"),
		});
	file = await open(fileOptions);
	return {
		log,
		trouble: () => file?.trouble(),
		change: async ({ level, file: to }) => {
			const former = file;
			if (JSON.stringify(to) !== JSON.stringify(fileOptions)) file = await open(to);
			log.level = level;
			fileOptions = to;
			if (file !== former) await former?.close(FILE_CLOSE_MS);
		},
		close: async (timeoutMs) => {
			await file?.close(timeoutMs);
			await drain(stream, timeoutMs);
		},
	};
}

function pretty({ colour, descriptor }: LogOptions): { write(line: string): void } {
	return PinoPretty({
		colorize: colour,
		destination: descriptor,
		sync: true,
		hideObject: true,
		translateTime: "SYS:HH:MM:ss",
		ignore: "pid,hostname",
		messageFormat: (record) => sentence(record),
	});
}

/**
 * Neither a reader that is gone nor one that does not read may hold up or end the daemon: pino's own destinations block the event
 * loop on a full pipe, and health with it.
 */
function lossy(stream: NodeJS.WriteStream, toJournal: boolean): { write(line: string): void } {
	const put = (line: string): void => void stream.write(toJournal ? withPriority(line) : line);
	let lost = 0;
	if (stream.listenerCount("error") === 0) stream.on("error", () => {}); // Nobody is left to be told.
	return {
		write: (line) => {
			if (stream.writableLength > MOST_WAITING_BYTES) {
				lost += 1;
				return;
			}
			if (lost > 0)
				put(`${JSON.stringify({ level: "warn", time: new Date().toISOString(), lost, msg: "log lines lost: nobody read them" })}\n`);
			lost = 0;
			put(line);
		},
	};
}

async function drain(stream: NodeJS.WriteStream, timeoutMs: number): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	while (stream.writableLength > 0 && !stream.destroyed && performance.now() < deadline) await pause(10);
}

/** A log that writes to `destination`, one JSON object a line. */
export function makeLog(level: string, destination: { write(line: string): void }): Log {
	return pino(
		{
			level,
			base: null,
			timestamp: stdTimeFunctions.isoTime,
			formatters: { level: (label) => ({ level: label }) },
			// Secrets of the configuration print [secret] by themselves (config/secret.ts); this is for what others call by such names.
			redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]), censor: "[secret]" },
		},
		destination,
	);
}

const messages: Readonly<Record<Outcome, string>> = {
	succeeded: "run succeeded",
	held: "run held",
	partial: "run partial",
	failed: "run failed",
};

/** The one line of a run. */
export function logRun(log: Log, report: RunReport): void {
	const { run, source, mode, trigger, outcome, sealed, read, created, updated, disabled, enabled, deleted, entitlements, unchanged } =
		report;
	const fields = {
		run,
		source,
		mode,
		trigger,
		outcome,
		sealed,
		read,
		created,
		updated,
		disabled,
		enabled,
		deleted,
		entitlements,
		unchanged,
		held: report.held,
		quarantined: report.quarantined,
		delivered: report.delivered,
		pending: report.pending,
		durationMs: Math.round(report.durationMs),
		...(report.server !== undefined && { server: report.server }),
		...(report.fullBecause !== undefined && { fullBecause: report.fullBecause }),
		...(report.unsealed.length > 0 && { unsealed: report.unsealed }),
		...(report.warnings.length > 0 && { warnings: report.warnings }),
		...(report.plan !== undefined && { plan: report.plan, heldKinds: report.heldKinds }),
		...(report.error !== undefined && { error: report.error }),
	};
	log[levelOf(report)](fields, messages[outcome]);
}

function levelOf({ outcome, unsealed, error }: RunReport): "info" | "warn" | "error" {
	// Asked for, by who ends the daemon.
	if (error?.code === "CANCELLED") return "info";
	if (outcome === "failed") return "error";
	return outcome === "succeeded" && unsealed.length === 0 ? "info" : "warn";
}

/** A log record as one line for a person: a run as a sentence, anything else as its message and fields. */
export function sentence(record: Record<string, unknown>): string {
	const message = printable(String(record["msg"] ?? ""));
	if (typeof record["outcome"] === "string" && typeof record["durationMs"] === "number") return printable(runSentence(record));
	const fields = Object.entries(record).filter(([key]) => !["level", "time", "msg", "err"].includes(key));
	const error = record["err"] as { stack?: string; message?: string } | undefined;
	const shown = fields.map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
	return [message, ...shown.map(printable), ...(error === undefined ? [] : [`\n${error.stack ?? error.message}`])].join("  ");
}

function runSentence(record: Record<string, unknown>): string {
	const counts = ["created", "updated", "disabled", "enabled", "deleted", "entitlements", "held", "quarantined", "pending"]
		.filter((key) => Number(record[key] ?? 0) > 0)
		.map((key) => `${record[key]} ${key}`);
	const error = record["error"] as { code: string; message: string; hint?: string } | undefined;
	const parts = [
		`${record["source"]}: ${record["mode"]} run ${record["run"]} ${record["outcome"]} in ${formatDuration(Number(record["durationMs"]))}`,
		`${record["read"]} read`,
		counts.length === 0 && error === undefined ? "nothing to do" : counts.join(", "),
		...listed("full because", record["fullBecause"]),
		...listed("not sealed", record["unsealed"]),
		...listed("note", record["warnings"]),
		error === undefined ? "" : `${error.message} (${error.code})${error.hint === undefined ? "" : `. ${error.hint}`}`,
		record["plan"] === undefined ? "" : `decide with: dirsyncd approve ${record["plan"]}`,
	];
	return parts.filter((part) => part !== "").join("; ");
}

function listed(what: string, value: unknown): readonly string[] {
	if (value === undefined) return [];
	return [`${what}: ${Array.isArray(value) ? value.join(", ") : String(value)}`];
}
