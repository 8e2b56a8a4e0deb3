import fc from "fast-check";
import { syntaxOf } from "../../src/core/attribute-syntax.ts";
import type { Entry } from "../../src/core/entry.ts";
import type { Filter } from "../../src/core/filter.ts";
import { bytesOf } from "../../src/core/syntax.ts";

/** What filters ask about, and what our own reader is asked for. Nobody has a title, and nothing has a `noSuchAttribute`. */
export const attributes = [
	...["displayName", "cn", "sn", "givenName", "department", "description", "title", "mail", "proxyAddresses", "userPrincipalName"],
	...["sAMAccountName", "telephoneNumber", "otherTelephone", "employeeNumber", "loginShell", "serialNumber", "userAccountControl"],
	...["accountExpires", "pwdLastSet", "flags", "countryCode", "uidNumber", "primaryGroupID", "adminCount", "showInAdvancedViewOnly"],
	...["msTSExpireDate", "manager", "memberOf", "secretary", "objectCategory", "objectClass", "objectGUID", "objectSid", "thumbnailPhoto"],
	"noSuchAttribute",
];

const LEAST = -(2 ** 31);
const GREATEST = 2 ** 31 - 1;
const BIT_AND = "1.2.840.113556.1.4.803";
const BIT_OR = "1.2.840.113556.1.4.804";
const IN_CHAIN = "1.2.840.113556.1.4.1941";

/** Filters nested three deep at most, about values that entries have, values that are nearly theirs, and values of nobody. */
export function anyFilter(entries: readonly Entry[], groups: readonly string[]): fc.Arbitrary<Filter> {
	const leaf = fc.oneof(...attributes.map((attribute) => anyPart(attribute, valuesOf(attribute, entries, groups))));
	const nest = (inner: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> => {
		const parts = fc.array(inner, { minLength: 1, maxLength: 3 });
		return fc.oneof(
			{ weight: 3, arbitrary: leaf },
			fc.record({ kind: fc.constantFrom("and" as const, "or" as const), parts }),
			fc.record({ kind: fc.constant("not" as const), part: inner }),
		);
	};
	return nest(nest(nest(leaf)));
}

function valuesOf(attribute: string, entries: readonly Entry[], groups: readonly string[]): readonly Uint8Array[] {
	const name = attribute.toLowerCase();
	const syntax = syntaxOf(name);
	const own = entries.flatMap(({ attributes }) => attributes.get(name) ?? []);
	const isBinary = syntax === "guid" || syntax === "sid" || syntax === "bytes";
	const values = isBinary ? [...own.map((value) => bytesOf(value, syntax)), ...own.map(utf8)] : own.map(utf8);
	if (name === "manager" || name === "secretary") values.push(...entries.map(({ dn }) => utf8(dn)));
	return [...values, ...(name === "memberof" ? groups : []).map(utf8), utf8("nobody")];
}

function anyPart(attribute: string, values: readonly Uint8Array[]): fc.Arbitrary<Filter> {
	const value = fc.constantFrom(...values);
	const present = fc.constant<Filter>({ kind: "present", attribute });
	const equality = (of: fc.Arbitrary<Uint8Array>) =>
		fc.record({
			kind: fc.constantFrom("equal" as const, "equal" as const, "approx" as const),
			attribute: fc.constant(attribute),
			value: of,
		});
	const order = (of: fc.Arbitrary<Uint8Array>) =>
		fc.record({ kind: fc.constantFrom("greaterOrEqual" as const, "lessOrEqual" as const), attribute: fc.constant(attribute), value: of });
	const rule = (of: fc.Arbitrary<Uint8Array>, ...rules: readonly (string | undefined)[]) =>
		fc.record({
			kind: fc.constant("extensible" as const),
			rule: fc.constantFrom(...rules),
			attribute: fc.constant(attribute),
			value: of,
			dnAttributes: fc.constant(false),
		});
	switch (syntaxOf(attribute.toLowerCase())) {
		case "text":
		case "exact": {
			const near = fc.tuple(value, fc.constantFrom(...nearMisses)).map(([octets, change]) => utf8(change(text(octets)) || "x"));
			const any = fc.oneof(value, near);
			return fc.oneof(
				present,
				equality(any),
				equality(any),
				order(any),
				rule(any, undefined, "2.5.13.2"),
				substrings(attribute, any, true),
			);
		}
		case "integer": {
			const own = value.map((octets) => (/^-?\d+$/.test(text(octets)) ? octets : utf8("512")));
			const beside = fc.tuple(own, fc.constantFrom(-1n, 1n)).map(([octets, step]) => utf8(String(within(BigInt(text(octets)) + step))));
			const numbers = fc.oneof(
				own,
				beside,
				fc.integer({ min: LEAST, max: GREATEST }).map((number) => utf8(String(number))),
			);
			const mask = fc.oneof(
				numbers,
				fc.integer({ min: 0, max: 31 }).map((bit) => utf8(String(2 ** bit))),
			);
			return fc.oneof(present, equality(numbers), order(numbers), rule(mask, BIT_AND, BIT_OR));
		}
		case "boolean":
			return fc.oneof(present, equality(fc.constantFrom(...["TRUE", "FALSE", "true", "False", "nobody"].map(utf8))));
		case "time":
			return fc.oneof(
				present,
				equality(value),
				order(value.map((octets) => (text(octets) === "nobody" ? utf8("20261101083000.0Z") : octets))),
			);
		case "dn": {
			const near = fc.tuple(value, fc.constantFrom(...dnMisses)).map(([octets, change]) => utf8(change(text(octets))));
			return fc.oneof(present, equality(fc.oneof(value, near)), rule(fc.oneof(value, near), IN_CHAIN), rule(value, IN_CHAIN));
		}
		case "category":
			return fc.oneof(present, equality(fc.oneof(value, fc.constantFrom(...["person", "User", "contact", "computer", "group"].map(utf8)))));
		case "class":
			return fc.oneof(present, equality(fc.oneof(value, fc.constantFrom(...["USER", "computer", "group"].map(utf8)))));
		case "bytes":
			return fc.oneof(present, equality(value), order(value), substrings(attribute, value, false));
		default:
			return fc.oneof(present, equality(value), beginning(attribute, value));
	}
}

/** Of a GUID or SID. Samba finds no beginning that is the octet 0, nor other parts with one; GUIDs are other ones in each run. */
function beginning(attribute: string, value: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Filter> {
	const length = fc.integer({ min: 1, max: 15 });
	return fc
		.tuple(
			value.filter(([first]) => first !== 0),
			length,
		)
		.map(([octets, end]) => ({ kind: "substrings", attribute, initial: octets.slice(0, end), any: [], final: undefined }));
}

/** A step past a number of 32 bits, of which Samba makes another one; longer ones have no neighbour that it would. */
function within(number: bigint): bigint {
	return number === BigInt(GREATEST) + 1n || number === BigInt(LEAST) - 1n || number > 9_223_372_036_854_775_807n ? 1n : number;
}

/** A value cut into pieces with stars between them, of which one may be left out, or begin within the one before it. */
function substrings(attribute: string, value: fc.Arbitrary<Uint8Array>, isText: boolean): fc.Arbitrary<Filter> {
	return fc
		.tuple(
			value,
			fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }),
			fc.boolean(),
			fc.boolean(),
			fc.constantFrom("whole", "drops", "laps"),
		)
		.map(([octets, cuts, starts, ends, how]): Filter => {
			const letters = isText ? Array.from(text(octets)) : Array.from(octets);
			const at = [0, ...cuts.map((cut) => Math.min(cut, letters.length)).sort((a, b) => a - b), letters.length];
			const pieces = at
				.slice(1)
				.map((end, index) => letters.slice(Math.max(0, (at[index] as number) - (how === "laps" ? 1 : 0)), end))
				.filter((piece) => piece.length > 0);
			const kept = how === "drops" && pieces.length > 2 ? pieces.filter((_, index) => index !== 1) : pieces;
			const parts = kept.map((piece) => (isText ? utf8(piece.join("")) : Uint8Array.from(piece as number[])));
			const initial = starts ? parts.shift() : undefined;
			const final = ends || (initial === undefined && parts.length === 1) ? undefined : parts.pop();
			if (initial === undefined && final === undefined && parts.length === 0) return { kind: "present", attribute };
			return { kind: "substrings", attribute, initial, any: parts, final };
		});
}

const nearMisses: readonly ((value: string) => string)[] = [
	(value) => value.toUpperCase(),
	(value) => value.toLowerCase(),
	(value) => value.normalize("NFD").replace(/\p{Mn}/gu, ""),
	(value) => value.normalize("NFD"),
	(value) => value.replaceAll(" ", "  "),
	(value) => value.replaceAll(" ", ""),
	(value) => ` ${value} `,
	(value) => value.trim(),
	(value) => value.slice(1),
	(value) => `${value}x`,
	(value) => value.replaceAll("s", "*"),
];

const dnMisses: readonly ((value: string) => string)[] = [
	(value) => value.replace(/^CN=/, "cn="),
	(value) => value.replaceAll(/,(?=OU=|DC=)/g, " , "),
	(value) => value.replace(/DC=corp/, "dc=CORP"),
	(value) => value.replace(/OU=/, "CN="),
	(value) => value.slice(0, value.lastIndexOf(",")),
];

function utf8(value: string): Uint8Array {
	return Buffer.from(value, "utf8");
}

function text(octets: Uint8Array): string {
	return Buffer.from(octets).toString("utf8");
}
