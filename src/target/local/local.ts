import type { Account } from "../../core/account.ts";
import type { Anchor } from "../../core/entry.ts";
import type { Delivery, DeliveryResult, RemoteAccount, Target } from "../target.ts";

/** What the embedded account store needs of the database (store/local-accounts). */
export interface LocalTable {
	batch<T>(work: () => T): T;
	put(externalId: string, body: string): boolean;
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

/** The embedded account store as a target: an upsert by anchor, so that a create sent twice is one account. */
export function makeLocalTarget(name: string, table: LocalTable): Target {
	const applyOne = (delivery: Delivery): DeliveryResult => {
		const { anchor } = delivery;
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
	};

	return {
		name,
		batch: 10_000,
		announcesCreates: false,
		apply: async (deliveries) => table.batch(() => deliveries.map(applyOne)),
		find: async (anchor, userName) => {
			const row = table.byExternalId(anchor) ?? table.byUserName(userName);
			return row && remoteAccount(row);
		},
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
		close: async () => {},
	};
}

function remoteAccount(row: LocalRow): RemoteAccount {
	return { remoteId: row.external_id, anchor: row.external_id as Anchor, account: JSON.parse(row.body) as Account };
}
