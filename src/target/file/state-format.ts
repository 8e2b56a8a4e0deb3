import { cellOf } from "../../core/account-cell.ts";
import { unreachable } from "../../core/errors.ts";
import type { Group } from "../../core/group.ts";
import { csvText } from "../../lib/csv.ts";
import { ldifLine, ldifLines } from "./ldif.ts";
import { makeEntries, NOBODY } from "./ldif-entries.ts";
import { type Column, type FileAccount, type FileTable, type Format, fileAccount, type Mirror } from "./options.ts";

/** Rows taken at a time: a page is in memory, not a directory. */
const PAGE = 1000;

/** The whole state as pieces of text: accounts by userName, each with its groups' names; in LDIF, groups by themselves behind them. */
export function* stateText(format: Format, { groups, file }: Mirror, signal: AbortSignal): Generator<string, void> {
	const text = writer(format, file);
	yield text.head;
	for (let after = ""; ; ) {
		signal.throwIfAborted();
		const rows = file.page(after, PAGE);
		for (const row of rows) yield text.account(fileAccount(row, file));
		const last = rows.at(-1);
		if (last === undefined) break;
		after = last.user_name;
	}
	if (text.group === undefined) return;
	for (let after = 0; ; ) {
		signal.throwIfAborted();
		const rows = groups.page(after, PAGE);
		for (const { id, external_id, body } of rows) yield* text.group(id, external_id, JSON.parse(body) as Group);
		const last = rows.at(-1);
		if (last === undefined) return;
		after = last.id;
	}
}

/** Whether a file that begins like this may be a state that we wrote. */
export function looksLikeState(text: string, format: Format): boolean {
	if (text === "") return true;
	if (format.kind === "jsonl") return text.startsWith('{"externalId":');
	return text.startsWith(format.kind === "csv" ? csvHead(format.columns) : LDIF_HEAD);
}

const LDIF_HEAD = "version: 1\n";

function csvHead(columns: readonly Column[]): string {
	return csvText([columns.map(({ heading }) => heading)]);
}

interface Writer {
	readonly head: string;
	account(account: FileAccount): string;
	/** Undefined: accounts name their groups. `row` is the mirror's number for it. */
	readonly group: ((row: number, anchor: string, group: Group) => Iterable<string>) | undefined;
}

function writer(format: Format, file: FileTable): Writer {
	switch (format.kind) {
		case "csv": {
			const { columns } = format;
			return {
				head: csvHead(columns),
				account: (account) => csvText([columns.map(({ field }) => cellOf(account, field))]),
				group: undefined,
			};
		}
		case "jsonl":
			return { head: "", account: jsonLine, group: undefined };
		case "ldif":
			return ldifWriter(format.base, file);
		default:
			return unreachable(format);
	}
}

function jsonLine({ anchor, account, groups }: FileAccount): string {
	return `${JSON.stringify({ externalId: anchor, ...account, ...(groups.length > 0 && { groups }) })}\n`;
}

function ldifWriter(base: string, file: FileTable): Writer {
	const entries = makeEntries(base, (anchor) => file.userName(anchor));
	return {
		head: LDIF_HEAD,
		account: (account) => {
			const dn = ldifLine("dn", entries.personDn(account.account.userName));
			return `\n${ldifLine("# anchor", account.anchor)}${dn}${ldifLines(entries.person(account))}`;
		},
		*group(row, anchor, group) {
			yield `\n${ldifLine("# anchor", anchor)}${ldifLine("dn", entries.groupDn(group.displayName))}${ldifLines(entries.group(group))}`;
			let isEmpty = true;
			for (let after = 0; ; ) {
				const members = file.members(row, after, PAGE);
				for (const { user_name } of members) yield ldifLine("member", entries.personDn(user_name));
				const last = members.at(-1);
				if (last === undefined) break;
				isEmpty = false;
				after = last.id;
			}
			if (isEmpty) yield ldifLine("member", NOBODY);
		},
	};
}
