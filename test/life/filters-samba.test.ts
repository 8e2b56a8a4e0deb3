import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { syntaxOf } from "../../src/core/attribute-syntax.ts";
import { dnKey } from "../../src/core/dn.ts";
import type { Entry } from "../../src/core/entry.ts";
import type { Filter } from "../../src/core/filter.ts";
import { parseFilter, printFilter } from "../../src/core/filter-text.ts";
import { type Lookup, makeMatcher, plainSchema, type Schema } from "../../src/core/matching.ts";
import { textOf as valueText } from "../../src/core/syntax.ts";
import { readWithGroups } from "../contract/groups.ts";
import { read, sourceOn } from "../contract/reader.ts";
import { directoryOnSamba } from "../contract/samba.ts";
import { textOf, textsOf } from "../support/ldif.ts";
import { fullRequest } from "../support/requests.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { anyFilter, attributes } from "./filter-arbitrary.ts";
import { populate } from "./filter-people.ts";
import { aloneInSamba, sambaSelects } from "./samba-manner.ts";

const NUMBER_OF_FILTERS = Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 600);

describeWith(["samba"], "filters on the people of a Samba domain controller", () => {
	const samba = useSamba();
	let people = "";
	let groups = "";
	let entries: readonly Entry[] = [];
	let schema: Schema = plainSchema;
	let groupDns: readonly string[] = [];

	beforeAll(async () => {
		const directory = directoryOnSamba(samba());
		people = `OU=Filters,${directory.baseDn}`;
		groups = `OU=Filter Groups,${directory.baseDn}`;
		for (const ou of [people, groups]) await directory.add(ou, { objectClass: "organizationalUnit" });
		await populate(samba(), people, groups);
		const source = { bases: [people], attributes };
		// In an order of their own: the server's is that of their GUIDs, which are other ones in each run.
		entries = [...(await read(sourceOn(directory, source))).entries.values()].sort((one, other) => numberOf(one) - numberOf(other));
		const kept = { bases: [groups], filter: undefined, exclude: [], kinds: [] };
		const found = [...(await readWithGroups(sourceOn(directory, { ...source, groups: kept }), fullRequest())).groups.values()];
		groupDns = found.map(({ entry }) => entry.dn).sort();
		const groupsOf = new Map<string, string[]>();
		for (const { entry, members } of found) {
			for (const member of members.values()) groupsOf.set(member, [...(groupsOf.get(member) ?? []), dnKey(entry.dn)]);
		}
		const managersOf = new Map(entries.map(({ dn, attributes }) => [dnKey(dn), (attributes.get("manager") ?? []).map(dnKey)]));
		schema = { ...plainSchema, inChain: makeInChain({ memberof: groupsOf, manager: managersOf }) };
	}, 120_000);

	/** As the engine has it: an attribute that was asked for and does not come is absent. */
	const lookupIn =
		({ dn, attributes: own }: Entry): Lookup =>
		(name) =>
			name === "distinguishedname" ? [dn] : (own.get(name) ?? (asked.has(name) ? [] : undefined));

	function selected(filter: Filter): readonly number[] {
		const matcher = makeMatcher(filter, schema);
		return numbersOf(entries.filter((entry) => matcher(lookupIn(entry)) === true));
	}

	/** Without the container itself. */
	async function selectedBySamba(filter: string): Promise<readonly number[]> {
		return numbersOf((await samba().ldapsearch(people, filter, ["1.1"])).filter(({ dn }) => dn !== people));
	}

	it("select whom Samba selects, by any of them", async () => {
		let isSame = 0;
		let isTelling = 0;
		await fc.assert(
			fc.asyncProperty(anyFilter(entries, groupDns), async (filter) => {
				const theirs = await selectedBySamba(printFilter(withoutApprox(filter)));
				expect(theirs, printFilter(filter)).toEqual(numbersOf(entries.filter((entry) => sambaSelects(filter, lookupIn(entry), schema))));
				if (String(selected(filter)) === String(theirs)) isSame++;
				if (theirs.length > 0 && theirs.length < entries.length) isTelling++;
			}),
			{ numRuns: NUMBER_OF_FILTERS, seed: Number(process.env["DIRSYNCD_TEST_SEED"] ?? 5) },
		);
		// Most of them without any allowance for Samba's manners, and about as many as not tell people apart.
		expect(isSame).toBeGreaterThan(0.85 * NUMBER_OF_FILTERS - 10);
		expect(isTelling).toBeGreaterThan(0.4 * NUMBER_OF_FILTERS - 10);
	}, 600_000);

	it.each(aloneInSamba)("$filter is answered otherwise by Samba: $why", async ({ filter, we, samba: theirs }) => {
		const listed = (who: readonly number[] | "all"): readonly number[] => (who === "all" ? numbersOf(entries) : who);
		expect(selected(parseFilter(filter))).toEqual(listed(we));
		if (theirs === "refuses") await expect(selectedBySamba(filter)).rejects.toThrow(/Operations error/);
		else expect(await selectedBySamba(filter)).toEqual(listed(theirs));
	});

	/**
	 * LDAP_MATCHING_RULE_TRANSITIVE_EVAL, MS-ADTS §3.1.1.3.4.4.3, the same in Samba: the chain goes by the values of the link attribute
	 * itself. A primary group is in no memberOf, so neither it nor what it is in is reached by it. In a circle everybody is reached,
	 * also the one that the chain began with; outside of one the beginning does not count: nobody is their own manager.
	 */
	it.each<{ chain: () => string; who: readonly number[]; why: string }>([
		{ chain: () => memberOf("Inner\\5c, really"), who: [0, 1, 2, 3, 4, 5], why: "members themselves" },
		{ chain: () => memberOf("Middle"), who: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], why: "and members of members" },
		{ chain: () => memberOf("Äußere"), who: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21], why: "and so on" },
		{ chain: () => memberOf("Ring One"), who: [30, 31, 32, 33, 34], why: "two groups in each other have the same members" },
		{ chain: () => memberOf("Ring Two"), who: [30, 31, 32, 33, 34], why: "either way" },
		{ chain: () => memberOf("Nobody"), who: [], why: "no members, nobody" },
		{ chain: () => memberOf("Primary"), who: [41], why: "not 40, whose primary group it is" },
		{ chain: () => `memberOf:${IN_CHAIN}:=CN=Domain Users,CN=Users,${samba().baseDn}`, who: [40], why: "the primary group of all but 40" },
		{
			chain: () => managedBy(1),
			who: [2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29],
			why: "reports of reports, without 1",
		},
		{ chain: () => managedBy(12), who: [11, 12, 13], why: "a circle: each is in it by the others" },
		{ chain: () => managedBy(14), who: [14], why: "their own manager" },
		{ chain: () => managedBy(9), who: [], why: "nobody reports to 9" },
	])("in a chain are $who: $why", async ({ chain, who }) => {
		const filter = `(${chain()})`;
		expect(selected(parseFilter(filter))).toEqual(who);
		expect(await selectedBySamba(filter)).toEqual(who);
	});

	const memberOf = (name: string): string => `memberOf:${IN_CHAIN}:=CN=${name},${groups}`;
	const managedBy = (number: number): string => `manager:${IN_CHAIN}:=${entries.find(({ dn }) => dn.startsWith(`CN=${number} `))?.dn}`;

	it("compare every attribute that a user or group may have by its syntax", async () => {
		const configuration = `CN=Schema,CN=Configuration,${samba().baseDn}`;
		const described = await samba().ldapsearch(configuration, "(objectClass=attributeSchema)", [
			"lDAPDisplayName",
			"attributeSyntax",
			"systemFlags",
		]);
		const allowed = await samba().ldapsearch(samba().baseDn, "(|(cn=Administrator)(cn=Domain Admins))", ["allowedAttributes"]);
		const names = new Set(allowed.flatMap((record) => textsOf(record, "allowedAttributes")));
		const wrong = described.flatMap((record) => {
			const name = textOf(record, "lDAPDisplayName") as string;
			const isComputed = (Number(textOf(record, "systemFlags") ?? 0) & 4) !== 0;
			const wanted = syntaxNames[textOf(record, "attributeSyntax") as string];
			const found = syntaxOf(name.toLowerCase());
			return !names.has(name) || isComputed || name === "userParameters" || wanted?.includes(found)
				? []
				: [`${name}: ${found}, not ${wanted}`];
		});
		expect(wrong).toEqual([]);
	});
});

const IN_CHAIN = "1.2.840.113556.1.4.1941";

/** AD's attributeSyntax (MS-ADTS §3.1.1.2.2.2), and how values of it may be compared. DNs with data (2.5.5.7) are in no filter of ours. */
const syntaxNames: Readonly<Record<string, readonly string[]>> = {
	"2.5.5.1": ["dn", "category"],
	"2.5.5.2": ["class"],
	"2.5.5.4": ["text"],
	"2.5.5.5": ["exact"],
	"2.5.5.6": ["exact"],
	"2.5.5.7": ["text"],
	"2.5.5.8": ["boolean"],
	"2.5.5.9": ["integer"],
	"2.5.5.10": ["bytes", "guid"],
	"2.5.5.11": ["time"],
	"2.5.5.12": ["text"],
	"2.5.5.15": ["bytes"],
	"2.5.5.16": ["integer"],
	"2.5.5.17": ["sid"],
};

const asked = new Set(attributes.map((name) => name.toLowerCase()));

function numbersOf(found: readonly { readonly dn: string }[]): readonly number[] {
	return found.map(numberOf).sort((a, b) => a - b);
}

/** The number that a name begins with. */
function numberOf({ dn }: { readonly dn: string }): number {
	return Number(/^CN=(\d+) /.exec(dn)?.[1]);
}

/** Samba refuses to search by (X~=Y). For AD it is (X=Y) (MS-ADTS §3.1.1.3.1.3.1). */
function withoutApprox(filter: Filter): Filter {
	if (filter.kind === "not") return { ...filter, part: withoutApprox(filter.part) };
	if (filter.kind === "and" || filter.kind === "or") return { ...filter, parts: filter.parts.map(withoutApprox) };
	return filter.kind === "approx" ? { ...filter, kind: "equal" } : filter;
}

/** Follows links by MS-ADTS §3.1.1.3.4.4.3: from an entry's own values on, step by step, until the target is met. */
function makeInChain(links: Readonly<Record<string, ReadonlyMap<string, readonly string[]>>>): NonNullable<Schema["inChain"]> {
	return (attribute, values, target) => {
		const steps = links[attribute];
		if (steps === undefined) return undefined;
		const seen = new Set(values.map((value) => dnKey(valueText(value))));
		for (const at of seen) {
			if (at === target) return true;
			for (const next of steps.get(at) ?? []) seen.add(next);
		}
		return false;
	};
}
