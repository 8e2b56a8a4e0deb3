import type { DeliveryResult } from "../target.ts";
import { type Json, member, objectsIn, textIn } from "./json.ts";
import type { Dialect } from "./options.ts";
import { type Operation, patchBody } from "./patch.ts";
import { type Answered, MOST_TRIES } from "./requests.ts";
import { type Endpoint, pathOf, read, wantsVersion } from "./resource.ts";
import { scimTypeOf } from "./words.ts";

/** Adds members to groups and removes them, chunk by chunk, and touches no other. */
export interface Members {
	/** Undefined: done. `no-patch`: the server changes nothing by parts. */
	change(remoteId: string, kind: "add" | "remove", ids: readonly string[], signal: AbortSignal): Promise<Failed | "no-patch" | undefined>;
	/** A group that we have just made has none. */
	made(remoteId: string): void;
	forget(remoteId: string): void;
}

export type Failed = Exclude<DeliveryResult, { kind: "applied" }>;

/**
 * Who is in a group is read once, when members are added to it, and remembered while its deliveries go on: some servers keep a member
 * twice that is added twice, and after a crash nobody knows what has arrived. Reading it for each chunk would be 2,000 times 20 MB
 * for a first delivery of 200,000 members; not reading it at all leaves duplicates. What others add in the meantime is not seen.
 */
const MOST_REMEMBERED = 4;
const MOST_ROUNDS = 5;

export function makeMembers(endpoint: Endpoint, memberBatch: number): Members {
	const { requests, manners } = endpoint;
	const known = new Map<string, Set<string>>();
	/** Whether the server ever showed anybody as a member. */
	let isShowing = false;
	let chunk = memberBatch;

	const remember = (remoteId: string, members: Set<string>): void => {
		known.delete(remoteId);
		known.set(remoteId, members);
		const [oldest] = known.keys();
		if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
	};

	const readMembers = async (remoteId: string, signal: AbortSignal): Promise<Failed | undefined> => {
		const seen = await read(endpoint, remoteId, { attributes: "members" }, signal);
		if (seen === "gone") return { kind: "gone", error: `404: there is no group under the id ${remoteId} any more` };
		if ("kind" in seen) return seen;
		const ids = memberIds(seen.resource);
		isShowing ||= ids.length > 0;
		// None may be that the server keeps them to itself: then all are sent.
		if (member(seen.resource, "members") === undefined || !isShowing) known.delete(remoteId);
		else remember(remoteId, new Set(ids));
		return undefined;
	};

	const openOf = (remoteId: string, kind: "add" | "remove", ids: readonly string[]): readonly string[] => {
		const members = known.get(remoteId);
		return members === undefined ? ids : ids.filter((id) => members.has(id) === (kind === "remove"));
	};

	/** One request; undefined: done. */
	const send = async (remoteId: string, kind: "add" | "remove", ids: readonly string[], signal: AbortSignal) => {
		const body = patchBody(operationsFor(kind, ids, manners.dialect));
		const path = pathOf(endpoint, remoteId);
		let ifMatch = manners.wantsVersion ? await versionOf(remoteId, signal) : undefined;
		// Once: what is added twice may be there twice.
		let outcome = await requests.sendOnce({ method: "PATCH", path, body, ifMatch }, signal);
		// What is added or removed does not depend on what else is there: any version will do.
		for (let round = 0; round < MOST_ROUNDS && outcome.kind === "answer" && wantsVersion(outcome); round++) {
			manners.wantsVersion ||= ifMatch === undefined;
			ifMatch = await versionOf(remoteId, signal);
			outcome = await requests.sendOnce({ method: "PATCH", path, body, ifMatch }, signal);
		}
		if (outcome.kind === "unknown" || outcome.status < 200 || outcome.status >= 300) return outcome;
		const members = known.get(remoteId);
		for (const id of ids) kind === "add" ? members?.add(id) : members?.delete(id);
		return undefined;
	};

	const versionOf = async (remoteId: string, signal: AbortSignal): Promise<string | undefined> => {
		const seen = await read(endpoint, remoteId, { excludedAttributes: "members" }, signal);
		return seen === "gone" || "kind" in seen ? undefined : seen.version;
	};

	const changeChunk: Members["change"] = async (remoteId, kind, ids, signal) => {
		for (let tries = 1; ; tries++) {
			const open = openOf(remoteId, kind, ids);
			if (open.length === 0) return undefined;
			const outcome = await send(remoteId, kind, open, signal);
			if (outcome === undefined) return undefined;
			if (outcome.kind === "unknown") await requests.breathe(tries, signal);
			else if (outcome.status === 405 || outcome.status === 501) return "no-patch";
			else if (outcome.status === 413) chunk = Math.max(1, Math.floor(open.length / 2));
			// It may have been done, or was refused because part of it is so already.
			const problem = await readMembers(remoteId, signal);
			if (problem !== undefined) return problem;
			const rest = openOf(remoteId, kind, ids);
			if (rest.length === 0) return undefined;
			if (outcome.kind === "answer") return changeHalves(remoteId, kind, rest, outcome, signal);
			if (tries >= MOST_TRIES) return { kind: "later", error: outcome.why };
		}
	};

	/** What is refused as a whole is halved, until it is known which member is. */
	const changeHalves = async (
		remoteId: string,
		kind: "add" | "remove",
		ids: readonly string[],
		refusal: Answered,
		signal: AbortSignal,
	): Promise<Failed | undefined> => {
		// Who is not in it need not leave it.
		if (ids.length === 1 && kind === "remove" && scimTypeOf(refusal.text) === "noTarget") return undefined;
		if (ids.length === 1) return { kind: "refused", error: `member ${ids[0]}: ${requests.words(refusal)}` };
		const middle = Math.ceil(ids.length / 2);
		let failed: Failed | undefined;
		for (const half of [ids.slice(0, middle), ids.slice(middle)]) {
			const outcome = await send(remoteId, kind, half, signal);
			if (outcome === undefined) continue;
			if (outcome.kind === "unknown") known.delete(remoteId);
			const problem: Failed | undefined =
				outcome.kind === "unknown" ? { kind: "later", error: outcome.why } : await changeHalves(remoteId, kind, half, outcome, signal);
			failed ??= problem;
		}
		return failed;
	};

	return {
		change: async (remoteId, kind, ids, signal) => {
			if (kind === "add" && ids.length > 0 && !known.has(remoteId)) {
				const problem = await readMembers(remoteId, signal);
				if (problem !== undefined) return problem;
			}
			for (let at = 0; at < ids.length; ) {
				const part = ids.slice(at, at + chunk);
				const problem = await changeChunk(remoteId, kind, part, signal);
				if (problem !== undefined) return problem;
				at += part.length;
			}
			return undefined;
		},
		made: (remoteId) => remember(remoteId, new Set()),
		forget: (remoteId) => void known.delete(remoteId),
	};
}

export function memberIds(resource: Json): readonly string[] {
	return objectsIn(resource, "members").flatMap((one) => textIn(one, "value") ?? []);
}

/** Added as one list, removed one by one: `remove members` without a filter empties the group, and with a list it does so at some. */
function operationsFor(kind: "add" | "remove", ids: readonly string[], dialect: Dialect): readonly Operation[] {
	if (kind === "remove") return ids.map((id) => ({ op: "remove", path: `members[value eq ${JSON.stringify(id)}]` }));
	const value = ids.map((id) => ({ value: id }));
	return [dialect === "no-path" ? { op: "add", value: { members: value } } : { op: "add", path: "members", value }];
}
