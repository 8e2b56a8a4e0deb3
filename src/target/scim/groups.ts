import type { Anchor } from "../../core/entry.ts";
import type { Group } from "../../core/group.ts";
import type { DeliveryResult, GroupDelivery, GroupMatch, GroupTarget, RemoteGroup } from "../target.ts";
import { type Change, change, noPatch } from "./change.ts";
import type { Abilities, Discover } from "./discovery.ts";
import { type Changes, differences, isAlike, isEqual, sendable, type Value } from "./fields.ts";
import { type Json, member, objectsIn, textIn } from "./json.ts";
import { anchorKey, groupNameKey, type Key } from "./key.ts";
import { listResources } from "./listing.ts";
import { groupFields } from "./mapping.ts";
import { type Failed, makeMembers, memberIds } from "./members.ts";
import { create, type Endpoint, read, remove } from "./resource.ts";
import type { Shape } from "./shape.ts";

/** So many groups are remembered as made and not filled; what is beyond them is looked at first. */
const MOST_MADE = 1000;
const lean = { excludedAttributes: "members" };

/** Groups: made empty, then filled by parts. */
export function makeGroups(endpoint: Endpoint, discover: Discover, memberBatch: number): GroupTarget {
	const { manners } = endpoint;
	const members = makeMembers(endpoint, memberBatch);

	const applyFields = async (
		delivery: GroupDelivery,
		wanted: Group,
		abilities: Abilities,
		signal: AbortSignal,
	): Promise<DeliveryResult> => {
		const { anchor, remoteId } = delivery;
		if (remoteId !== undefined) {
			const asked = { ...changeOf(delivery, wanted, abilities.groups), dialect: manners.dialect, lean };
			return change(endpoint, abilities, remoteId, asked, signal);
		}
		const fields = sendable(groupFields(wanted, anchor, abilities.groups), abilities.groups, "create");
		const result = await create(endpoint, fields, anchorKey(anchor), signal);
		if (result.kind === "applied") {
			members.made(result.remoteId);
			if (made.size < MOST_MADE) made.add(result.remoteId);
		}
		return result;
	};

	const applyMembers = async (
		remoteId: string,
		{ added, removed }: GroupDelivery,
		signal: AbortSignal,
	): Promise<Failed | "no-patch" | undefined> =>
		(await members.change(remoteId, "remove", idsOf(removed), signal)) ?? (await members.change(remoteId, "add", idsOf(added), signal));

	/** Groups that were made here, with nobody in them yet. */
	const made = new Set<string>();
	/** Whether the server shows who is in a group; undefined: it showed none with anybody in it yet. */
	let isShowing: boolean | undefined;

	/** Without touching whom the server does not show. */
	const byParts = async (
		remoteId: string,
		abilities: Abilities,
		delivery: GroupDelivery,
		wanted: Group,
		signal: AbortSignal,
	): Promise<DeliveryResult> => {
		if (!abilities.patch) return noPatch;
		const fields = { ...changeOf(delivery, wanted, abilities.groups), ...({ dialect: "path", isByParts: true } as const), lean };
		const result = await change(endpoint, abilities, remoteId, fields, signal);
		if (result.kind !== "applied") return result;
		const problem = await applyMembers(result.remoteId, delivery, signal);
		return problem === "no-patch" ? noPatch : (problem ?? result);
	};

	/**
	 * Written as a whole, a group loses whoever the server does not show. So it must have shown members, or the group be one that nobody is
	 * in: then it is looked at afterwards whether they are shown. Everything else goes by parts, if it can.
	 */
	const put = async (
		remoteId: string,
		abilities: Abilities,
		delivery: GroupDelivery,
		wanted: Group,
		signal: AbortSignal,
	): Promise<DeliveryResult> => {
		if (isShowing !== true && !made.has(remoteId)) {
			const seen = await read(endpoint, remoteId, {}, signal);
			if (seen !== "gone" && "kind" in seen) return seen;
			if (seen !== "gone" && memberIds(seen.resource).length > 0) isShowing = true;
			else if (seen !== "gone") {
				const result = await byParts(remoteId, abilities, delivery, wanted, signal);
				if (result !== noPatch) return result;
				// An empty list has to be believed here, until it was wrong; none at all only of a group that is ours.
				const isTold = member(seen.resource, "members") !== undefined || textIn(seen.resource, "externalId") === delivery.anchor;
				if (isShowing === false || !isTold) return hidden;
			}
		}
		const result = await putWhole(endpoint, abilities, delivery, wanted, signal);
		if (result.kind !== "applied" || delivery.added.length === 0) return result;
		made.delete(remoteId);
		if (isShowing === true) return result;
		const seen = await read(endpoint, remoteId, {}, signal);
		if (seen !== "gone" && "kind" in seen) return seen;
		isShowing = seen !== "gone" && memberIds(seen.resource).length > 0;
		if (isShowing) return result;
		const again = await byParts(remoteId, abilities, delivery, wanted, signal);
		return again === noPatch ? hidden : again;
	};

	return {
		memberBatch,
		apply: async (delivery, signal) => {
			const { remoteId, wanted } = delivery;
			if (wanted === undefined) {
				if (remoteId === undefined) return { kind: "applied", remoteId: "" };
				members.forget(remoteId);
				made.delete(remoteId);
				return remove(endpoint, remoteId, signal);
			}
			const abilities = await discover(signal);
			if (!abilities.hasGroups) return { kind: "refused", error: "the server has no groups (/ResourceTypes)" };
			const usesPut = (): boolean => manners.dialect === "put" || !abilities.patch;
			if (usesPut() && remoteId !== undefined) return put(remoteId, abilities, delivery, wanted, signal);
			const result = await applyFields(delivery, wanted, abilities, signal);
			if (result.kind !== "applied") return result;
			const there = { ...delivery, remoteId: result.remoteId };
			if (usesPut()) return put(result.remoteId, abilities, there, wanted, signal);
			const problem = await applyMembers(result.remoteId, delivery, signal);
			if (problem === "no-patch") {
				manners.dialect = "put";
				return put(result.remoteId, abilities, there, wanted, signal);
			}
			return problem ?? result;
		},
		find: async (anchor, wanted, signal) => {
			const own = await endpoint.finder.find(anchorKey(anchor), signal);
			if (own.length > 0) return matchOf("external-id", anchorKey(anchor), own);
			if (wanted === undefined) return undefined;
			const key = groupNameKey(wanted.displayName);
			return matchOf("attribute", key, await endpoint.finder.find(key, signal));
		},
		async *list(signal) {
			if (!(await discover(signal)).hasGroups) return;
			for await (const resource of listResources(endpoint.requests, discover, endpoint.path, signal)) {
				const remote = remoteGroup(await withMembers(endpoint, resource, signal));
				if (remote !== undefined) yield remote;
			}
		},
	};
}

const hidden: DeliveryResult = {
	kind: "refused",
	error: "the server takes groups only as a whole (PUT) and does not show who is in them: whoever is would be lost",
};

function idsOf(list: GroupDelivery["added"]): readonly string[] {
	return list.map(({ remoteId }) => remoteId);
}

function changeOf(
	{ anchor, applied }: GroupDelivery,
	wanted: Group,
	shape: Shape,
	members: (resource: Json) => Changes = () => new Map(),
): Omit<Change, "dialect" | "lean"> {
	const after = sendable(groupFields(wanted, anchor, shape), shape, "update");
	const before = applied && sendable(groupFields(applied, anchor, shape), shape, "update");
	const known = before && differences(before, after, isEqual);
	return {
		known,
		against: (resource) => {
			const there = sendable(groupFields(groupIn(resource), textIn(resource, "externalId") as Anchor | undefined, shape), shape, "update");
			const fields = differences(there, after, (path, one, other) => (known?.has(path) ? isEqual : isAlike)(path, one, other));
			return new Map([...fields, ...members(resource)]);
		},
		shape,
	};
}

/** For servers that change nothing by parts: the whole group is read and written for each delivery, all its members with it. */
function putWhole(
	endpoint: Endpoint,
	abilities: Abilities,
	delivery: GroupDelivery,
	wanted: Group,
	signal: AbortSignal,
): Promise<DeliveryResult> {
	const members = (resource: Json): Changes => {
		const there = objectsIn(resource, "members");
		const removed = new Set(idsOf(delivery.removed));
		const kept = there.filter((one) => !removed.has(textIn(one, "value") ?? ""));
		const ids = new Set(memberIds(resource));
		const added = idsOf(delivery.added).filter((id) => !ids.has(id));
		if (added.length === 0 && kept.length === there.length) return new Map();
		const whole: readonly Json[] = [...kept, ...added.map((value) => ({ value }))];
		return new Map<string, Value | undefined>([["members", whole.length === 0 ? undefined : whole]]);
	};
	const { known: _, ...rest } = changeOf(delivery, wanted, abilities.groups, members);
	const remoteId = delivery.remoteId ?? "";
	return change(endpoint, abilities, remoteId, { ...rest, known: undefined, dialect: "put", lean: {} }, signal);
}

function groupIn(resource: Json): Group {
	const description = textIn(resource, "description");
	return { displayName: textIn(resource, "displayName") ?? "", ...(description !== undefined && { description }) };
}

function remoteGroup(resource: Json): RemoteGroup | undefined {
	const remoteId = textIn(resource, "id");
	if (remoteId === undefined) return undefined;
	const anchor = textIn(resource, "externalId") as Anchor | undefined;
	return { remoteId, anchor, group: groupIn(resource), members: memberIds(resource) };
}

/** Lists of some servers leave members out. */
async function withMembers(endpoint: Endpoint, resource: Json, signal: AbortSignal): Promise<Json> {
	const id = textIn(resource, "id");
	if (id === undefined || member(resource, "members") !== undefined) return resource;
	const seen = await read(endpoint, id, {}, signal);
	return seen === "gone" || "kind" in seen ? resource : seen.resource;
}

function matchOf(by: GroupMatch["by"], { path, value }: Key, resources: readonly Json[]): GroupMatch | undefined {
	const [first] = resources;
	const remoteId = first && textIn(first, "id");
	if (first === undefined || remoteId === undefined) return undefined;
	const anchor = textIn(first, "externalId") as Anchor | undefined;
	return { by, on: `${path} "${value}"`, remoteId, anchor, group: groupIn(first), isAmbiguous: resources.length > 1 };
}
