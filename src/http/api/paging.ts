import { setImmediate as nextTurn } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { MOST_CHARACTERS, type Place, type Slice } from "../../store/slice.ts";
import { said } from "./fields.ts";

/** So many items a page has at most, and without being asked. */
const MOST = 500;
const USUAL = 100;

/** Of which kinds a list's places are made. */
type Kinds = readonly ("number" | "string")[];

/** The query of a list: `name` and `kinds` tell its cursors from those of another list. */
export function pageQuery<Filters extends z.ZodRawShape>(name: string, kinds: Kinds, filters: Filters) {
	return z.strictObject({
		...filters,
		limit: said(
			z.coerce.number().int().min(1).max(MOST).default(USUAL),
			"So many items at most; a page may have fewer, and there may still be a next one.",
		),
		after: said(cursor(name, kinds).optional(), "The `next` of the page before."),
	});
}

/** A page of items as its schema. */
export function pageOf<Item extends z.ZodType>(item: Item) {
	return z.strictObject({
		items: z.array(item),
		next: said(
			z.string().nullable(),
			"What to give as `after` for the next page; also in the header `Link` (RFC 8288). Null: this was the last.",
		),
	});
}

/**
 * Fills a page, slice by slice, so that others are answered in between, and says in the header `Link` where the next one is. Rows that
 * are not asked for may have to be stepped over for long: the client may go meanwhile, and then nobody reads on.
 */
export async function page<Item, Shown>(
	reply: FastifyReply,
	name: string,
	{ after, limit }: { readonly after?: Place | undefined; readonly limit: number },
	slice: (after: Place | undefined, limit: number) => Slice<Item>,
	show: (item: Item) => Shown,
): Promise<{ readonly items: Shown[]; readonly next: string | null }> {
	const items: Shown[] = [];
	let size = 0;
	let place = after;
	for (;;) {
		const part = slice(place, limit - items.length);
		for (const item of part.items) items.push(show(item));
		size += part.size;
		place = part.reached;
		if (place === undefined || items.length >= limit || size >= MOST_CHARACTERS || reply.raw.destroyed) break;
		await nextTurn();
	}
	const next = place === undefined ? null : encode(name, place);
	if (next !== null) reply.header("link", `<${nextUrl(reply.request.url, next)}>; rel="next"`);
	return { items, next };
}

function nextUrl(url: string, next: string): string {
	const [path = "", query = ""] = url.split("?");
	const parameters = new URLSearchParams(query);
	parameters.set("after", next);
	return `${path}?${parameters}`;
}

function encode(name: string, place: Place): string {
	return Buffer.from(JSON.stringify([name, ...place])).toString("base64url");
}

function cursor(name: string, kinds: Kinds) {
	return z.string().transform((text, context): Place => {
		const place = decode(text);
		if (place?.[0] === name && place.length === kinds.length + 1 && kinds.every((kind, index) => typeof place[index + 1] === kind)) {
			return place.slice(1);
		}
		context.addIssue({ code: "custom", message: "is no cursor of this list" });
		return z.NEVER;
	});
}

function decode(text: string): Place | undefined {
	if (!/^[\w-]+$/.test(text)) return undefined;
	try {
		const place: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
		return Array.isArray(place) ? (place as Place) : undefined;
	} catch {
		return undefined; // Whoever made it did not get it from us: the caller says so.
	}
}
