import { isDeepStrictEqual } from "node:util";
import type { Json } from "./json.ts";
import type { Shape } from "./shape.ts";
import { CORE_USER, readPath } from "./urns.ts";

/**
 * The attributes that are ours to keep, by path ("name.givenName", "urn:…:User:department"), each as SCIM writes it. An attribute
 * without a value is left out. What is wanted, what was applied and what a server shows are compared as these.
 */
export type Fields = ReadonlyMap<string, Value>;
export type Value = string | boolean | Json | readonly (string | Json)[];

/** The fields that may be sent. */
export function sendable(fields: Fields, shape: Shape, when: "create" | "update"): Fields {
	return new Map([...fields].filter(([path]) => shape.takes(path, when)));
}

/** The resource to create. */
export function resourceOf(fields: Fields, schema: string): Json {
	const schemas = [schema];
	const resource: Record<string, unknown> = { schemas };
	for (const [path, value] of fields) {
		setWithin(resource, path, value);
		const { extension } = readPath(path);
		if (extension !== undefined && !schemas.includes(extension)) schemas.push(extension);
	}
	return resource;
}

/** Sets a value in an object of our own: an extension's attributes stand beneath its URN, a complex attribute's beneath its name. */
export function setWithin(values: Record<string, unknown>, path: string, value: unknown): void {
	const { extension, attribute, sub } = readPath(path);
	const within = (owner: Record<string, unknown>, name: string): Record<string, unknown> => {
		const inner = { ...(owner[name] as Record<string, unknown> | undefined) };
		owner[name] = inner;
		return inner;
	};
	const owner = extension === undefined ? values : within(values, extension);
	if (sub === undefined) owner[attribute] = value;
	else within(owner, attribute)[sub] = value;
}

/** Sets an attribute, or takes it away. Names that are there in another case keep it. */
export function put(resource: Record<string, unknown>, path: string, value: Value | undefined): void {
	const at = path.startsWith("urn:") && !path.startsWith(`${CORE_USER}:`) ? path.lastIndexOf(":") : -1;
	if (at >= 0) {
		const urn = path.slice(0, at);
		const key = keyOf(resource, urn);
		const extension = { ...(resource[key] as Json | undefined) };
		put(extension, path.slice(at + 1), value);
		if (Object.keys(extension).length === 0) delete resource[key];
		else resource[key] = extension;
		listSchema(resource, urn, Object.keys(extension).length > 0);
		return;
	}
	const [attribute = "", sub] = path.slice(path.lastIndexOf(":") + 1).split(".");
	const key = keyOf(resource, attribute);
	if (sub !== undefined) {
		const inner = { ...(resource[key] as Json | undefined) };
		put(inner, sub, value);
		if (Object.keys(inner).length === 0) delete resource[key];
		else resource[key] = inner;
	} else if (value === undefined) delete resource[key];
	else resource[key] = value;
}

function keyOf(object: Readonly<Record<string, unknown>>, name: string): string {
	return Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name;
}

/** A resource names the schemas that it has attributes of (RFC 7643 §3). */
function listSchema(resource: Record<string, unknown>, urn: string, isThere: boolean): void {
	const key = keyOf(resource, "schemas");
	const others = [resource[key] ?? []].flat().filter((one) => String(one).toLowerCase() !== urn.toLowerCase());
	resource[key] = isThere ? [...others, urn] : others;
}

/** Paths at which `after` is not as `before`, with what it is to be; undefined: to be taken away. */
export function differences(before: Fields, after: Fields, isSame: (path: string, one: Value, other: Value) => boolean): Changes {
	const changes = new Map<string, Value | undefined>();
	for (const [path, value] of after) {
		const was = before.get(path);
		if (was === undefined || !isSame(path, was, value)) changes.set(path, value);
	}
	for (const path of before.keys()) if (!after.has(path)) changes.set(path, undefined);
	return changes;
}

export type Changes = ReadonlyMap<string, Value | undefined>;

/** Letter for letter: both sides are ours. */
export function isEqual(_path: string, one: Value, other: Value): boolean {
	return isDeepStrictEqual(one, other);
}

/**
 * As far as servers keep what they are given: names without case, telephone numbers by their digits, lists in any order. Who compares
 * more strictly sends the same change for ever.
 */
export function isAlike(path: string, one: Value, other: Value): boolean {
	return isDeepStrictEqual(likeness(path, one), likeness(path, other));
}

function likeness(path: string, value: Value): unknown {
	if (Array.isArray(value)) return value.map((one) => JSON.stringify(likeness(path, one))).sort();
	if (typeof value === "object") {
		const entries = Object.entries(value as Json).map(([key, inner]) => [key, key === "value" ? likeness(path, inner as Value) : inner]);
		return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
	}
	if (typeof value !== "string") return value;
	if (path === "userName" || path === "emails") return value.toLowerCase();
	return path === "phoneNumbers" ? value.replace(/^tel:/i, "").replace(/[\s().-]/g, "") : value;
}
