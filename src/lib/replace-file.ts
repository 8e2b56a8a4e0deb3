import type { BigIntStats } from "node:fs";
import * as promises from "node:fs/promises";
import path from "node:path";
import { renameOverSoon } from "./rename-over.ts";

/** What is asked of a disk; node:fs/promises has it. */
export type Disk = Pick<typeof promises, "open" | "realpath" | "rename" | "rm" | "stat">;

/** So much text is gathered before it is written. */
const CHUNK = 65_536;

/**
 * Puts a file in the place of another, at once and for good: whoever reads sees the old one or the new one, also after a crash.
 * Only its owner may read it. Returns what the file looks like. Throws whatever the disk says; the old file is whole then.
 */
export async function replaceFile(file: string, texts: Iterable<string>, disk: Disk = promises): Promise<BigIntStats> {
	const place = await linked(file, disk);
	const beside = `${place}.new`;
	// What a crash left behind; and whoever put a link there shall not have it followed.
	await disk.rm(beside, { force: true });
	try {
		const stats = await write(beside, texts, disk);
		await renameOverSoon(beside, place, disk.rename);
		await syncFolder(path.dirname(place), disk);
		return stats;
	} catch (error) {
		await disk.rm(beside, { force: true }).catch(() => {}); // The error that matters is the first one.
		throw error;
	}
}

/** A link to the file stays a link. */
async function linked(file: string, disk: Disk): Promise<string> {
	try {
		return await disk.realpath(file);
	} catch (error) {
		if (isErrno(error, "ENOENT")) return file;
		throw error;
	}
}

async function write(file: string, texts: Iterable<string>, disk: Disk): Promise<BigIntStats> {
	const handle = await disk.open(file, "wx", 0o600);
	try {
		let gathered = "";
		for (const text of texts) {
			gathered += text;
			if (gathered.length < CHUNK) continue;
			await handle.writeFile(gathered);
			gathered = "";
		}
		await handle.writeFile(gathered);
		await handle.sync();
		return await handle.stat({ bigint: true });
	} finally {
		await handle.close();
	}
}

/** The rename itself is in the folder. Windows has no such thing as a folder that is opened. */
async function syncFolder(folder: string, disk: Disk): Promise<void> {
	if (process.platform === "win32") return;
	const handle = await disk.open(folder, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

function isErrno(error: unknown, code: string): boolean {
	return error instanceof Error && "code" in error && error.code === code;
}
