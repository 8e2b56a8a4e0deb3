import type { Account } from "../../core/account.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Group } from "../../core/group.ts";
import type { Delivery, DeliveryResult, GroupDelivery, GroupTarget, RemoteAccount, Target } from "../target.ts";

/** What the embedded account store needs of the database (store/local-accounts). */
export interface LocalTable {
	batch<T>(work: () => T): T;
	put(externalId: string, body: string): boolean;
	rename(externalId: string, to: string): void;
	remove(externalId: string): void;
	byExternalId(externalId: string): LocalRow | undefined;
	byUserName(userName: string): LocalRow | undefined;
	page(id: number, limit: number): readonly LocalRow[];
}

interface LocalRow {
	readonly id: number;
	readonly external_id: string;
	readonly body: string;
}

/** What it needs for groups (store/local-groups). */
export interface LocalGroupTable {
	batch<T>(work: () => T): T;
	put(externalId: string, body: string): number;
	idOf(externalId: string): number | undefined;
	bodyOf(externalId: string): string | undefined;
	remove(id: number): void;
	addMember(id: number, accountExternalId: string): void;
	removeMember(id: number, accountExternalId: string): void;
	page(after: number, limit: number): readonly LocalRow[];
	members(id: number): readonly string[];
}

/** The embedded account store as a target: an upsert by anchor, so that a create sent twice is one account. */
export function makeLocalTarget(name: string, table: LocalTable, groups: LocalGroupTable): Target {
	return {
		name,
		batch: 10_000,
		lanes: 1,
		announcesCreates: false,
		managerBy: "anchor",
		apply: async (deliveries) => table.batch(() => deliveries.map((delivery) => applyToRows(table, delivery))),
		find: async (anchor, wanted) => {
			const own = table.byExternalId(anchor);
			const row = own ?? (wanted && table.byUserName(wanted.userName));
			if (row === undefined) return undefined;
			const by = own === undefined ? "attribute" : "external-id";
			return {
				by,
				on: own === undefined ? `userName "${wanted?.userName}"` : `externalId "${anchor}"`,
				remote: remoteAccount(row),
				isAmbiguous: false,
			};
		},
		reader: {
			async *list(signal) {
				for (let last = 0; ; ) {
					signal.throwIfAborted();
					const rows = table.page(last, 1000);
					for (const row of rows) yield remoteAccount(row);
					const end = rows.at(-1);
					if (end === undefined) return;
					last = end.id;
				}
			},
			read: async (remoteId) => {
				const row = table.byExternalId(remoteId);
				return row && remoteAccount(row);
			},
		},
		groups: makeLocalGroups(groups),
		close: async () => {},
	};
}

/** One delivery, within the caller's transaction. */
export function applyToRows(table: LocalTable, delivery: Delivery): DeliveryResult {
	const { anchor, remoteId } = delivery;
	// A person who came from another source brings the account along: it is the same one under another anchor.
	if (remoteId !== undefined && remoteId !== anchor) table.rename(remoteId, anchor);
	// Where the text is at hand, the account stays unread.
	const text = delivery.wantedText ?? JSON.stringify(delivery.wanted);
	if (text === undefined) {
		table.remove(anchor);
		return { kind: "applied", remoteId: anchor };
	}
	if (table.put(anchor, text)) return { kind: "applied", remoteId: anchor };
	const { userName } = delivery.wanted as Account;
	const holder = table.byUserName(userName);
	return { kind: "refused", error: `userName ${userName} belongs to the account of ${holder?.external_id ?? "another person"}` };
}

/** One delivery of a group, within the caller's transaction. */
export function applyToGroupRows(table: LocalGroupTable, { anchor, wanted, added, removed }: GroupDelivery): DeliveryResult {
	if (wanted === undefined) {
		const id = table.idOf(anchor);
		if (id !== undefined) table.remove(id);
		return { kind: "applied", remoteId: anchor };
	}
	const id = table.put(anchor, JSON.stringify(wanted));
	for (const member of added) table.addMember(id, member.remoteId);
	for (const member of removed) table.removeMember(id, member.remoteId);
	return { kind: "applied", remoteId: anchor };
}

function makeLocalGroups(table: LocalGroupTable): GroupTarget {
	return {
		memberBatch: 10_000,
		apply: async (delivery) => table.batch(() => applyToGroupRows(table, delivery)),
		find: async (anchor) => {
			const body = table.bodyOf(anchor);
			if (body === undefined) return undefined;
			const group = JSON.parse(body) as Group;
			return { by: "external-id", on: `externalId "${anchor}"`, remoteId: anchor, anchor, group, isAmbiguous: false };
		},
		async *list(signal) {
			for (let last = 0; ; ) {
				signal.throwIfAborted();
				const rows = table.page(last, 100);
				for (const row of rows) {
					yield {
						remoteId: row.external_id,
						anchor: row.external_id as Anchor,
						group: JSON.parse(row.body) as Group,
						members: table.members(row.id),
					};
				}
				const end = rows.at(-1);
				if (end === undefined) return;
				last = end.id;
			}
		},
	};
}

function remoteAccount(row: LocalRow): RemoteAccount {
	return { remoteId: row.external_id, anchor: row.external_id as Anchor, account: JSON.parse(row.body) as Account };
}
