import { textsOf } from "../ldap/wire/entry.ts";
import { probe, type Session } from "../ldap/wire/session.ts";
import { anything } from "./root.ts";

/** Tells whether a server's schema has an attribute. */
export type KnowsAttribute = (attribute: string) => Promise<boolean>;

/** True, too, when the server does not show its schema. That is read at most once, and only when it is asked for. */
export function makeKnowsAttribute(session: Session, subschema: string | undefined): KnowsAttribute {
	let asked: Promise<ReadonlySet<string> | undefined> | undefined;
	return async (attribute) => {
		asked ??= readNames(session, subschema);
		const names = await asked;
		return names === undefined || names.has(attribute.toLowerCase());
	};
}

/** Names of all attribute types (RFC 4512 §4.1.2), lower case. */
async function readNames(session: Session, subschema: string | undefined): Promise<ReadonlySet<string> | undefined> {
	if (subschema === undefined) return undefined;
	const [raw] = (await probe(session, { base: subschema, filter: anything, attributes: ["attributeTypes"] })).entries;
	const types = raw === undefined ? [] : textsOf(raw, "attributeTypes");
	if (types.length === 0) return undefined;
	return new Set(types.flatMap(namesOf));
}

function namesOf(definition: string): readonly string[] {
	const listed = /\bNAME\s+(?:'([^']+)'|\(([^)]*)\))/.exec(definition);
	if (listed === null) return [];
	const [, one, several] = listed;
	const names = one !== undefined ? [one] : Array.from((several ?? "").matchAll(/'([^']+)'/g), ([, name]) => name ?? "");
	return names.map((name) => name.toLowerCase());
}
