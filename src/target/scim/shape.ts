import { booleanIn, type Json, objectsIn, textIn } from "./json.ts";
import { readPath } from "./urns.ts";

/** What a server's schemas say of one type of resource; all is possible where it publishes none. */
export interface Shape {
	/** Whether a value may be sent at this path. */
	takes(path: string, when: "create" | "update"): boolean;
	/** How values are written there; undefined: not published. */
	formOf(path: string): Form | undefined;
	/** Attributes of the resource itself, in lower case, that only the server writes. */
	readonly readOnly: ReadonlySet<string>;
}

export type Form = "text" | "texts" | "objects";

/** Without these there is nothing to send, whatever a schema says: those that lack one of them are less true than the servers behind. */
const ALWAYS = new Set(["username", "active", "externalid", "displayname", "members"]);

export const anyShape: Shape = { takes: () => true, formOf: () => undefined, readOnly: new Set(["id", "meta", "groups"]) };

/**
 * `own`: the schema's document. `extensions`: documents of others by URN in lower case; undefined for one that is known to be there but
 * not described.
 */
export function makeShape(own: Json, extensions: ReadonlyMap<string, Json | undefined>): Shape {
	const find = (path: string): readonly Json[] | "undescribed" | undefined => {
		const { extension, attribute, sub } = readPath(path);
		if (extension !== undefined && !extensions.has(extension.toLowerCase())) return undefined;
		const schema = extension === undefined ? own : extensions.get(extension.toLowerCase());
		if (schema === undefined) return "undescribed";
		const found = named(schema, "attributes", attribute);
		if (found === undefined || sub === undefined) return found && [found];
		const inside = named(found, "subAttributes", sub);
		return inside && [found, inside];
	};
	return {
		takes: (path, when) => {
			const found = find(path);
			if (found === undefined) return ALWAYS.has(path.toLowerCase());
			if (found === "undescribed") return true;
			return found.every((attribute) => {
				const mutability = textIn(attribute, "mutability")?.toLowerCase();
				return mutability !== "readonly" && (mutability !== "immutable" || when === "create");
			});
		},
		formOf: (path) => {
			const found = find(path);
			if (found === undefined || found === "undescribed") return undefined;
			const attribute = found.at(-1) ?? {};
			if (textIn(attribute, "type")?.toLowerCase() === "complex") return "objects";
			return booleanIn(attribute, "multiValued") === true ? "texts" : "text";
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
