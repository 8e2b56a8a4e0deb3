import { plain } from "../http/plain.ts";
import type { Answer } from "../http/wire.ts";
import { isObject, parseObject, textIn } from "./json.ts";

/**
 * What the server said, for a person: "409 uniqueness: userName is taken". `Detail` may be SCIM's (RFC 7644 §3.12), or somebody
 * else's idea of an error, or a page of HTML: it is cut to a sentence or two.
 */
export function wordsOf({ status, text }: Pick<Answer, "status" | "text">, hide: (text: string) => string): string {
	const { scimType, detail } = detailsOf(text);
	const words = [scimType, detail].filter((part) => part !== undefined && part !== "").join(": ");
	return hide(words === "" ? String(status) : `${status} ${words}`);
}

/** Whether an answer says that a value which must be unique is taken, whichever status it says it with. */
export function isTaken({ status, text }: Pick<Answer, "status" | "text">): boolean {
	if (status === 409) return true;
	if (status !== 400 && status !== 422 && status !== 500) return false;
	const { scimType, detail } = detailsOf(text);
	return scimType === "uniqueness" || /\b(unique|uniqueness|already (exists|in use|taken|registered)|duplicate|is taken)\b/i.test(detail);
}

export function scimTypeOf(text: string): string | undefined {
	return detailsOf(text).scimType;
}

function detailsOf(text: string): { readonly scimType: string | undefined; readonly detail: string } {
	const body = parseObject(text);
	if (body === undefined) return { scimType: undefined, detail: plain(text) };
	// Some put the whole of it into an object, or into a list of errors.
	const wrapped = body["error"] ?? (Array.isArray(body["Errors"]) ? body["Errors"][0] : undefined);
	const error = isObject(wrapped) ? wrapped : body;
	const detail = textIn(error, "detail") ?? textIn(error, "message") ?? textIn(error, "description") ?? textIn(error, "error_description");
	const fallback = typeof wrapped === "string" ? wrapped : text;
	return { scimType: textIn(error, "scimType"), detail: plain(detail ?? fallback) };
}
