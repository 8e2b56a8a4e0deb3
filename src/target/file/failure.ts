import { Failure } from "../../core/errors.ts";

/** Why the disk did not do what was asked of it, with what a person can do about it. What is no word of the disk's is a bug, and stays one. */
export function diskFailure(tried: string, cause: unknown): unknown {
	const code = cause instanceof Error && "syscall" in cause && "code" in cause ? String(cause.code) : undefined;
	if (code === undefined) return cause;
	const [reason, hint] = reasons[code] ?? [
		(cause as Error).message,
		"See to the file and its folder; nothing is lost, and it is tried again.",
	];
	return new Failure("TARGET_UNREACHABLE", `${tried}: ${reason}`, { cause, hint });
}

const mayWrite = "Let dirsyncd's user write into the folder, or name another path.";
const makeRoom = "Make room there; nothing is lost, and it is tried again.";

const reasons: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
	ENOSPC: ["no space is left on the disk", makeRoom],
	EDQUOT: ["the user's share of the disk is used up", makeRoom],
	EFBIG: ["the file would be larger than is allowed", makeRoom],
	ENOENT: ["its folder is not there", "Make the folder, or name another path."],
	ENOTDIR: ["a part of its path is not a folder", "Name another path."],
	EISDIR: ["it is a folder", "Name a file within it."],
	EACCES: ["this user may not write there", mayWrite],
	EPERM: ["this user may not write there", mayWrite],
	EROFS: ["the disk may only be read", "Name a path on another disk, or let systemd's ReadWritePaths= have it."],
	EIO: ["the disk failed", "Look at the disk and at the system's log."],
	ENAMETOOLONG: ["its name is too long", "Name another path."],
};
