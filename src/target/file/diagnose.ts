import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import path from "node:path";
import { Failure } from "../../core/errors.ts";
import type { Finding } from "../finding.ts";
import { diskFailure } from "./failure.ts";

/** Whether a file could be written. Changes nothing. */
export async function* diagnoseFile(file: string, content: "state" | "changes"): AsyncGenerator<Finding, void> {
	try {
		// A state is a new file in its folder; changes go into the one that is there.
		await access(path.dirname(file), constants.W_OK | constants.X_OK);
		const found = await statOf(file);
		if (found !== undefined && !found.isFile()) {
			yield { step: "file", subject: file, state: "failed", detail: "is no file", remedy: "Name another path." };
			return;
		}
		if (found !== undefined && content === "changes") await access(file, constants.R_OK | constants.W_OK);
		const detail = found === undefined ? "is not there yet, and its folder may be written to" : `may be written; ${found.size} octets now`;
		yield { step: "file", subject: file, state: "passed", detail };
	} catch (cause) {
		const failure = diskFailure(`write ${file}`, cause);
		if (!(failure instanceof Failure)) throw failure;
		yield { step: "file", subject: file, state: "failed", detail: failure.message, remedy: failure.hint };
	}
}

async function statOf(file: string) {
	try {
		return await stat(file);
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
		throw error;
	}
}
