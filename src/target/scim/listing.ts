import { Failure } from "../../core/errors.ts";
import type { Discover } from "./discovery.ts";
import { type Json, member, objectsIn, textIn } from "./json.ts";
import type { Answered, Outcome, Requests } from "./requests.ts";

/** One page as it came (RFC 7644 §3.4.2). */
export interface Page {
	readonly resources: readonly Json[];
	/** Undefined: the server does not say. */
	readonly total: number | undefined;
}

/** A list response; undefined: it is none. */
export function pageIn({ status, body }: Answered): Page | undefined {
	if (status !== 200 || body === undefined) return undefined;
	const total = member(body, "totalResults");
	const resources = objectsIn(body, "Resources");
	const isList = total !== undefined || Array.isArray(member(body, "Resources"));
	if (!isList) return undefined;
	const count = typeof total === "string" || typeof total === "number" ? Number(total) : Number.NaN;
	return { resources, total: Number.isInteger(count) && count >= 0 ? count : undefined };
}

/** Passes over a list that changes while it is read, before its reader gives up. */
const MOST_PASSES = 3;

/**
 * Every resource at an endpoint, each once. Pages are not of one moment, not always in one order, and some servers do not mind which
 * page they are asked for: the list is whole when as many different ones came as the last page says there are, and the page after has
 * no more. Else it throws TARGET_LISTING_PARTIAL at the end.
 */
export async function* listResources(
	requests: Pick<Requests, "send">,
	discover: Discover,
	path: string,
	signal: AbortSignal,
): AsyncGenerator<Json, void> {
	const { pageSize } = await discover(signal);
	const seen = new Set<string>();
	let total: number | undefined;
	for (let pass = 0; pass < MOST_PASSES; pass++) {
		let hasMoved = false;
		let isStuck = false;
		for (let startIndex = 1; ; ) {
			const isPast = startIndex > (total ?? Number.POSITIVE_INFINITY);
			const query = { startIndex: String(startIndex), count: String(pageSize) };
			const outcome = await requests.send({ method: "GET", path, query }, signal);
			// Some find it an error to be asked for what is behind the end.
			if (isPast && outcome.kind === "answer" && pageIn(outcome) === undefined) break;
			const page = pageOf(outcome, path);
			hasMoved ||= total !== undefined && page.total !== total;
			total = page.total;
			const news = newIn(page, seen);
			yield* news;
			startIndex += page.resources.length;
			if (page.resources.length === 0 || (news.length === 0 && isPast)) break;
			// The same page whichever is asked for.
			isStuck = news.length === 0 && pass === 0;
			if (isStuck) break;
		}
		if (isStuck || total === undefined) break;
		if (seen.size === total && !hasMoved) return;
	}
	const found = total === undefined ? "without saying how many there are" : `of ${total}`;
	throw new Failure("TARGET_LISTING_PARTIAL", `the list of ${path} shows ${seen.size} resources ${found}`, {
		hint: "The server does not page its list as SCIM wants it (startIndex, count, totalResults), or it kept changing: nothing is concluded from it.",
	});
}

function newIn({ resources }: Page, seen: Set<string>): readonly Json[] {
	return resources.filter((resource) => {
		const id = textIn(resource, "id");
		if (id === undefined || seen.has(id)) return false;
		seen.add(id);
		return true;
	});
}

function pageOf(outcome: Outcome, path: string): Page {
	const page = outcome.kind === "answer" ? pageIn(outcome) : undefined;
	if (page !== undefined) return page;
	const why = outcome.kind === "answer" ? `the answer ${outcome.status} is no list` : outcome.why;
	throw new Failure("TARGET_LISTING_PARTIAL", `the list of ${path} ended before its end: ${why}`);
}
