import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { Failure } from "../../src/core/errors.ts";
import type { Group } from "../../src/core/group.ts";
import type { Delivery, DeliveryResult, GroupDelivery, RemoteAccount, Target } from "../../src/target/target.ts";

interface Kept {
	anchor: Anchor | undefined;
	account: Account;
}

export interface RemoteDoubleOptions {
	readonly name?: string;
	readonly batch?: number;
	readonly lanes?: number;
	readonly managerBy?: Target["managerBy"];
	readonly memberBatch?: number;
}

/**
 * A target as strict as a remote one: it gives ids of its own, makes a second account when a create comes twice, refuses a userName
 * that another account has, a manager who is not there, and what it does not know.
 */
export function makeRemoteDouble(options: RemoteDoubleOptions = {}) {
	const { name = "remote", batch = 3, lanes = 1, managerBy = "anchor", memberBatch = 2 } = options;
	const groups = new Map<string, { anchor: Anchor | undefined; group: Group; members: Set<string> }>();
	const accounts = new Map<string, Kept>();
	const faults = {
		/** Anchors of accounts and groups that are refused, and of members that no group takes. */
		refuse: new Set<string>(),
		/** Anchors whose next delivery is answered so. */
		answer: new Map<string, DeliveryResult>(),
		/** Thrown by everything. */
		down: undefined as Failure | undefined,
	};
	/** Everything that was sent, in the order in which it came. */
	const sent: Delivery[] = [];
	const state = { next: 1, creates: 0, underway: 0, most: 0 };
	const holderOf = (userName: string) =>
		[...accounts].find(([, { account }]) => account.userName.toLowerCase() === userName.toLowerCase())?.[0];
	const remote = (remoteId: string, { anchor, account }: Kept): RemoteAccount => ({ remoteId, anchor, account });
	const match = (by: "external-id" | "attribute", on: string, id: string, kept: Kept) => ({
		...{ by, on, remote: remote(id, kept), isAmbiguous: false },
	});

	const applyOne = (delivery: Delivery): DeliveryResult => {
		const { anchor, remoteId, wanted, managerId } = delivery;
		sent.push(delivery);
		const answer = faults.answer.get(anchor);
		faults.answer.delete(anchor);
		if (answer !== undefined) return answer;
		if (faults.refuse.has(anchor)) return { kind: "refused", error: "400 no seats left" };
		if (wanted === undefined) {
			if (remoteId !== undefined) accounts.delete(remoteId);
			// As servers do: who is gone is in no group any more.
			for (const { members } of groups.values()) members.delete(remoteId ?? "");
			return { kind: "applied", remoteId: remoteId ?? "" };
		}
		if (remoteId !== undefined && !accounts.has(remoteId)) return { kind: "gone", error: `404 no account ${remoteId}` };
		const holder = holderOf(wanted.userName);
		if (holder !== undefined && holder !== remoteId) {
			return { kind: remoteId === undefined ? "conflict" : "refused", error: `409 ${wanted.userName} is taken` };
		}
		const account = managerBy === "anchor" ? wanted : managed(wanted, managerId);
		if (account.manager !== undefined && managerBy === "remote-id" && !accounts.has(account.manager)) {
			return { kind: "refused", error: `400 no manager ${account.manager}` };
		}
		if (remoteId === undefined) state.creates++;
		const id = remoteId ?? `r${state.next++}`;
		accounts.set(id, { anchor, account });
		return { kind: "applied", remoteId: id };
	};

	const applyGroup = ({ anchor, remoteId, wanted, added, removed }: GroupDelivery): DeliveryResult => {
		if (faults.refuse.has(anchor)) return { kind: "refused", error: "400 no such luck" };
		if (wanted === undefined) {
			if (remoteId !== undefined) groups.delete(remoteId);
			return { kind: "applied", remoteId: remoteId ?? "" };
		}
		if (remoteId !== undefined && !groups.has(remoteId)) return { kind: "gone", error: `404 no group ${remoteId}` };
		if (added.length + removed.length > memberBatch) return { kind: "refused", error: "413 too many members" };
		const stranger = added.find((member) => accounts.get(member.remoteId)?.anchor !== member.anchor || faults.refuse.has(member.anchor));
		if (stranger !== undefined) return { kind: "refused", error: `400 no account ${stranger.remoteId}` };
		const id = remoteId ?? `g${state.next++}`;
		const members = groups.get(id)?.members ?? new Set();
		for (const member of added) members.add(member.remoteId);
		for (const member of removed) members.delete(member.remoteId);
		groups.set(id, { anchor, group: wanted, members });
		return { kind: "applied", remoteId: id };
	};

	/** A request takes its time: others may come in between. */
	const request = async <T>(work: () => T): Promise<T> => {
		state.underway++;
		state.most = Math.max(state.most, state.underway);
		try {
			await new Promise(setImmediate);
			if (faults.down !== undefined) throw faults.down;
			return work();
		} finally {
			state.underway--;
		}
	};

	const target: Target = {
		...{ name, batch, lanes, announcesCreates: true, managerBy },
		apply: (deliveries) => request(() => deliveries.map(applyOne)),
		find: (anchor, wanted) =>
			request(() => {
				const own = [...accounts].find(([, account]) => account.anchor === anchor);
				if (own !== undefined) return match("external-id", `externalId "${anchor}"`, ...own);
				if (wanted === undefined) return undefined;
				const { userName } = wanted;
				const holder = holderOf(userName);
				const kept = holder === undefined ? undefined : accounts.get(holder);
				return holder === undefined || kept === undefined ? undefined : match("attribute", `userName "${userName}"`, holder, kept);
			}),
		reader: {
			async *list() {
				for (const [id, account] of accounts) yield remote(id, account);
			},
			read: (remoteId) =>
				request(() => {
					const account = accounts.get(remoteId);
					return account && remote(remoteId, account);
				}),
		},
		groups: {
			memberBatch,
			apply: (delivery) => request(() => applyGroup(delivery)),
			find: (anchor, wanted) =>
				request(() => {
					const own = [...groups].find(([, group]) => group.anchor === anchor);
					const displayName = wanted?.displayName;
					const found = own ?? [...groups].find(([, { group }]) => group.displayName === displayName);
					if (found === undefined) return undefined;
					const by = own === undefined ? "attribute" : "external-id";
					const on = own === undefined ? `displayName "${displayName}"` : `externalId "${anchor}"`;
					return { by, on, remoteId: found[0], anchor: found[1].anchor, group: found[1].group, isAmbiguous: false };
				}),
			async *list() {
				for (const [remoteId, { anchor, group, members }] of groups) yield { remoteId, anchor, group, members: [...members].sort() };
			},
		},
		close: async () => {},
	};
	return { target, groups, accounts, faults, sent, creates: () => state.creates, most: () => state.most };
}

function managed({ manager: _, ...rest }: Account, managerId: string | undefined): Account {
	return managerId === undefined ? rest : { ...rest, manager: managerId as Anchor };
}
