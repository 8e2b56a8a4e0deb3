import { readFileSync } from "node:fs";
import { command } from "../support/command.ts";

export interface Cost {
	readonly wallMs: number;
	readonly cpuMs: number;
}

/** What a program costs, from its start to its end, by bash's own clock: its processor time is that of its children alone. */
export async function costOf(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Cost> {
	const { stderr } = await command("bash", ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null', "bash", program, ...args], { env });
	const [wall, user, system] = (stderr.trim().split("\n").at(-1) as string).split(" ").map(Number) as [number, number, number];
	return { wallMs: wall * 1000, cpuMs: (user + system) * 1000 };
}

/** The most memory this process ever held, in MB; Linux only. */
export function peakMemoryMb(): number {
	const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
	if (peak === null) throw new Error("/proc/self/status has no VmHWM");
	return Number(peak[1]) / 1024;
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((one, other) => one - other);
	const middle = Math.floor(sorted.length / 2);
	if (sorted.length === 0) throw new Error("no median of nothing");
	return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A table for a terminal that is also Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
	const line = (cells: readonly string[]) =>
		`| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
	const rule = `|${widths.map((width, column) => (column === 0 ? `${"-".repeat(width + 2)}` : `${"-".repeat(width + 1)}:`)).join("|")}|`;
	return [line(head), rule, ...rows.map(line)].join("\n");
}
