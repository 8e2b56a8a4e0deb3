import { dnKey, parseDn } from "./dn.ts";

/** How a rule may name a group. */
export type GroupName =
	| { readonly kind: "dn"; readonly dn: string }
	/** objectGUID of Active Directory, or what another directory has for an anchor, in its usual text form, lower case. */
	| { readonly kind: "guid"; readonly guid: string }
	/** A security identifier as text (MS-DTYP §2.4.2.1), upper case. */
	| { readonly kind: "sid"; readonly sid: string }
	/** sAMAccountName, or the first part of its DN; whoever has it alone is meant. */
	| { readonly kind: "name"; readonly name: string };

const GUID = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;
/** nsUniqueId of 389 Directory Server. */
const UNIQUE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{8}){3}$/i;
const SID = /^S-1-\d{1,14}(?:-\d{1,10}){1,15}$/i;

/** Reads a group's name; undefined: it is none. A name with "=" in it is meant for a DN. */
export function parseGroupName(text: string): GroupName | undefined {
	const trimmed = text.trim();
	const guid = GUID.exec(trimmed)?.[1] ?? UNIQUE_ID.exec(trimmed)?.[0];
	if (guid !== undefined) return { kind: "guid", guid: guid.toLowerCase() };
	if (SID.test(trimmed)) return { kind: "sid", sid: trimmed.toUpperCase() };
	if (trimmed.includes("=")) return isDn(trimmed) ? { kind: "dn", dn: trimmed } : undefined;
	return trimmed === "" ? undefined : { kind: "name", name: trimmed };
}

/** The same for all spellings of a name, and another one for each other name. Throws ENTRY_UNREADABLE for what is no name. */
export function groupKey(text: string): string {
	const name = parseGroupName(text);
	switch (name?.kind) {
		case "guid":
			return `guid:${name.guid}`;
		case "sid":
			return `sid:${name.sid}`;
		case "name":
			return `name:${name.name.toLowerCase()}`;
		default:
			return dnKey(text);
	}
}

function isDn(text: string): boolean {
	try {
		return parseDn(text).length > 0;
	} catch {
		return false; // The caller says what it should have been.
	}
}
