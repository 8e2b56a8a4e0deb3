import type { Account } from "../../core/account.ts";
import type { AccountField } from "../../core/account-field.ts";
import type { Anchor } from "../../core/entry.ts";
import type { LocalGroupTable, LocalTable } from "../local/local.ts";

export interface FileOptions {
	readonly name: string;
	/** Absolute. */
	readonly path: string;
	readonly format: Format;
}

export type Format =
	| { readonly kind: "csv"; readonly columns: readonly Column[] }
	| { readonly kind: "jsonl" }
	/** `base`: the DN beneath which the entries are. */
	| { readonly kind: "ldif"; readonly base: string };

export interface Column {
	readonly heading: string;
	readonly field: AccountField;
}

/** What a file is written from: accounts and groups in our own database. */
export interface Mirror {
	readonly accounts: LocalTable;
	readonly groups: LocalGroupTable;
	readonly file: FileTable;
}

/** What it needs of the database besides (store/file-targets). */
export interface FileTable {
	state(): FileRow;
	touch(): void;
	wrote(version: number, shape: string, stamp: string): void;
	reach(length: number, shape: string): void;
	page(after: string, limit: number): readonly (MirroredRow & { readonly user_name: string })[];
	groupNames(row: number): readonly string[];
	userName(externalId: string): string | undefined;
	groupNamed(name: string): string | undefined;
	isMember(group: number, externalId: string): boolean;
	members(group: number, row: number, limit: number): readonly { readonly id: number; readonly user_name: string }[];
}

export interface MirroredRow {
	readonly id: number;
	readonly external_id: string;
	readonly body: string;
}

interface FileRow {
	readonly version: number;
	readonly written: number | null;
	readonly shape: string | null;
	readonly stamp: string | null;
	readonly length: number | null;
}

/** An account with all that a file says of it. */
export interface FileAccount {
	readonly anchor: Anchor;
	readonly account: Account;
	/** Names of the groups that it is in, sorted. */
	readonly groups: readonly string[];
}

export function fileAccount(row: MirroredRow, table: FileTable): FileAccount {
	return { anchor: row.external_id as Anchor, account: JSON.parse(row.body) as Account, groups: table.groupNames(row.id) };
}
