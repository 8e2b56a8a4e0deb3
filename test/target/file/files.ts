import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Account } from "../../../src/core/account.ts";
import { accountFields } from "../../../src/core/account-field.ts";
import type { ChangeKind } from "../../../src/core/change.ts";
import type { Anchor } from "../../../src/core/entry.ts";
import type { Disk } from "../../../src/lib/replace-file.ts";
import type { Connection } from "../../../src/store/database.ts";
import { openFileTargets } from "../../../src/store/file-targets.ts";
import { openLocalAccounts } from "../../../src/store/local-accounts.ts";
import { openLocalGroups } from "../../../src/store/local-groups.ts";
import type { SyncDisk } from "../../../src/target/file/append.ts";
import { makeChangesTarget } from "../../../src/target/file/changes.ts";
import type { Format } from "../../../src/target/file/options.ts";
import { makeStateTarget } from "../../../src/target/file/state.ts";
import type { Delivery, DeliveryResult, GroupDelivery, Target } from "../../../src/target/target.ts";

export const never = new AbortController().signal;
export const at = Date.UTC(2026, 0, 2, 3, 4, 5);

export const csv: Format = { kind: "csv", columns: accountFields.map((field) => ({ heading: field, field })) };
export const jsonl: Format = { kind: "jsonl" };
export const ldif: Format = { kind: "ldif", base: "ou=people,dc=example,dc=test" };
export const formats = [csv, jsonl, ldif];

export function freshFile(name = "accounts.out"): string {
	return path.join(mkdtempSync(path.join(tmpdir(), "dirsyncd-file-")), name);
}

/** Two of them over one database are one before and after a restart. */
export function openState(db: Connection, file: string, format: Format, disk?: Disk): Target {
	return makeStateTarget({ name: "nightly", path: file, format }, mirrorOf(db), disk);
}

export function openChanges(db: Connection, file: string, format: Format, disk?: SyncDisk): Target {
	return makeChangesTarget({ name: "nightly", path: file, format }, mirrorOf(db), () => at, disk);
}

export function mirrorOf(db: Connection) {
	return { accounts: openLocalAccounts(db, "nightly"), groups: openLocalGroups(db, "nightly"), file: openFileTargets(db, "nightly") };
}

export const anna: Account = {
	userName: "anna@corp.example",
	displayName: "Anna Åkesson",
	name: { givenName: "Anna", familyName: "Åkesson" },
	emails: [
		{ value: "anna@corp.example", type: "work", primary: true },
		{ value: "a.akesson@corp.example", type: "other" },
	],
	active: true,
	department: "Research",
};

/** `kind` and `key` follow from what is wanted unless they are given. */
export function delivery(anchor: string, wanted: Account | undefined, more: Partial<Delivery> = {}): Delivery {
	const kind: ChangeKind = wanted === undefined ? "delete" : "update";
	return {
		...{ anchor: anchor as Anchor, kind, wanted, remoteId: undefined, applied: undefined, appliedAnchor: undefined, managerId: undefined },
		key: `${anchor} ${JSON.stringify(wanted)}`,
		...more,
	};
}

export function groupDelivery(anchor: string, name: string | undefined, added: string[], removed: string[] = [], key = ""): GroupDelivery {
	const member = (one: string) => ({ anchor: one as Anchor, remoteId: one });
	const wanted = name === undefined ? undefined : { displayName: name };
	const members = { added: added.map(member), removed: removed.map(member) };
	return {
		anchor: anchor as Anchor,
		remoteId: undefined,
		wanted,
		applied: undefined,
		...members,
		key: `${anchor} ${name} ${added} ${removed} ${key}`,
	};
}

export async function applyGroup(target: Target, one: GroupDelivery): Promise<DeliveryResult> {
	if (target.groups === undefined) throw new Error("no groups");
	return target.groups.apply(one, never);
}

export async function finish(target: Target): Promise<void> {
	await target.finish?.(never);
}

export function textOf(file: string): string {
	return readFileSync(file, "utf8");
}
