import { Failure } from "../../core/errors.ts";
import type { DeliveryResult } from "../target.ts";
import { type Fields, resourceOf } from "./fields.ts";
import type { Finder } from "./finder.ts";
import { type Json, textIn } from "./json.ts";
import type { Key } from "./key.ts";
import type { Dialect } from "./options.ts";
import { type Answered, MOST_TRIES, type Requests } from "./requests.ts";
import { isTaken } from "./words.ts";

/** Where resources of one type are. */
export interface Endpoint {
	readonly path: "/Users" | "/Groups";
	readonly schema: string;
	readonly requests: Requests;
	readonly finder: Finder;
	readonly manners: Manners;
}

/** How the server wants its changes, as far as that was found out by trying. */
export interface Manners {
	dialect: Dialect;
	/** Whether it refuses what names no version. */
	wantsVersion: boolean;
}

export function pathOf({ path }: Pick<Endpoint, "path">, remoteId: string): string {
	// The id of some is the userName, with whatever is in it.
	return `${path}/${encodeURIComponent(remoteId)}`;
}

/**
 * Creates a resource. The create was announced, so whoever has our externalId after an answer was lost is the one we made: it is
 * looked for before the request is sent again, and a lost answer never makes two.
 */
export async function create(
	{ path, schema, requests, finder }: Endpoint,
	fields: Fields,
	key: Key,
	signal: AbortSignal,
): Promise<DeliveryResult> {
	const ours = async (): Promise<DeliveryResult | undefined> => {
		finder.forget();
		const [found] = await finder.find(key, signal);
		const remoteId = found && textIn(found, "id");
		return remoteId === undefined ? undefined : { kind: "applied", remoteId };
	};
	const body = resourceOf(fields, schema);
	for (let tries = 1; ; tries++) {
		const outcome = await finder.adding(() => requests.sendOnce({ method: "POST", path, body }, signal));
		if (outcome.kind === "unknown") {
			// What is slow may still be at work on it.
			await requests.breathe(tries, signal);
			const made = await ours();
			if (made !== undefined) return made;
			if (tries >= MOST_TRIES) return { kind: "later", error: outcome.why };
			continue;
		}
		if (outcome.status >= 200 && outcome.status < 300) {
			const remoteId = textIn(outcome.body ?? {}, "id");
			if (remoteId === undefined)
				return (await ours()) ?? { kind: "later", error: `${outcome.status} without an id, and it is not found by externalId` };
			finder.witness(key.path, () => key);
			return { kind: "applied", remoteId };
		}
		if (outcome.status === 404 && path === "/Groups") return { kind: "refused", error: "404: the server has no /Groups (groups: false)" };
		if (outcome.status === 404 || outcome.status === 405) {
			throw new Failure("TARGET_REFUSED", `nothing can be created at ${path}: ${requests.words(outcome)}`, {
				hint: "Check url: it must be the SCIM service's base, such as https://scim.example.com/v2.",
			});
		}
		if (!isTaken(outcome)) return { kind: "refused", error: requests.words(outcome) };
		// By our own request of before, perhaps, which was still under way when it was looked for.
		const made = tries > 1 ? await ours() : undefined;
		finder.forget();
		return made ?? { kind: "conflict", error: requests.words(outcome) };
	}
}

/** Deletes a resource; one that is not there is deleted. */
export async function remove(endpoint: Endpoint, remoteId: string, signal: AbortSignal): Promise<DeliveryResult> {
	const { requests } = endpoint;
	const path = pathOf(endpoint, remoteId);
	let outcome = await requests.send({ method: "DELETE", path }, signal);
	if (outcome.kind === "answer" && wantsVersion(outcome)) {
		const seen = await read(endpoint, remoteId, {}, signal);
		if (seen === "gone") return { kind: "applied", remoteId };
		if ("kind" in seen) return seen;
		outcome = await requests.send({ method: "DELETE", path, ifMatch: seen.version }, signal);
	}
	if (outcome.kind === "answer") {
		const isDone = (outcome.status >= 200 && outcome.status < 300) || outcome.status === 404 || outcome.status === 410;
		return isDone ? { kind: "applied", remoteId } : { kind: "refused", error: requests.words(outcome) };
	}
	// Some answer 500 to the second of two deletes.
	const seen = await read(endpoint, remoteId, {}, signal);
	return seen === "gone" ? { kind: "applied", remoteId } : { kind: "later", error: outcome.why };
}

/** The answers to a change that names no version, or an old one (RFC 7644 §3.14, RFC 6585 §3). */
export function wantsVersion({ status }: Pick<Answered, "status">): boolean {
	return status === 412 || status === 428;
}

/** A resource as it is there. */
export interface Seen {
	readonly resource: Json;
	/** Undefined: the server tells none. */
	readonly version: string | undefined;
}

/** Reads one resource; a result where that is all there is to say. */
export async function read(
	endpoint: Endpoint,
	remoteId: string,
	query: Readonly<Record<string, string>>,
	signal: AbortSignal,
): Promise<Seen | "gone" | Extract<DeliveryResult, { kind: "later" | "refused" }>> {
	const { requests } = endpoint;
	const outcome = await requests.send({ method: "GET", path: pathOf(endpoint, remoteId), query }, signal);
	if (outcome.kind === "unknown") return { kind: "later", error: outcome.why };
	if (outcome.status === 404 || outcome.status === 410) return "gone";
	// Not everybody knows what it is to be asked for a part.
	if (outcome.status === 400 && Object.keys(query).length > 0) return read(endpoint, remoteId, {}, signal);
	if (outcome.status !== 200) return { kind: "refused", error: requests.words(outcome) };
	if (outcome.body === undefined) return { kind: "later", error: `${outcome.status} without a resource` };
	const meta = outcome.body["meta"] as Json | null | undefined;
	return { resource: outcome.body, version: outcome.header("etag") ?? (meta ? textIn(meta, "version") : undefined) };
}
