import { fstatSync } from "node:fs";

/** What systemd hands to whom it starts: JOURNAL_STREAM says which stream is the journal (systemd.exec(5)). */
export interface StreamFacts {
	readonly journalStream: string | undefined;
	readonly descriptor: number;
}

/** Whether what is written to the descriptor is read by the journal: its device and inode are those that systemd named. */
export function isJournal({ journalStream, descriptor }: StreamFacts): boolean {
	if (journalStream === undefined) return false;
	try {
		const { dev, ino } = fstatSync(descriptor, { bigint: true });
		return journalStream === `${dev}:${ino}`;
	} catch {
		return false; // Closed: nobody reads it.
	}
}

/** pino's levels as the journal's (sd-daemon(3)): with the number in front, `journalctl -p warning` finds the line. */
const priorities = { fatal: 3, error: 3, warn: 4, info: 6, debug: 7, trace: 7 } as const;

/** The line with its priority in front. JSON has no line breaks of its own, so a line is one entry. */
export function withPriority(line: string): string {
	// As pino writes it: the level comes first.
	const level = /^\{"level":"(\w+)"/.exec(line)?.[1];
	return `<${priorities[level as keyof typeof priorities] ?? priorities.info}>${line}`;
}
