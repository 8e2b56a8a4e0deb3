import { isIP } from "node:net";
import { validateDetailed } from "node-cron";
import { parseDn } from "../core/dn.ts";
import { Failure } from "../core/errors.ts";
import { parseFilter } from "../core/filter-text.ts";
import { parseGroupName } from "../core/group-name.ts";
import { parseTemplate } from "../core/template.ts";
import { parseDuration } from "../lib/duration.ts";

/** What is wrong with a text. */
export interface Flaw {
	readonly message: string;
	readonly remedy: string;
}

/** A check of one text by itself: undefined when nothing is wrong. */
export type Check = (text: string) => Flaw | undefined;

export const checkName: Check = (text) =>
	/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text)
		? undefined
		: { message: "not a name", remedy: "use up to 63 letters, digits, - _ and ., starting with a letter or a digit, as in corp" };

export const checkText: Check = (text) =>
	text.trim() === "" ? { message: "empty", remedy: "write a value, or leave the line out" } : undefined;

export const checkDn: Check = (text) => {
	if (text.trim() === "") return { message: "an empty DN", remedy: "name a container, as in OU=People,DC=corp,DC=example,DC=com" };
	return flawOf(() => parseDn(text), "not a DN");
};

/** A group by its DN, GUID, SID or name. */
export const checkGroupName: Check = (text) => {
	if (text.trim() === "") return { message: "an empty name", remedy: "name a group, as in CN=Sales,OU=Groups,DC=corp,DC=example,DC=com" };
	return parseGroupName(text) === undefined ? checkDn(text) : undefined;
};

export const checkFilter: Check = (text) => flawOf(() => parseFilter(text), "not a search filter");

/** A filter, or an empty text that turns it off. */
export const checkFilterOrNone: Check = (text) => (text === "" ? undefined : checkFilter(text));

/** An attribute's name or OID (RFC 4512 §1.4), without options. */
export const checkAttribute: Check = (text) =>
	/^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/.test(text)
		? undefined
		: { message: "not the name of an attribute", remedy: "write a name such as entryUUID or member, without options" };

export const checkTemplate: Check = (text) => {
	const template = parseTemplate(text);
	if (template.kind !== "problem") return undefined;
	return { message: `not a template: at character ${template.at + 1} ${template.message}`, remedy: template.remedy };
};

export const checkUserName: Check = (text) =>
	text.trim() === ""
		? { message: "userName cannot be turned off", remedy: 'give it a template, as in "{userPrincipalName}", or leave the line out' }
		: checkTemplate(text);

export const checkCron: Check = (text) => {
	const { valid, errors } = validateDetailed(text);
	if (valid) return undefined;
	const message = errors.map(
		(error) => `${cronFields[error.field] ?? error.field}: ${error.message.replace(" a invalid expression for", " not a")}`,
	);
	return {
		message: `not a schedule: ${message.join("; ")}`,
		remedy: 'write minute, hour, day of month, month, day of week, as in "*/5 * * * *" (every five minutes) or "0 2 * * *" (at two)',
	};
};

export const checkTimeZone: Check = (text) => {
	try {
		new Intl.DateTimeFormat("en", { timeZone: text });
		return undefined;
	} catch {
		// RangeError is the only thing it throws: not a zone it knows.
		return { message: "not a time zone", remedy: "use an IANA name, as in Europe/London, America/New_York or UTC" };
	}
};

export const checkDuration: Check = (text) => {
	const ms = parseDuration(text);
	if (ms !== undefined && ms > 0) return undefined;
	return {
		message: ms === 0 ? "no time at all" : "not a duration",
		remedy: "write a number and its unit without a space: ms, s, m (minutes), h, d, w, y, as in 30d",
	};
};

/** Longer than this, timers of Node overflow and fire at once. */
const LONGEST_TIMEOUT_MS = 24 * 3_600_000;

export const checkTimeout: Check = (text) =>
	checkDuration(text) ??
	((parseDuration(text) ?? 0) > LONGEST_TIMEOUT_MS
		? { message: "too long for a time-out", remedy: "use seconds or minutes, as in 30s; a day at the most" }
		: undefined);

/** "20MB": bytes of the 1024 kind, or undefined. */
export function parseSize(text: string): number | undefined {
	const [, amount, unit] = /^(\d{1,6})(KB|MB|GB)$/.exec(text) ?? [];
	return unit === undefined ? undefined : Number(amount) * 1024 ** (["KB", "MB", "GB"].indexOf(unit) + 1);
}

export const checkSize: Check = (text) =>
	(parseSize(text) ?? 0) > 0
		? undefined
		: { message: "not a size", remedy: "write a number and its unit without a space: KB, MB, GB, as in 20MB" };

export const checkDeleteAfter: Check = (text) => (text === "never" ? undefined : withNever(checkDuration(text)));

export const checkListen: Check = (text) =>
	parseListen(text) === undefined
		? { message: "not an address to listen on", remedy: "write host:port, as in 127.0.0.1:8640, 0.0.0.0:8640 or [::1]:8640" }
		: undefined;

export const checkServerUrl: Check = (text) => {
	const remedy = "write ldaps://dc1.corp.example.com (port 636), or ldap:// (port 389) with tls.startTls: true";
	const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
	if (scheme === undefined) return { message: "not a URL: it has no scheme", remedy };
	if (scheme !== "ldap" && scheme !== "ldaps") return { message: `${scheme}:// is not a directory`, remedy };
	if (!URL.canParse(text)) return { message: "not a URL", remedy };
	const url = new URL(text);
	if (url.username !== "" || url.password !== "")
		return { message: "a user or password in the URL", remedy: "move them to bind.user and bind.password" };
	if (url.hostname === "") return { message: "a URL without a host", remedy };
	if (url.port === "0") return { message: "port 0", remedy };
	if ((url.pathname !== "" && url.pathname !== "/") || url.search !== "" || url.hash !== "") {
		return { message: "more than a host and a port in the URL", remedy: "put the DN into base and the filter into users.filter" };
	}
	return undefined;
};

const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?";

/** The name of a domain in DNS (RFC 1035 §2.3.1; underscores are found in the wild). */
export const checkDomain: Check = (text) => {
	if (isIP(text) !== 0) return { message: "an address where the name of a domain belongs", remedy: `write urls: [ldaps://${text}]` };
	if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return { message: "a URL where the name of a domain belongs", remedy: "move it to urls" };
	const isName = text.length <= 253 && new RegExp(`^${LABEL}(?:\\.${LABEL})*$`).test(text);
	return isName ? undefined : { message: "not the name of a domain", remedy: "write it as DNS has it, as in corp.example.com" };
};

/** A site's name is one label in the names of its SRV records (MS-ADTS §6.3.2.3). */
export const checkSite: Check = (text) =>
	new RegExp(`^${LABEL}$`).test(text)
		? undefined
		: { message: "not the name of a site", remedy: "write it as Active Directory Sites and Services shows it, as in London" };

export const checkAuthorizationId: Check = (text) => {
	const [, form, name = ""] = /^(dn|u):(.*)$/s.exec(text) ?? [];
	const remedy = 'write "dn:" and a DN or "u:" and a name, as in "dn:cn=reader,dc=example,dc=com"';
	if (form === undefined || name.trim() === "") return { message: "not an authorization identity", remedy };
	return form === "dn" ? checkDn(name) : undefined;
};

/** The host and port of "127.0.0.1:8640" or "[::1]:8640", or undefined. */
export function parseListen(text: string): { readonly host: string; readonly port: number } | undefined {
	const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/.exec(text);
	const host = match?.[1] ?? match?.[2];
	const port = Number(match?.[3]);
	if (host === undefined || port > 65_535) return undefined;
	if (match?.[1] !== undefined && isIP(host) !== 6) return undefined;
	if (/^[\d.]+$/.test(host) && isIP(host) !== 4) return undefined;
	return { host, port };
}

const cronFields: Readonly<Record<string, string>> = { dayOfMonth: "day of month", dayOfWeek: "day of week", expression: "the whole" };

function withNever(flaw: Flaw | undefined): Flaw | undefined {
	return flaw === undefined ? undefined : { ...flaw, remedy: `write never, or ${flaw.remedy.replace(/^write /, "")}` };
}

/** What a reader of core says is wrong, without the text itself, which stands in the problem already. */
function flawOf(read: () => unknown, what: string): Flaw | undefined {
	try {
		read();
		return undefined;
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		const [, position, detail] = /at position (\d+):? ?(.*)$/s.exec(error.message) ?? [];
		const remedy = error.hint ?? "see the commented example, config/dirsyncd.example.yaml";
		if (position === undefined) return { message: what, remedy };
		return { message: `${what}: at character ${position} ${detail}`, remedy };
	}
}
