import { cellOf, joined } from "../../core/account-cell.ts";
import { unreachable } from "../../core/errors.ts";
import { csvText, readRecords } from "../../lib/csv.ts";
import type { AccountChange, Change, ChangeFormat, GroupChange } from "./change.ts";
import { makeLdifChanges } from "./ldif-changes.ts";
import type { Column, FileAccount, FileTable, Format } from "./options.ts";

/** How a format tells changes. */
export function makeChangeFormat(format: Format, file: FileTable): ChangeFormat {
	switch (format.kind) {
		case "csv":
			return makeCsvChanges(format.columns);
		case "jsonl":
			return jsonChanges;
		case "ldif":
			return makeLdifChanges(format.base, file);
		default:
			return unreachable(format);
	}
}

const jsonChanges: ChangeFormat = {
	head: "",
	text: (change) => `${JSON.stringify(change.subject === "account" ? accountJson(change) : groupJson(change))}\n`,
	read: (text) => {
		const length = text.lastIndexOf("\n") + 1;
		const lines = text.slice(0, length).split("\n").slice(0, -1);
		const keys = lines.map(keyIn);
		return keys.every((key) => key !== undefined) ? { keys, length } : undefined;
	},
};

function accountJson({ at, key, subject, kind, anchor, before, after }: AccountChange): object {
	return {
		...{ time: new Date(at).toISOString(), key, subject, kind, externalId: anchor },
		...(before !== undefined && before.anchor !== anchor && { previousExternalId: before.anchor }),
		...(before !== undefined && { before: before.account }),
		...(after !== undefined && { account: after.account }),
	};
}

function groupJson({ at, key, subject, kind, anchor, before, after, added, removed }: GroupChange): object {
	return {
		...{ time: new Date(at).toISOString(), key, subject, kind, externalId: anchor },
		...(before !== undefined && { before }),
		...(after !== undefined && { group: after }),
		...(added.length > 0 && { added: added.map((member) => member.anchor) }),
		...(removed.length > 0 && { removed: removed.map((member) => member.anchor) }),
	};
}

function keyIn(line: string): string | undefined {
	try {
		const { key } = JSON.parse(line) as { readonly key?: unknown };
		return typeof key === "string" ? key : undefined;
	} catch {
		return undefined; // Not JSON: it is not ours, which the caller says.
	}
}

/** Columns in front of those of the configuration, and behind them. */
const front = ["time", "key", "subject", "kind"];
const back = ["added", "removed"];

/** Of a group, the cells of anchor and displayName are filled; members that come and go are named by their anchors. */
function makeCsvChanges(columns: readonly Column[]): ChangeFormat {
	const head = csvText([[...front, ...columns.map(({ heading }) => heading), ...back]]);
	const cellsOf = (change: Change): readonly string[] => {
		const { at, key, subject, kind } = change;
		const first = [new Date(at).toISOString(), key, subject, kind];
		if (change.subject === "account") {
			// Of an account that is deleted, what it was.
			const account = (change.after ?? change.before) as FileAccount;
			return [...first, ...columns.map(({ field }) => cellOf(account, field)), "", ""];
		}
		const name = (change.after ?? change.before)?.displayName ?? "";
		const own = columns.map(({ field }) => (field === "anchor" ? change.anchor : field === "displayName" ? name : ""));
		const [added, removed] = [change.added, change.removed].map((members) => joined(members.map(({ anchor }) => anchor)));
		return [...first, ...own, added ?? "", removed ?? ""];
	};
	return {
		head,
		text: (change) => csvText([cellsOf(change)]),
		read: (text, isStart) => {
			if (isStart && !text.startsWith(head)) return undefined;
			const { records, length } = readRecords(text);
			const changes = isStart ? records.slice(1) : records;
			const isOurs = changes.every((cells) => cells.length === front.length + columns.length + back.length);
			return isOurs ? { keys: changes.map(([, key = ""]) => withoutApostrophe(key)), length } : undefined;
		},
	};
}

/** What `csvText` put in front of a key that looks like a formula. */
function withoutApostrophe(cell: string): string {
	return cell.replace(/^'(?=[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20])/, "");
}
