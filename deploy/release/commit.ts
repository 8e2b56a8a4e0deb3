import { statSync } from "node:fs";
import path from "node:path";
import { listBeneath } from "./files.ts";
import { run } from "./run.ts";

/** Of what a release is made: the commit's time stands in every file of it, so that the same commit makes the same bytes. */
export interface Commit {
	readonly at: Date;
	/** Files that are not as they were committed. */
	readonly changed: readonly string[];
	/** Files beneath a folder of the checkout that belong to it, as paths from the checkout's top. What somebody left lying there does not. */
	readonly filesOf: (folder: string) => readonly string[];
}

/** Reads it from git. Without git it is `said`, in seconds ($SOURCE_DATE_EPOCH), and every file that is there. Throws without either. */
export function readCommit(root: string, said: string | undefined): Commit {
	const isCheckout = isOwnCheckout(root);
	if (said === undefined && !isCheckout) throw new Error("this is no git checkout: SOURCE_DATE_EPOCH has to say the release's time");
	const seconds = Number(said ?? run("git", ["log", "-1", "--format=%ct"], root));
	if (!Number.isSafeInteger(seconds) || seconds < 0) throw new Error(`SOURCE_DATE_EPOCH is no time in seconds: ${said}`);
	const at = new Date(seconds * 1000);
	if (!isCheckout) return { at, changed: [], filesOf: (folder) => allOf(root, folder) };
	return {
		at,
		changed: lines(run("git", ["status", "--porcelain", "--untracked-files=no"], root)).map((line) => line.slice(3)),
		filesOf: (folder) => lines(run("git", ["ls-files", "-z", "--", folder], root).replaceAll("\0", "\n")),
	};
}

function isOwnCheckout(root: string): boolean {
	try {
		return run("git", ["rev-parse", "--show-prefix"], root).trim() === "";
	} catch {
		return false; // No git, or no checkout.
	}
}

function allOf(root: string, name: string): readonly string[] {
	if (!statSync(path.join(root, name)).isDirectory()) return [name];
	return listBeneath(path.join(root, name)).files.map((file) => `${name}/${file}`);
}

function lines(text: string): readonly string[] {
	return text.split("\n").filter((line) => line !== "");
}
