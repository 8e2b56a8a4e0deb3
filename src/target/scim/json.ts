/** JSON as a target sends it: nothing of it is known before it is looked at. */
export type Json = Readonly<Record<string, unknown>>;

/** Undefined: it is no JSON, or no object. */
export function parseObject(text: string): Json | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : undefined;
	} catch {
		return undefined; // An HTML page, plain text or nothing: whoever asked goes by the status.
	}
}

export function isObject(value: unknown): value is Json {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Attribute names are compared without case (RFC 7643 §2.1). */
export function member(object: Json, name: string): unknown {
	if (Object.hasOwn(object, name)) return object[name];
	const wanted = name.toLowerCase();
	const key = Object.keys(object).find((one) => one.toLowerCase() === wanted);
	return key === undefined ? undefined : object[key];
}

/** A text that is not empty; a number as text, since ids and values of some servers are numbers. */
export function textIn(object: Json, name: string): string | undefined {
	const value = member(object, name);
	if (typeof value === "number") return String(value);
	return typeof value === "string" && value !== "" ? value : undefined;
}

/** A list of objects; one object alone is taken for a list of one, and what is no object is left out. */
export function objectsIn(object: Json, name: string): readonly Json[] {
	return [member(object, name) ?? []].flat().filter(isObject);
}

/** A boolean, also one that came as text; undefined when it does not say. */
export function booleanIn(object: Json, name: string): boolean | undefined {
	const value = member(object, name);
	if (typeof value === "boolean") return value;
	if (typeof value !== "string" || !/^(true|false)$/i.test(value)) return undefined;
	return value.toLowerCase() === "true";
}
