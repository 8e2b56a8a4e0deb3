import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { Group } from "../../src/core/group.ts";
import type { RemoteAccount, Target } from "../../src/target/target.ts";

/**
 * A target as strict as a remote one: it gives ids of its own, makes a second account when a create comes twice, and refuses a
 * userName that another account has.
 */
export function makeRemoteDouble(name = "remote", batch = 3) {
	const groups = new Map<string, { anchor: Anchor; group: Group; members: Set<string> }>();
	const accounts = new Map<string, { anchor: Anchor; account: Account }>();
	const faults = { refuse: new Set<string>() };
	let next = 1;
	let creates = 0;
	const holderOf = (userName: string) =>
		[...accounts].find(([, { account }]) => account.userName.toLowerCase() === userName.toLowerCase())?.[0];
	const remote = (remoteId: string, { anchor, account }: { anchor: Anchor; account: Account }): RemoteAccount => ({
		remoteId,
		anchor,
		account,
	});

	const target: Target = {
		name,
		batch,
		lanes: 1,
		announcesCreates: true,
		managerBy: "anchor",
		apply: async (deliveries) =>
			deliveries.map(({ anchor, remoteId, wanted }) => {
				if (faults.refuse.has(anchor)) return { kind: "refused", error: "400 no seats left" };
				if (wanted === undefined) {
					if (remoteId !== undefined) accounts.delete(remoteId);
					// As servers do: who is gone is in no group any more.
					for (const { members } of groups.values()) members.delete(remoteId ?? "");
					return { kind: "applied", remoteId: remoteId ?? "" };
				}
				const holder = holderOf(wanted.userName);
				if (holder !== undefined && holder !== remoteId) return { kind: "refused", error: `409 ${wanted.userName} is taken` };
				if (remoteId === undefined) creates++;
				const id = remoteId ?? `r${next++}`;
				accounts.set(id, { anchor, account: wanted });
				return { kind: "applied", remoteId: id };
			}),
		find: async (anchor, { userName }) => {
			const own = [...accounts].find(([, account]) => account.anchor === anchor);
			if (own !== undefined) return { by: "external-id", on: `externalId "${anchor}"`, remote: remote(...own), isAmbiguous: false };
			const holder = holderOf(userName);
			const account = holder === undefined ? undefined : accounts.get(holder);
			if (holder === undefined || account === undefined) return undefined;
			return { by: "attribute", on: `userName "${userName}"`, remote: remote(holder, account), isAmbiguous: false };
		},
		reader: {
			async *list() {
				for (const [id, account] of accounts) yield remote(id, account);
			},
			read: async (remoteId) => {
				const account = accounts.get(remoteId);
				return account && remote(remoteId, account);
			},
		},
		groups: {
			memberBatch: 2,
			apply: async ({ anchor, remoteId, wanted, added, removed }) => {
				if (faults.refuse.has(anchor)) return { kind: "refused", error: "400 no such luck" };
				if (wanted === undefined) {
					if (remoteId !== undefined) groups.delete(remoteId);
					return { kind: "applied", remoteId: remoteId ?? "" };
				}
				if (added.length + removed.length > 2) return { kind: "refused", error: "413 too many members" };
				const stranger = [...added, ...removed].find((member) => accounts.get(member.remoteId)?.anchor !== member.anchor);
				if (stranger !== undefined) return { kind: "refused", error: `400 no account ${stranger.remoteId}` };
				const id = remoteId ?? `g${next++}`;
				const members = groups.get(id)?.members ?? new Set();
				for (const member of added) members.add(member.remoteId);
				for (const member of removed) members.delete(member.remoteId);
				groups.set(id, { anchor, group: wanted, members });
				return { kind: "applied", remoteId: id };
			},
			find: async (anchor) => {
				const found = [...groups].find(([, group]) => group.anchor === anchor);
				if (found === undefined) return undefined;
				return { by: "external-id", on: `externalId "${anchor}"`, remoteId: found[0], group: found[1].group, isAmbiguous: false };
			},
			async *list() {
				for (const [remoteId, { anchor, group, members }] of groups) yield { remoteId, anchor, group, members: [...members].sort() };
			},
		},
		close: async () => {},
	};
	return { target, groups, accounts, faults, creates: () => creates };
}
