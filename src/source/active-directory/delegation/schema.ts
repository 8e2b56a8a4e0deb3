import { Failure } from "../../../core/errors.ts";
import type { Filter } from "../../../core/filter.ts";
import { equal } from "../../../core/filter-text.ts";
import { attributeName, firstValue, textsOf } from "../../ldap/wire/entry.ts";
import { type Session, search } from "../../ldap/wire/session.ts";
import { guidText } from "../guid.ts";
import type { Named } from "./grant.ts";

/** An attribute as the forest's schema has it. */
export interface Property extends Named {
	/** Of the property set that it belongs to, which rights may name in its stead. */
	readonly set: string | undefined;
	/** searchFlags 0x80: whoever reads it needs the right to control besides (MS-ADTS §3.1.1.2.3, fCONFIDENTIAL). */
	readonly isConfidential: boolean;
	/** searchFlags 0x200: not for read-only domain controllers, and DirSync asks for a right of its own (fRODCFilteredAttribute). */
	readonly isFiltered: boolean;
}

export interface ForestSchema {
	/** By lower-case name; what the schema does not have is missing. */
	readonly properties: ReadonlyMap<string, Property>;
	readonly classes: ReadonlyMap<string, Named>;
}

const SCHEMA_ID = attributeName("schemaIDGUID");
const SET = attributeName("attributeSecurityGUID");
/** Names asked for in one search. */
const BATCH = 50;

/** Attributes and classes by their lDAPDisplayName. Throws Failure SOURCE_REFUSED when the schema cannot be read. */
export async function readSchema(
	session: Session,
	base: string,
	attributes: readonly string[],
	classes: readonly string[],
): Promise<ForestSchema> {
	const properties = new Map<string, Property>();
	const known = new Map<string, Named>();
	const wanted = [...new Set([...attributes, ...classes].map((name) => (name.split(";")[0] as string).toLowerCase()))];
	for (let at = 0; at < wanted.length; at += BATCH) {
		const parts = wanted.slice(at, at + BATCH).map((name) => equal("lDAPDisplayName", name));
		const filter: Filter = { kind: "or", parts };
		const asked = ["lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID", "searchFlags", "objectClass"];
		for (const raw of await search(session, { base, scope: "one", filter, attributes: asked })) {
			const [name] = textsOf(raw, "lDAPDisplayName");
			const guid = guidIn(raw, SCHEMA_ID);
			if (name === undefined || guid === undefined) continue;
			const isClass = textsOf(raw, "objectClass").some((one) => one.toLowerCase() === "classschema");
			if (isClass) known.set(name.toLowerCase(), { name, guid });
			else {
				const flags = Number(textsOf(raw, "searchFlags")[0] ?? 0);
				const [isConfidential, isFiltered] = [(flags & 0x80) !== 0, (flags & 0x200) !== 0];
				properties.set(name.toLowerCase(), { name, guid, set: guidIn(raw, SET), isConfidential, isFiltered });
			}
		}
	}
	if (known.size > 0 && properties.size > 0) return { properties, classes: known };
	throw new Failure("SOURCE_REFUSED", `the schema in "${base}" cannot be read by this account`, {
		hint: "Everybody who signs in may read it by default; give the account the right to, or run this as another account.",
	});
}

function guidIn(raw: Uint8Array, name: Uint8Array): string | undefined {
	const octets = firstValue(raw, name);
	return octets?.length === 16 ? guidText(octets) : undefined;
}
