import { isIP } from "node:net";
import { type Check, checkDomain } from "./formats.ts";

/** A mail server, by its name or its address. */
export const checkMailHost: Check = (text) => {
	if (isIP(text) !== 0) return undefined;
	const flaw = checkDomain(text);
	return flaw === undefined
		? undefined
		: { message: "not the name of a mail server", remedy: "write its host alone, as in mail.example.com" };
};

/** "a@b.example" or "Name <a@b.example>", on one line: a header of a mail is made of it. */
export const checkMailAddress: Check = (text) => {
	const remedy = 'write one address, as in admins@example.com or "dirsyncd <dirsyncd@example.com>"';
	if (/\p{Cc}/u.test(text)) return { message: "a mail address with a line break or another control sign", remedy };
	return parseMailAddress(text) === undefined ? { message: "not a mail address", remedy } : undefined;
};

/** The name, which may be empty, and the address, or undefined when it is no such text. */
export function parseMailAddress(text: string): { readonly name: string; readonly address: string } | undefined {
	const [, name = "", inner] = /^([^<>,;:"\\]*)<([^<>]+)>$/.exec(text.trim()) ?? [];
	const address = inner ?? text.trim();
	const isAddress = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(address);
	return isAddress ? { name: name.trim(), address } : undefined;
}
