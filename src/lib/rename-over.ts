import { renameSync } from "node:fs";

/** Windows refuses to rename what somebody has open: a scanner looks into a new file for some hundred milliseconds. */
const HELD = new Set(["EPERM", "EACCES", "EBUSY"]);
/** A second and a half in all. */
const PAUSES_MS = [10, 20, 50, 100, 200, 400, 800];

export interface RenameParts {
	readonly platform: NodeJS.Platform;
	rename(from: string, to: string): void;
	/** Waits so many milliseconds. */
	pause(ms: number): void;
}

const real: RenameParts = {
	platform: process.platform,
	rename: renameSync,
	pause: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
};

/** Renames a file over another one, on Windows again and again while one of them is held. Throws what the last try threw. */
export function renameOver(from: string, to: string, { platform, rename, pause }: RenameParts = real): void {
	const pauses = pausesOf(platform);
	for (;;) {
		try {
			rename(from, to);
			return;
		} catch (error) {
			const ms = isHeld(error) ? pauses.shift() : undefined;
			if (ms === undefined) throw error;
			pause(ms);
		}
	}
}

/** The same, and nothing else stands still meanwhile. `rename` is the disk's. */
export async function renameOverSoon(
	from: string,
	to: string,
	rename: (from: string, to: string) => Promise<void>,
	platform: NodeJS.Platform = process.platform,
): Promise<void> {
	const pauses = pausesOf(platform);
	for (;;) {
		try {
			await rename(from, to);
			return;
		} catch (error) {
			const ms = isHeld(error) ? pauses.shift() : undefined;
			if (ms === undefined) throw error;
			await new Promise((resolve) => void setTimeout(resolve, ms));
		}
	}
}

function pausesOf(platform: NodeJS.Platform): number[] {
	return platform === "win32" ? [...PAUSES_MS] : [];
}

function isHeld(error: unknown): boolean {
	return error instanceof Error && "code" in error && HELD.has(String(error.code));
}
