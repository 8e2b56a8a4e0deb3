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
 * page they are asked for: the list is whole when in one pass as many different ones came as each page says there are (or more), and
 * the page after has no more. Else it throws TARGET_LISTING_PARTIAL at the end.
 */
export async function* listResources(
	requests: Pick<Requests, "send">,
	discover: Discover,
	path: string,
	signal: AbortSignal,
): AsyncGenerator<Json, void> {
	const { pageSize } = await discover(signal);
	const known = new Set<string>();
	let pass: Pass = { seen: 0, total: undefined, isSteady: true, isStuck: false, hasEnded: false };
	for (let passes = 0; passes < MOST_PASSES && !pass.isStuck; passes++) {
		pass = yield* readPass(requests, path, pageSize, known, signal);
		if (isWhole(pass)) return;
		if (pass.total === undefined) break;
	}
	const found = pass.total === undefined ? "without saying how many there are" : `of ${pass.total}`;
	throw new Failure("TARGET_LISTING_PARTIAL", `the list of ${path} shows ${pass.seen} resources ${found}`, {
		hint: "The server does not page its list as SCIM wants it (startIndex, count, totalResults), or it kept changing: nothing is concluded from it.",
	});
}

interface Pass {
	/** How many different ones. */
	readonly seen: number;
	/** As the last page says. */
	readonly total: number | undefined;
	/** Whether all pages said the same. */
	readonly isSteady: boolean;
	/** Whether the same page came whichever was asked for. */
	readonly isStuck: boolean;
	/** Whether the page after the last one was there and empty. */
	readonly hasEnded: boolean;
}

function isWhole({ seen, total, isSteady, hasEnded }: Pass): boolean {
	// There are servers that count no further than a limit of theirs, and show all the same what is beyond it.
	return isSteady && total !== undefined && (seen === total || (seen > total && hasEnded));
}

/** All pages once; yields who is not known from an earlier pass. */
async function* readPass(
	requests: Pick<Requests, "send">,
	path: string,
	pageSize: number,
	known: Set<string>,
	signal: AbortSignal,
): AsyncGenerator<Json, Pass> {
	const seen = new Set<string>();
	let total: number | undefined;
	let isSteady = true;
	for (let startIndex = 1; ; ) {
		const isPast = startIndex > (total ?? Number.POSITIVE_INFINITY);
		const query = { startIndex: String(startIndex), count: String(pageSize) };
		const outcome = await requests.send({ method: "GET", path, query }, signal);
		// Some find it an error to be asked for what is behind the end.
		if (isPast && outcome.kind === "answer" && pageIn(outcome) === undefined)
			return { seen: seen.size, total, isSteady, isStuck: false, hasEnded: false };
		const page = pageOf(outcome, path);
		isSteady &&= total === undefined || page.total === total;
		total = page.total;
		const news = newIn(page, seen);
		for (const resource of newIn({ resources: news }, known)) yield resource;
		const { length } = page.resources;
		if (news.length === 0) return { seen: seen.size, total, isSteady, isStuck: length > 0 && !isPast, hasEnded: length === 0 };
		startIndex += length;
	}
}

function newIn({ resources }: Pick<Page, "resources">, known: Set<string>): readonly Json[] {
	return resources.filter((resource) => {
		const id = textIn(resource, "id");
		if (id === undefined || known.has(id)) return false;
		known.add(id);
		return true;
	});
}

function pageOf(outcome: Outcome, path: string): Page {
	if (outcome.kind === "unknown") throw new Failure("TARGET_UNREACHABLE", `the list of ${path} ended before its end: ${outcome.why}`);
	const page = pageIn(outcome);
	if (page !== undefined) return page;
	throw new Failure("TARGET_LISTING_PARTIAL", `the list of ${path} ended before its end: the answer ${outcome.status} is no list`);
}
