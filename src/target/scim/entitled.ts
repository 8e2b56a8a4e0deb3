import type { Account } from "../../core/account.ts";
import type { Value } from "./fields.ts";
import { isObject, type Json, textIn } from "./json.ts";
import type { Shape } from "./shape.ts";

/** Where features and policies go, and what the server's schema says. */
export interface UserForm {
	readonly features: string | undefined;
	readonly policies: string | undefined;
	readonly shape: Shape;
}

type Owned = Pick<Account, "features" | "policies">;

/**
 * Features and policies as values of the attributes that the configuration names. A feature is a value; a policy is a value with its
 * name as type, or "name=value" where values are plain texts or may not have that type. The attribute is ours as a whole: what else is in it goes.
 */
export function entitled({ features = [], policies = {} }: Owned, form: UserForm): readonly (readonly [string, Value])[] {
	const values = new Map<string, (string | Json)[]>();
	const add = (path: string | undefined, value: string, type: string | undefined): void => {
		if (path === undefined) return;
		const plain = type === undefined ? value : `${type}=${value}`;
		const isTyped = type !== undefined && (form.shape.typesAt(path)?.includes(type) ?? true);
		const whole = isTyped ? { value, type } : { value: plain };
		values.set(path, [...(values.get(path) ?? []), formOf(path, form) === "objects" ? whole : plain]);
	};
	for (const feature of features) add(form.features, feature, undefined);
	for (const [name, value] of Object.entries(policies)) add(form.policies, value, name);
	return [...values].map(([path, list]) => [path, formOf(path, form) === "text" ? list.join(",") : list]);
}

/** The other way round. */
export function entitlementsIn(fields: ReadonlyMap<string, Value>, form: UserForm): Owned {
	const features = new Set<string>();
	const policies = new Map<string, string>();
	for (const path of new Set([form.features, form.policies])) {
		if (path === undefined) continue;
		const isShared = form.features === form.policies;
		for (const { value, type } of itemsOf(fields.get(path), path === form.policies && form.shape.typesAt(path) !== undefined)) {
			if (path === form.features && (type === undefined || !isShared)) features.add(value);
			else if (type !== undefined) policies.set(type, value);
		}
	}
	const named = [...policies].sort(([a], [b]) => (a < b ? -1 : 1));
	return {
		...(features.size > 0 && { features: [...features].sort() }),
		...(named.length > 0 && { policies: Object.fromEntries(named) }),
	};
}

/** RFC 7643 §4.1.2 has values with types at both; an extension's are texts unless its schema says otherwise. */
function formOf(path: string, { shape }: UserForm): "text" | "texts" | "objects" {
	return shape.formOf(path) ?? (path.startsWith("urn:") ? "texts" : "objects");
}

/** `mayBeNamed`: whether an object's value may have a policy's name in it. */
function itemsOf(value: Value | undefined, mayBeNamed: boolean): readonly { readonly value: string; readonly type: string | undefined }[] {
	const list = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : [];
	return list.flatMap((item: string | Json) => {
		if (isObject(item)) {
			const text = textIn(item, "value");
			const type = textIn(item, "type");
			if (text === undefined) return [];
			return [mayBeNamed && type === undefined ? split(text) : { value: text, type }];
		}
		return [split(item)];
	});
}

function split(text: string): { readonly value: string; readonly type: string | undefined } {
	const at = text.indexOf("=");
	return at < 0 ? { value: text, type: undefined } : { value: text.slice(at + 1), type: text.slice(0, at) };
}
