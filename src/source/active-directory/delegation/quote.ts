import { parseDn } from "../../../core/dn.ts";
import { printable } from "../../../lib/table.ts";

/** PowerShell takes these for a single quote, too (about_Quoting_Rules, and its tokenizer's IsSingleQuote). */
const SINGLE_QUOTES = /['\u2018\u2019\u201a\u201b]/g;

/** A PowerShell string that says just this: in single quotes nothing is expanded, and a quote is doubled. */
export function quotePowerShell(text: string): string {
	return `'${text.replace(SINGLE_QUOTES, (quote) => quote + quote)}'`;
}

/** A line of comment: nothing from a directory may end it. */
export function commentPowerShell(text: string): string {
	return `# ${printable(text)}`.trimEnd();
}

/**
 * A DN spelled anew, in letters of ASCII: whatever a shell, its code page or a program's own reading of its command line could take for
 * something of theirs is written as the hex pairs of its UTF-8 (RFC 4514 §2.4). cmd expands a percent sign within quotes, too, a quote
 * would end them, and so would a backslash before the last one keep them open; Windows PowerShell takes a script for ANSI.
 */
export function plainDn(dn: string): string {
	return parseDn(dn)
		.map((rdn) => rdn.map(({ type, value }) => `${type}=${hexed(value)}`).join("+"))
		.join(",");
}

function hexed(value: string): string {
	return value.replace(/^ | $|[^A-Za-z0-9 &'()._-]/gu, hexPairs);
}

/** A text in double quotes for a batch file: a DN as `plainDn` spells it, or an account with its permissions, whose name has no quote (sAMAccountName). */
export function quoteForCmd(text: string): string {
	return `"${printable(text).replaceAll('"', "").replaceAll("%", "%%")}"`;
}

/** A line of comment for a batch file; the full stop keeps a caret from being its last sign, which would take the next line along. */
export function commentForCmd(text: string): string {
	const line = `rem ${printable(text).replaceAll("%", "%%")}`.trimEnd();
	return line.endsWith("^") ? `${line}.` : line;
}

function hexPairs(sign: string): string {
	return [...Buffer.from(sign)].map((octet) => `\\${octet.toString(16).padStart(2, "0").toUpperCase()}`).join("");
}
