import type { BigIntStats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { Failure } from "../../core/errors.ts";
import { makeQueues } from "../../lib/queue.ts";
import { type Disk, replaceFile } from "../../lib/replace-file.ts";
import { makeLocalTarget } from "../local/local.ts";
import type { Target } from "../target.ts";
import { diskFailure } from "./failure.ts";
import type { FileOptions, Format, Mirror } from "./options.ts";
import { looksLikeState, stateText } from "./state-format.ts";
import { makeUniqueGroups } from "./unique-groups.ts";

/**
 * A file with the whole state. Deliveries go into the mirror; the file is written from it when a pass of them has ended, and only
 * if it does not say so already. Nothing of a pass is seen before all of it is.
 */
export function makeStateTarget({ name, path, format }: FileOptions, mirror: Mirror, disk?: Disk): Target {
	const store = makeLocalTarget(name, mirror.accounts, mirror.groups);
	const groups = format.kind === "ldif" ? makeUniqueGroups(store.groups, mirror.file) : store.groups;
	const shape = JSON.stringify({ content: "state", format });
	const queue = makeQueues();
	/** What is being written does not change meanwhile. */
	const alone = <T>(work: () => Promise<T>): Promise<T> => queue(path, work);

	const finish = async (signal: AbortSignal): Promise<void> => {
		const row = mirror.file.state();
		// To a database in which nothing was ever delivered, a file that is there says more than an empty one would.
		if (row.version === 0) return;
		try {
			const stamp = await stampOf(path);
			if (row.written === row.version && row.shape === shape && row.stamp === stamp) return;
			if (stamp !== undefined) await refuseOther(path, row, format);
			const written = await replaceFile(path, stateText(format, mirror, signal), disk);
			mirror.file.wrote(row.version, shape, stampText(written));
		} catch (cause) {
			throw diskFailure(`write ${path}`, cause);
		}
	};

	return {
		...store,
		apply: (deliveries, signal) =>
			alone(() => {
				mirror.file.touch();
				return store.apply(deliveries, signal);
			}),
		groups: groups && {
			...groups,
			apply: (delivery, signal) =>
				alone(() => {
					mirror.file.touch();
					return groups.apply(delivery, signal);
				}),
		},
		finish: (signal) => alone(() => finish(signal)),
	};
}

/** A file that is there is replaced if it is one of ours: a path may be a mistake, and changes are told once. */
async function refuseOther(path: string, { shape, length }: ReturnType<Mirror["file"]["state"]>, format: Format): Promise<void> {
	const isState = shape === null ? looksLikeState(await beginningOf(path), format) : length === null;
	if (isState) return;
	const what = shape === null ? "is there, and is none of ours" : "holds changes";
	throw new Failure("TARGET_REFUSED", `write ${path}: the file ${what}`, { hint: "Move it away, or name another path." });
}

/** Undefined: it is not there. */
async function stampOf(file: string): Promise<string | undefined> {
	try {
		return stampText(await stat(file, { bigint: true }));
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
		throw error;
	}
}

/** As much as tells what a file is. */
async function beginningOf(file: string): Promise<string> {
	const handle = await open(file, "r");
	try {
		const { buffer, bytesRead } = await handle.read(Buffer.alloc(16_384), 0, 16_384, 0);
		return buffer.toString("utf8", 0, bytesRead);
	} finally {
		await handle.close();
	}
}

/** Whoever wrote to a file, or put another one in its place, changed one of these. */
function stampText({ ino, size, mtimeNs }: BigIntStats): string {
	return `${ino} ${size} ${mtimeNs}`;
}
