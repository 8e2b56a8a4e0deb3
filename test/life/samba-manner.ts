import { syntaxOf } from "../../src/core/attribute-syntax.ts";
import type { Filter } from "../../src/core/filter.ts";
import { type Lookup, matches, type Schema } from "../../src/core/matching.ts";
import { textOf } from "../../src/core/syntax.ts";

/**
 * Whether Samba 4.17 selects an entry: by our own rules, which are AD's, but for two things that can meet any filter. What else it
 * does in its own way is not among the filters that are made up, but in the table of `filters-samba.test.ts`.
 *
 * - It has two values, not three: what is Undefined for AD (MS-ADTS §3.1.1.3.1.3.1) is false, so that its negation selects.
 * - Text has no case, but accents, widths and Kana types; runs of spaces count as one and those at either end as none, also in each part
 *   of a substring filter; it is ordered by the bytes of its upper case (lib/ldb: ldb_comparison_fold, ldb_wildcard_compare). AD
 *   compares sort keys, in which spaces count (MS-ADTS §3.1.1.2.2.4.13 and §6.5).
 */
export function sambaSelects(filter: Filter, lookup: Lookup, schema: Schema): boolean {
	switch (filter.kind) {
		case "and":
			return filter.parts.every((part) => sambaSelects(part, lookup, schema));
		case "or":
			return filter.parts.some((part) => sambaSelects(part, lookup, schema));
		case "not":
			return !sambaSelects(filter.part, lookup, schema);
		default:
			return asText(filter, lookup) ?? matches(filter, lookup, schema);
	}
}

/** The verdict on a text attribute; undefined for all others, and for presence. */
function asText(filter: Filter, lookup: Lookup): boolean | undefined {
	if (!("attribute" in filter) || filter.attribute === undefined || filter.kind === "present") return undefined;
	const attribute = filter.attribute.toLowerCase();
	if (syntaxOf(attribute) !== "text" || (filter.kind === "extensible" && filter.rule !== undefined)) return undefined;
	const values = (lookup(attribute) ?? []).map((value) => foldAsSamba(textOf(value)));
	if (filter.kind === "substrings") {
		const parts = [filter.initial, ...filter.any, filter.final].map((part) => part && foldAsSamba(textOf(part)));
		return !parts.includes("") && values.some((value) => hasParts(value, parts));
	}
	const wanted = foldAsSamba(textOf(filter.value));
	const orders = values.map((value) => compareAsSamba(value, wanted));
	if (filter.kind === "greaterOrEqual") return orders.some((order) => order >= 0);
	return filter.kind === "lessOrEqual" ? orders.some((order) => order <= 0) : orders.includes(0);
}

function foldAsSamba(text: string): string {
	const upper = Array.from(text, (letter) => {
		const one = letter.toUpperCase();
		return letter === "ı" || one.length !== letter.length ? letter : one;
	});
	return upper.join("").replace(/ +/g, " ").replace(/^ | $/g, "");
}

/** Bytes are signed there, so that those past ASCII come before the end of the other text; but not after nothing but ASCII. */
function compareAsSamba(one: string, other: string): number {
	const [short, long] = one.length < other.length ? [one, other] : [other, one];
	if (/^[ -~]*$/.test(short) && long.startsWith(short)) return one.length - other.length;
	const signed = (text: string): Uint8Array => Buffer.from(`${text}\0`).map((octet) => octet ^ 0x80);
	return Buffer.compare(signed(one), signed(other));
}

function hasParts(text: string, parts: readonly (string | undefined)[]): boolean {
	const pattern = parts.map((part) => (part === undefined ? "" : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))).join("[^]*");
	return new RegExp(`^${pattern}$`).test(text);
}

/** A filter that Samba answers in a way of its own. Lists are the numbers that names begin with; `all` is everybody. */
export interface Alone {
	readonly filter: string;
	readonly we: readonly number[] | "all";
	readonly samba: readonly number[] | "all" | "refuses";
	readonly why: string;
}

/**
 * Where Samba is alone with its answer. AD, which we follow: MS-ADTS §3.1.1.3.1.3.1 (three values, approximate match), §3.1.1.2.2.4
 * (comparisons of each syntax), §3.1.1.3.4.4 (matching rules).
 */
export const aloneInSamba: readonly Alone[] = [
	{ filter: "(displayName=anna aberg)", we: [0, 1, 2, 4], samba: [1, 3], why: "accents count there, and two spaces are one" },
	{ filter: "(description=leading)", we: [], samba: [5, 12, 26, 33, 40, 54, 61], why: "spaces at the ends do not count there" },
	{ filter: "(displayName=* *x)", we: [41], samba: [], why: "a part of nothing but spaces is nowhere there" },
	{
		filter: "(sn>=zed)",
		we: [15, 16, 20, 21, 22, 23, 25, 52, 57, 58, 60, 61],
		samba: [51, 52],
		why: "letters past ASCII come first there, and Greek, Cyrillic and the rest last for AD",
	},
	{ filter: "(anr=ann ab)", we: [0, 1, 2], samba: [1], why: "accents in ambiguous names" },
	{ filter: "(!(showInAdvancedViewOnly=maybe))", we: [], samba: "all", why: "what is no value is false there" },
	{ filter: "(!(displayName:2.5.13.2:=x))", we: [], samba: "all", why: "an unknown rule is false there" },
	{ filter: "(!(:2.5.13.2:=x))", we: [], samba: "all", why: "a rule without an attribute is false there" },
	{ filter: "(!(secretary:1.2.840.113556.1.4.1941:=CN=Nobody))", we: [], samba: "all", why: "secretary is no link, so has no chain" },
	{ filter: "(displayName:1.2.840.113556.1.4.803:=1)", we: [], samba: "refuses", why: "a bit rule on text" },
	{ filter: "(flags:1.2.840.113556.1.4.803:=some)", we: [], samba: "refuses", why: "a bit rule without bits" },
	{ filter: "(displayName~=x)", we: [39], samba: "refuses", why: "it has no approximate match, which is equality for AD" },
	{ filter: "(uidNumber=08)", we: [4], samba: [], why: "a leading zero, there in an index of texts" },
	{ filter: "(uidNumber=1*)", we: [], samba: [19, 22, 25, 28, 31], why: "numbers have no parts" },
	{
		filter: "(flags<=2147483648)",
		we: [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64],
		samba: [16, 36, 56],
		why: "a number past 32 bits becomes another one there",
	},
	{
		filter: "(accountExpires=never)",
		we: [],
		samba: [0, 5, 10, 15, 25, 30, 35, 40, 45, 50, 60, 65],
		why: "a long number that is none is 0 there",
	},
	{
		filter: "(msTSExpireDate=20261101083000Z)",
		we: [8, 20, 32, 44, 56],
		samba: [],
		why: "a time without its fraction is another text there",
	},
	{
		filter: "(msTSExpireDate>=20261101093000.0+0100)",
		we: [5, 8, 17, 20, 29, 32, 41, 44, 53, 56, 65],
		samba: [2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35, 38, 41, 44, 47, 50, 53, 56, 59, 62, 65],
		why: "a time with a zone is none there, and before all others",
	},
	{ filter: "(manager=CN=0*)", we: [], samba: [1], why: "DNs have no parts" },
	{
		filter: "(showInAdvancedViewOnly>=TRUE)",
		we: [],
		samba: [1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61, 65],
		why: "booleans have no order",
	},
	{
		filter: "(objectClass=2.5.6.6)",
		we: [],
		samba: "all",
		why: "a class by its number, which entries do not show: AD knows it, we cannot tell",
	},
];
