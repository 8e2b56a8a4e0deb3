import { dnKey, parseDn } from "../../core/dn.ts";
import { Failure } from "../../core/errors.ts";
import { type GroupName, groupKey, parseGroupName } from "../../core/group-name.ts";
import { foldText } from "../../core/syntax.ts";

/** A group as the configuration names it. */
export interface WantedGroup {
	/** As written. */
	readonly text: string;
	/** What it is pinned by: see core/group-name. */
	readonly key: string;
	readonly name: GroupName;
}

/** Throws Failure ENTRY_UNREADABLE for what can be no group's name. */
export function wantedGroup(text: string): WantedGroup {
	const name = parseGroupName(text);
	if (name !== undefined) return { text, key: groupKey(text), name };
	parseDn(text); // Its message says what is wrong where.
	throw new Failure("ENTRY_UNREADABLE", `"${text}" names no group`, { hint: "Name it by its DN, GUID, SID or name." });
}

/** What came of looking for one. */
export type Sighting<G> =
	| { readonly kind: "found"; readonly group: G }
	| { readonly kind: "missing" }
	/** It cannot be told which one is meant, so none is. `because` and `remedy` are for a person. */
	| { readonly kind: "unclear"; readonly because: string; readonly remedy: string };

/** So many that have one name are told by their DNs; whoever has more of them is not helped by a longer list. */
const TOLD = 20;
/** As many as are asked for. */
export const MOST_NAMESAKES = TOLD + 1;

/** Whoever has a name alone has it; `dns` are all that have it, up to MOST_NAMESAKES. */
export function ambiguous({ text }: WantedGroup, dns: readonly string[]): Sighting<never> {
	const isMore = dns.length > TOLD;
	const told = dns.slice(0, TOLD).map((dn) => `"${dn}"`);
	const number = isMore ? `more than ${TOLD}` : String(dns.length);
	const because = `${number} groups have the name "${text}", which a rule names, and none of them is taken: ${told.join(", ")}${isMore ? ", …" : ""}`;
	return { kind: "unclear", because, remedy: "name it by its DN or GUID" };
}

/** What a run says of a group that is another than the configuration calls it; undefined: it is called so, or by what never changes. */
export function newNameOf(
	{ text, key, name }: WantedGroup,
	now: { readonly dn: string; readonly names: readonly string[] },
	where: string,
): string | undefined {
	if (name.kind === "guid" || name.kind === "sid") return undefined;
	const isSame = name.kind === "dn" ? dnKey(now.dn) === key : now.names.some((one) => foldText(one) === foldText(name.name));
	return isSame ? undefined : `the group "${text}" of ${where} is now "${now.dn}": it is still the same one; change the configuration`;
}
