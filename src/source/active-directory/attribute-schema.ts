import { Failure } from "../../core/errors.ts";
import { equal } from "../../core/filter-text.ts";
import { textsOf } from "../ldap/wire/entry.ts";
import { type Session, search } from "../ldap/wire/session.ts";
import { anything } from "./root.ts";

/** In every schema: where this one is not seen, nothing of the schema is. */
const WITNESS = "objectClass";

/** Those of the attributes that the directory has never heard of, in lower case; none when it does not show its schema. */
export async function readUnknown(session: Session, attributes: readonly string[]): Promise<ReadonlySet<string>> {
	try {
		const known = new Set(await readKnown(session, [WITNESS, ...attributes]));
		if (!known.has(WITNESS.toLowerCase())) return new Set();
		return new Set(attributes.map((name) => name.toLowerCase()).filter((name) => !known.has(name)));
	} catch (cause) {
		// Hidden from this account: that an attribute is unknown cannot be told, and everything else was looked at.
		if (cause instanceof Failure && (cause.code === "SOURCE_BASE_MISSING" || cause.code === "SOURCE_REFUSED")) return new Set();
		throw cause;
	}
}

async function readKnown(session: Session, attributes: readonly string[]): Promise<readonly string[]> {
	const [root] = await search(session, { base: "", scope: "base", filter: anything, attributes: ["schemaNamingContext"] });
	const [base] = root === undefined ? [] : textsOf(root, "schemaNamingContext");
	if (base === undefined) return [];
	const names = { kind: "or", parts: attributes.map((name) => equal("lDAPDisplayName", name)) } as const;
	const filter = { kind: "and", parts: [equal("objectClass", "attributeSchema"), names] } as const;
	const found = await search(session, { base, scope: "one", filter, attributes: ["lDAPDisplayName"] });
	return found.flatMap((raw) => textsOf(raw, "lDAPDisplayName")).map((name) => name.toLowerCase());
}
