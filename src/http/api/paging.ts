import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Place, Slice } from "../../store/slice.ts";
import { decodePlace, encodePlace, fill, type Kinds } from "../filling.ts";
import { said } from "./fields.ts";

/** So many items a page has at most, and without being asked. */
const MOST = 500;
const USUAL = 100;

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

/** A page of a list; the header `Link` says where the next one is. */
export async function page<Item, Shown>(
	reply: FastifyReply,
	name: string,
	{ after, limit }: { readonly after?: Place | undefined; readonly limit: number },
	slice: (after: Place | undefined, limit: number) => Slice<Item>,
	show: (item: Item) => Shown,
): Promise<{ readonly items: Shown[]; readonly next: string | null }> {
	const { items, reached } = await fill(slice, { after, limit }, () => reply.raw.destroyed);
	const next = reached === undefined ? null : encodePlace(name, reached);
	if (next !== null) reply.header("link", `<${nextUrl(reply.request.url, next)}>; rel="next"`);
	return { items: items.map(show), next };
}

function nextUrl(url: string, next: string): string {
	const [path = ""] = url.split("?", 1);
	const parameters = new URLSearchParams(url.slice(path.length));
	parameters.set("after", next);
	return `${path}?${parameters}`;
}

function cursor(name: string, kinds: Kinds) {
	return z.string().transform((text, context): Place => {
		const place = decodePlace(name, kinds, text);
		if (place !== undefined) return place;
		context.addIssue({ code: "custom", message: "is no cursor of this list" });
		return z.NEVER;
	});
}
