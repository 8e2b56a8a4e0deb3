import { booleanIn, type Json, member, objectsIn, textIn } from "./json.ts";
import { readPath } from "./urns.ts";

/** What a server's schemas say of one type of resource; all is possible where it publishes none. */
export interface Shape {
	/** Whether a value may be sent at this path. */
	takes(path: string, when: "create" | "update"): boolean;
	/** How values are written there; undefined: not published. */
	formOf(path: string): Form | undefined;
	/** The only types that values may have there; undefined: any. */
	typesAt(path: string): readonly string[] | undefined;
	/** Attributes of the resource itself, in lower case, that only the server writes. */
	readonly readOnly: ReadonlySet<string>;
}

export type Form = "text" | "texts" | "objects";

/** Without these there is nothing to send, whatever a schema says: those that lack one of them are less true than the servers behind. */
const ALWAYS = new Set(["username", "active", "externalid", "displayname", "members"]);

export const anyShape: Shape = {
	takes: () => true,
	formOf: () => undefined,
	typesAt: () => undefined,
	readOnly: new Set(["id", "meta", "groups"]),
};

/**
 * `own`: the schema's document. `extensions`: documents of others by URN in lower case; undefined for one that is known to be there but
 * not described.
 */
export function makeShape(own: Json, extensions: ReadonlyMap<string, Json | undefined>): Shape {
	// Asked for each field of each account, and always for the same few.
	const found = new Map<string, readonly Json[] | "undescribed" | undefined>();
	const find = (path: string): readonly Json[] | "undescribed" | undefined => {
		if (!found.has(path)) found.set(path, look(path));
		return found.get(path);
	};
	const look = (path: string): readonly Json[] | "undescribed" | undefined => {
		const { extension, attribute, sub } = readPath(path);
		if (extension !== undefined && !extensions.has(extension.toLowerCase())) return undefined;
		const schema = extension === undefined ? own : extensions.get(extension.toLowerCase());
		if (schema === undefined) return "undescribed";
		const outer = named(schema, "attributes", attribute);
		if (outer === undefined || sub === undefined) return outer && [outer];
		const inside = named(outer, "subAttributes", sub);
		return inside && [outer, inside];
	};
	return {
		takes: (path, when) => {
			const attributes = find(path);
			if (attributes === undefined) return ALWAYS.has(path.toLowerCase());
			if (attributes === "undescribed") return true;
			return attributes.every((attribute) => {
				const mutability = textIn(attribute, "mutability")?.toLowerCase();
				return mutability !== "readonly" && (mutability !== "immutable" || when === "create");
			});
		},
		formOf: (path) => {
			const attributes = find(path);
			if (attributes === undefined || attributes === "undescribed") return undefined;
			const attribute = attributes.at(-1) ?? {};
			if (textIn(attribute, "type")?.toLowerCase() === "complex") return "objects";
			return booleanIn(attribute, "multiValued") === true ? "texts" : "text";
		},
		typesAt: (path) => {
			const attributes = find(`${path}.type`);
			if (attributes === undefined || attributes === "undescribed") return undefined;
			// Meant as a suggestion (RFC 7643 §7), and taken for a rule by some, also where it is empty.
			const types = member(attributes.at(-1) ?? {}, "canonicalValues");
			return Array.isArray(types) ? types.filter((type) => typeof type === "string") : undefined;
		},
		readOnly: new Set([
			"id",
			"meta",
			"groups",
			...objectsIn(own, "attributes")
				.filter((attribute) => textIn(attribute, "mutability")?.toLowerCase() === "readonly")
				.map((attribute) => (textIn(attribute, "name") ?? "").toLowerCase()),
		]),
	};
}

function named(owner: Json, list: "attributes" | "subAttributes", name: string): Json | undefined {
	return objectsIn(owner, list).find((attribute) => textIn(attribute, "name")?.toLowerCase() === name.toLowerCase());
}
