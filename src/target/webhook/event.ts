import type { DeliveryKind } from "../../core/change.ts";
import type { Delivery, GroupDelivery } from "../target.ts";

/** One change as a CloudEvent (CloudEvents 1.0, JSON format). */
export interface CloudEvent {
	readonly specversion: "1.0";
	readonly id: string;
	readonly source: string;
	readonly type: string;
	readonly subject: string;
	readonly time: string;
	readonly datacontenttype: "application/json";
	readonly data: object;
}

/** `at`: Unix milliseconds. */
export function accountEvent(target: string, delivery: Delivery, at: number): CloudEvent {
	const { anchor, kind, wanted, applied, remoteId } = delivery;
	const data = {
		externalId: anchor,
		kind,
		...(remoteId !== undefined && remoteId !== anchor && { previousExternalId: remoteId }),
		...(wanted !== undefined && { account: wanted }),
		...(applied !== undefined && { before: applied }),
	};
	return event(target, delivery, `dirsyncd.account.${done[kind]}`, at, data);
}

/** `at`: Unix milliseconds. */
export function groupEvent(target: string, delivery: GroupDelivery, at: number): CloudEvent {
	const { anchor, remoteId, wanted, applied, added, removed } = delivery;
	const kind = wanted === undefined ? "delete" : remoteId === undefined ? "create" : "update";
	const data = {
		externalId: anchor,
		kind,
		...(wanted !== undefined && { group: wanted }),
		...(applied !== undefined && { before: applied }),
		added: added.map((member) => member.anchor),
		removed: removed.map((member) => member.anchor),
	};
	return event(target, delivery, `dirsyncd.group.${done[kind]}`, at, data);
}

const done = {
	create: "created",
	update: "updated",
	disable: "disabled",
	enable: "enabled",
	delete: "deleted",
} as const satisfies Record<DeliveryKind, string>;

function event(target: string, { key, anchor }: { key: string; anchor: string }, type: string, at: number, data: object): CloudEvent {
	return {
		specversion: "1.0",
		id: key,
		source: `/dirsyncd/targets/${target}`,
		type,
		subject: anchor,
		time: new Date(at).toISOString(),
		datacontenttype: "application/json",
		data,
	};
}
