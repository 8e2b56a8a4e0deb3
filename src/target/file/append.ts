import type * as fs from "node:fs";
import { Failure } from "../../core/errors.ts";
import type { ChangeFormat } from "./change.ts";
import { diskFailure } from "./failure.ts";
import type { FileTable } from "./options.ts";

/** What is asked of a disk; node:fs has it. */
export type SyncDisk = Pick<typeof fs, "closeSync" | "fstatSync" | "fsyncSync" | "ftruncateSync" | "openSync" | "readSync" | "writeSync">;

export interface AppendOptions {
	readonly path: string;
	readonly format: ChangeFormat;
	/** How the file is written: one that was written otherwise is not added to. */
	readonly shape: string;
	readonly table: FileTable;
	readonly disk: SyncDisk;
}

/** A file that is added to. What it says and what the mirror has may differ after a crash: the table knows how far they agree. */
export interface Appended {
	/** Keys of changes that the file tells although the mirror has not taken them over. */
	readonly told: ReadonlySet<string>;
	/** Writes behind what is there, for good. Call in the mirror's transaction, and let that fail when this does. */
	append(text: string): void;
	close(): void;
}

/** So much is read at a time. */
const CHUNK = 1 << 20;

/** No change is longer, not even one of a group with many members. */
const LONGEST = 1 << 28;

/** Opens the file, makes it when it is not there, and cuts off a change that was not written to its end. */
export function openAppended({ path, format, shape, table, disk }: AppendOptions): Appended {
	return withDisk(`open ${path}`, () => {
		const fd = disk.openSync(path, "a+", 0o600);
		try {
			const size = disk.fstatSync(fd).size;
			const row = table.state();
			if (size > 0 && row.shape !== null && row.shape !== shape) throw otherFile(path, "was written in another form");
			const known = row.shape === null || row.length === null || row.length > size ? undefined : row.length;
			if (size === 0) table.reach(0, shape);
			const from = size === 0 ? 0 : (known ?? 0);
			const { keys, end } = size === from ? { keys: [], end: size } : readFrom(fd, { path, format, disk }, from, size);
			// Of a file that is not known, what cannot be read as a change need not be one of ours.
			if (end < size && known === undefined && size > 0) throw otherFile(path, "ends with what is no change of ours");
			if (end < size) disk.ftruncateSync(fd, end);
			return made(fd, end, new Set(keys), { path, format, shape, table, disk });
		} catch (error) {
			disk.closeSync(fd);
			throw error;
		}
	});
}

function made(fd: number, end: number, told: ReadonlySet<string>, { path, format, shape, table, disk }: AppendOptions): Appended {
	return {
		told,
		append: (text) => {
			if (text === "") {
				table.reach(end, shape);
				return;
			}
			const bytes = Buffer.from(end === 0 ? format.head + text : text, "utf8");
			withDisk(`write to ${path}`, () => {
				try {
					for (let at = 0; at < bytes.length; ) at += disk.writeSync(fd, bytes, at);
					disk.fsyncSync(fd);
				} catch (error) {
					cutBack(fd, end, disk);
					throw error;
				}
			});
			table.reach(end + bytes.length, shape);
		},
		close: () => disk.closeSync(fd),
	};
}

function cutBack(fd: number, end: number, disk: SyncDisk): void {
	try {
		disk.ftruncateSync(fd, end);
	} catch {
		// What is too much is cut off when the file is opened again.
	}
}

interface Reader {
	readonly path: string;
	readonly format: ChangeFormat;
	readonly disk: SyncDisk;
}

/** Keys from an octet on, and where the last complete change ends. */
function readFrom(fd: number, { path, format, disk }: Reader, from: number, size: number): { keys: readonly string[]; end: number } {
	const keys: string[] = [];
	let end = from;
	let rest = Buffer.alloc(0);
	for (let at = from; at < size; ) {
		const chunk = Buffer.alloc(Math.min(CHUNK, size - at));
		const count = disk.readSync(fd, chunk, 0, chunk.length, at);
		if (count === 0) break;
		at += count;
		rest = Buffer.concat([rest, chunk.subarray(0, count)]);
		// Whole lines only: the end of a chunk may be the middle of a character.
		const text = rest.subarray(0, rest.lastIndexOf(0x0a) + 1).toString("utf8");
		const reading = format.read(text, end === 0);
		if (reading === undefined || rest.length > LONGEST) throw otherFile(path, "holds what is no change of ours");
		keys.push(...reading.keys);
		const length = Buffer.byteLength(text.slice(0, reading.length));
		end += length;
		rest = rest.subarray(length);
	}
	return { keys, end };
}

function otherFile(path: string, why: string): Failure {
	return new Failure("TARGET_REFUSED", `add to ${path}: the file ${why}`, { hint: "Move it away, or name another path." });
}

function withDisk<T>(tried: string, work: () => T): T {
	try {
		return work();
	} catch (cause) {
		throw diskFailure(tried, cause);
	}
}
