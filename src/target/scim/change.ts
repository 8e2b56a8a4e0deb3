import type { DeliveryResult } from "../target.ts";
import type { Abilities } from "./discovery.ts";
import type { Changes } from "./fields.ts";
import { type Json, textIn } from "./json.ts";
import { merged } from "./merge.ts";
import type { Dialect } from "./options.ts";
import { operationsOf, patchBody } from "./patch.ts";
import type { Answered } from "./requests.ts";
import { type Endpoint, pathOf, read, type Seen, wantsVersion } from "./resource.ts";
import type { Shape } from "./shape.ts";
import { scimTypeOf } from "./words.ts";

/** What is to change of one resource. */
export interface Change {
	/** By what was applied; undefined: that is not known, and what is there must be read. */
	readonly known: Changes | undefined;
	/** By what is there. */
	readonly against: (resource: Json) => Changes;
	readonly shape: Shape;
	readonly dialect: Dialect;
	/** What need not be read to tell. */
	readonly lean: Readonly<Record<string, string>>;
	/** It must not be written as a whole, since what is shown of it is not all: the result is `noPatch` then. */
	readonly isByParts?: boolean;
}

export const noPatch: DeliveryResult = { kind: "refused", error: "the server changes nothing by parts (PATCH)" };

/** Somebody else changes it each time between our reading and our writing: so often, and it can wait. */
const MOST_ROUNDS = 5;

/** Brings a resource to what is wanted, by as little as the server understands. */
export async function change(
	endpoint: Endpoint,
	abilities: Abilities,
	remoteId: string,
	{ known, against, shape, lean, dialect: asked, isByParts = false }: Change,
	signal: AbortSignal,
): Promise<DeliveryResult> {
	const { requests, manners } = endpoint;
	let mustSee = known === undefined;
	let dialect = abilities.patch ? asked : "put";
	let why = "";
	for (let round = 0; round < MOST_ROUNDS; round++) {
		let seen: Seen | undefined;
		if (mustSee || dialect === "put" || manners.wantsVersion) {
			const found = await read(endpoint, remoteId, dialect === "put" ? {} : lean, signal);
			if (found === "gone") return gone(remoteId);
			if ("kind" in found) return found;
			seen = found;
		}
		const changes = seen === undefined ? known : against(seen.resource);
		if (changes === undefined || changes.size === 0) return { kind: "applied", remoteId };
		const ifMatch = abilities.etag || manners.wantsVersion ? seen?.version : undefined;
		const body =
			dialect === "put" ? merged(seen?.resource ?? {}, changes, shape, endpoint.schema) : patchBody(operationsOf(changes, dialect));
		const method = dialect === "put" ? "PUT" : "PATCH";
		const outcome = await requests.send({ method, path: pathOf(endpoint, remoteId), body, ifMatch }, signal);
		if (outcome.kind === "unknown") {
			if (mustSee && round > 0) return { kind: "later", error: outcome.why };
			why = outcome.why;
			mustSee = true;
			continue;
		}
		switch (verdict(outcome, dialect, seen !== undefined)) {
			case "done":
				// Where the id is the userName, a new name is a new id.
				return { kind: "applied", remoteId: textIn(outcome.body ?? {}, "id") ?? remoteId };
			case "refused":
				return { kind: "refused", error: requests.words(outcome) };
			case "gone":
				return gone(remoteId);
			case "versioned":
				manners.wantsVersion ||= seen === undefined || outcome.status === 428;
				break;
			case "no-patch":
				if (isByParts) return noPatch;
				// A server that does not know PATCH may answer 404; so does one from which the account has just gone.
				if (outcome.status !== 404) manners.dialect = "put";
				dialect = "put";
				break;
			case "look":
				break;
		}
		mustSee = true;
		why = requests.words(outcome);
	}
	return { kind: "later", error: why };
}

type Verdict = "done" | "refused" | "gone" | "versioned" | "no-patch" | "look";

function verdict(answer: Answered, dialect: Dialect, isSeen: boolean): Verdict {
	const { status, text } = answer;
	if (status >= 200 && status < 300) return "done";
	if (wantsVersion(answer)) return "versioned";
	switch (status) {
		case 404:
			if (dialect === "put") return "gone";
			return isSeen ? "no-patch" : "look";
		case 410:
			return "gone";
		case 405:
		case 501:
			return dialect === "put" ? "refused" : "no-patch";
		case 400:
			// It is not as we left it: what we want to take away is gone already.
			return !isSeen && scimTypeOf(text) === "noTarget" ? "look" : "refused";
		default:
			return "refused";
	}
}

function gone(remoteId: string): DeliveryResult {
	return { kind: "gone", error: `404: there is nobody under the id ${remoteId} any more` };
}
