import { type Ava, parseDn } from "../core/dn.ts";
import { refuse } from "./result.ts";

/** A value as it stands in a DN: specials behind a backslash, control characters as hex, the way AD writes them (RFC 4514 §2.4). */
export function escapeName(value: string): string {
	const escaped = value
		.replace(/[,+"\\<>;=]/g, (special) => `\\${special}`)
		.replace(/\p{Cc}/gu, (control) => (control < " " ? `\\${control.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}` : control));
	return escaped.replace(/^[ #]/, (first) => `\\${first}`).replace(/ $/, (last, at: number) => (at > 0 ? `\\${last}` : last));
}

export function joinDn(rdn: Ava, parent: string | undefined): string {
	const own = `${rdn.type}=${escapeName(rdn.value)}`;
	return parent === undefined || parent === "" ? own : `${own},${parent}`;
}

/** The leading RDN of a DN; refuses what is no DN, and what names by several attributes at once, as AD does. */
export function leafOf(dn: string): Ava {
	const [leaf] = parsed(dn);
	if (leaf?.length !== 1) return refuse("invalidDnSyntax", "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8349");
	return leaf[0] as Ava;
}

function parsed(dn: string): ReturnType<typeof parseDn> {
	try {
		return parseDn(dn);
	} catch {
		// Nothing is lost: the client is told that its name is wrong, as AD words it.
		return refuse("invalidDnSyntax", "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350");
	}
}
