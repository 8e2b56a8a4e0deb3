import * as fs from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Anchor } from "../../core/entry.ts";
import type { Group } from "../../core/group.ts";
import { applyToGroupRows, applyToRows, makeLocalTarget } from "../local/local.ts";
import type { Delivery, DeliveryResult, GroupDelivery, Member, Target } from "../target.ts";
import { openAppended, type SyncDisk } from "./append.ts";
import type { AccountChange, Change, FileMember, GroupChange } from "./change.ts";
import { makeChangeFormat } from "./change-format.ts";
import { type FileAccount, type FileOptions, fileAccount, type Mirror } from "./options.ts";
import { refusalOf } from "./unique-groups.ts";

/**
 * A file to which each change is added, on the disk before it is called applied. The mirror takes the same changes over in one
 * transaction around the writing: what the file tells and the mirror has not is known by its key, and not told again.
 */
export function makeChangesTarget(options: FileOptions, mirror: Mirror, clock: () => number, disk: SyncDisk = fs): Target {
	const { name, path } = options;
	const store = makeLocalTarget(name, mirror.accounts, mirror.groups);
	const format = makeChangeFormat(options.format, mirror.file);
	const appending = { path, format, shape: JSON.stringify({ content: "changes", format: options.format }), table: mirror.file, disk };

	/** `apply` changes the mirror, and says what the change was; undefined: nothing changed. */
	const tell = (applies: readonly (() => Told)[]): readonly DeliveryResult[] => {
		const file = openAppended(appending);
		try {
			return mirror.accounts.batch(() => {
				let text = "";
				const results = applies.map((apply) => {
					const { result, change } = apply();
					if (change !== undefined && !file.told.has(change.key)) text += format.text(change);
					return result;
				});
				file.append(text);
				return results;
			});
		} finally {
			file.close();
		}
	};

	return {
		...store,
		batch: 500,
		apply: async (deliveries) => tell(deliveries.map((delivery) => () => applyAccount(mirror, delivery, clock()))),
		groups: store.groups && {
			...store.groups,
			memberBatch: 1000,
			apply: async (delivery) => {
				const refusal = options.format.kind === "ldif" ? refusalOf(delivery, mirror.file) : undefined;
				if (refusal !== undefined) return refusal;
				const [result] = tell([() => applyGroup(mirror, delivery, clock())]);
				return result as DeliveryResult;
			},
		},
	};
}

interface Told {
	readonly result: DeliveryResult;
	readonly change: Change | undefined;
}

function applyAccount(mirror: Mirror, delivery: Delivery, at: number): Told {
	const { anchor, key, kind, remoteId } = delivery;
	const before = accountOf(mirror, remoteId ?? anchor) ?? accountOf(mirror, anchor);
	const result = applyToRows(mirror.accounts, delivery);
	if (result.kind !== "applied") return { result, change: undefined };
	const after = accountOf(mirror, anchor);
	const change: AccountChange = { subject: "account", at, key, kind, anchor, before, after };
	return { result, change: isDeepStrictEqual(before, after) ? undefined : change };
}

function accountOf({ accounts, file }: Mirror, anchor: string): FileAccount | undefined {
	const row = accounts.byExternalId(anchor);
	return row && fileAccount(row, file);
}

function applyGroup({ groups, file }: Mirror, delivery: GroupDelivery, at: number): Told {
	const { anchor, key, wanted, added, removed } = delivery;
	const before = groupOf(groups.bodyOf(anchor));
	const row = groups.idOf(anchor);
	const isIn = ({ remoteId }: Member): boolean => row !== undefined && file.isMember(row, remoteId);
	const members = (list: readonly Member[]): readonly FileMember[] =>
		list.map((member) => ({ anchor: member.remoteId as Anchor, userName: file.userName(member.remoteId) }));
	// What is so already was told before.
	const [come, go] = [members(added.filter((member) => !isIn(member))), members(removed.filter(isIn))];
	const result = applyToGroupRows(groups, delivery);
	const kind = wanted === undefined ? "delete" : before === undefined ? "create" : "update";
	const change: GroupChange = {
		...{ subject: "group", at, key, kind, anchor, before, after: wanted },
		...{ added: come, removed: go },
	};
	const isNothing = isDeepStrictEqual(before, wanted) && come.length + go.length === 0;
	return { result, change: isNothing ? undefined : change };
}

function groupOf(body: string | undefined): Group | undefined {
	return body === undefined ? undefined : (JSON.parse(body) as Group);
}
