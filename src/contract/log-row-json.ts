import type { Account } from "../core/account.ts";
import type { GroupSide } from "../core/group.ts";
import { instant } from "../lib/instant.ts";
import type { LoggedRow } from "../store/log-reader.ts";

/** A row of the change log, with who decided it. */
export function logRowJson(row: LoggedRow) {
	const { sequence, at, run, source, target, subject, kind, anchor, name, why, result, before, after, digest } = row;
	return {
		...{ sequence, at: instant(at), run: run === 0 ? null : run, source: source === "" ? null : source, target: target ?? null },
		...{ subject, kind, anchor, name, why, result, by: deciderOf(row) ?? null, before: side(before), after: side(after) },
		hash: digest.toString("hex"),
	};
}

/** Who decided it, where a person did. */
export function deciderOf({ result }: Pick<LoggedRow, "result">): string | undefined {
	return /^(?:started|approved|rejected|reverted|reverted run \d+|forgotten|unpinned|read back|restored) by (.+)$/s.exec(result)?.[1];
}

function side(text: string | undefined): Account | GroupSide | null {
	return text === undefined ? null : (JSON.parse(text) as Account | GroupSide);
}
