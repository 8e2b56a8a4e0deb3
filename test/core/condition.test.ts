import { describe, expect, it } from "vitest";
import { attributesOfCondition, type Condition, compileCondition, describeCondition, type Subject } from "../../src/core/condition.ts";
import { dnKey } from "../../src/core/dn.ts";
import type { Truth } from "../../src/core/matching.ts";

const SALES = "CN=Sales,OU=Groups,DC=corp";
const LOST = "CN=Lost,OU=Groups,DC=corp";
const inSales: Condition = { group: SALES };
const inLost: Condition = { group: LOST };
const clerk: Condition = { filter: "(title=Clerk)" };
const hidden: Condition = { filter: "(pager=1)" };

/** A clerk in Sales; one group cannot be found, and nobody may read a pager. */
const subject: Subject = {
	lookup: (name) => (name === "title" ? ["clerk"] : name === "pager" ? undefined : []),
	isIn: (key) => (key === dnKey(LOST) ? undefined : key === dnKey(SALES)),
	inChain: (attribute, target) => (attribute === "manager" ? target === dnKey(SALES) : undefined),
};
const stranger: Subject = { lookup: () => [], isIn: (key) => (key === dnKey(LOST) ? undefined : false), inChain: () => false };

describe("a condition", () => {
	it.each<{ condition: Condition; truth: Truth; why: string }>([
		{ condition: inSales, truth: true, why: `in group ${SALES}` },
		{ condition: { group: "cn=sales, ou=groups, dc=CORP" }, truth: true, why: "in group cn=sales, ou=groups, dc=CORP" },
		{ condition: { group: "CN=Treasury,DC=corp" }, truth: false, why: "not in group CN=Treasury,DC=corp" },
		{ condition: inLost, truth: undefined, why: `whether in group ${LOST} cannot be told` },
		{ condition: clerk, truth: true, why: "matches (title=Clerk)" },
		{ condition: { filter: "(mail=*)" }, truth: false, why: "does not match (mail=*)" },
		{ condition: hidden, truth: undefined, why: "whether (pager=1) matches cannot be told" },
		{
			condition: { filter: `(&(manager:1.2.840.113556.1.4.1941:=${SALES})(title=Clerk))` },
			truth: true,
			why: "matches (&(manager:1.2.840.113556.1.4.1941:=CN=Sales,OU=Groups,DC=corp)(title=Clerk))",
		},
		{
			condition: { filter: `(!(manager:1.2.840.113556.1.4.1941:=${LOST}))` },
			truth: true,
			why: "matches (!(manager:1.2.840.113556.1.4.1941:=CN=Lost,OU=Groups,DC=corp))",
		},
		{
			condition: { filter: `(secretary:1.2.840.113556.1.4.1941:=${LOST})` },
			truth: undefined,
			why: "whether (secretary:1.2.840.113556.1.4.1941:=CN=Lost,OU=Groups,DC=corp) matches cannot be told",
		},
		{ condition: { not: clerk }, truth: false, why: "matches (title=Clerk)" },
		{ condition: { not: hidden }, truth: undefined, why: "whether (pager=1) matches cannot be told" },
		{ condition: { all: [inSales, clerk] }, truth: true, why: `in group ${SALES} and matches (title=Clerk)` },
		{ condition: { all: [hidden, { not: clerk }] }, truth: false, why: "matches (title=Clerk)" },
		{ condition: { all: [inSales, hidden, clerk] }, truth: undefined, why: "whether (pager=1) matches cannot be told" },
		{ condition: { any: [inLost, clerk] }, truth: true, why: "matches (title=Clerk)" },
		{ condition: { any: [inLost, { not: clerk }] }, truth: undefined, why: `whether in group ${LOST} cannot be told` },
		{ condition: { any: [{ not: clerk }, { not: inSales }] }, truth: false, why: `matches (title=Clerk) and in group ${SALES}` },
	])("$condition is $truth of a clerk in Sales: $why", ({ condition, truth, why }) => {
		expect(compileCondition(condition).judge(subject)).toEqual({ truth, why });
	});

	it("says of a stranger why none of several holds", () => {
		const { judge } = compileCondition({ any: [inSales, clerk] });
		expect(judge(stranger)).toEqual({ truth: false, why: `not in group ${SALES} and does not match (title=Clerk)` });
	});

	it("tells which groups and attributes it needs, each once", () => {
		const condition: Condition = { all: [{ any: [inSales, { not: inSales }] }, { filter: "(&(Title=*)(title=a)(mail=*))" }] };
		expect([...compileCondition(condition).groups]).toEqual([[dnKey(SALES), SALES]]);
		expect([...compileCondition({ filter: `(Manager:1.2.840.113556.1.4.1941:=${SALES})` }).chains]).toEqual(["manager"]);
		expect(attributesOfCondition(condition)).toEqual(["title", "mail"]);
	});

	it.each([
		["Sales", "name:sales"],
		["s-1-5-21-1-2-3-512", "sid:S-1-5-21-1-2-3-512"],
		["{4F2C9C1E-0000-4000-8000-000000000000}", "guid:4f2c9c1e-0000-4000-8000-000000000000"],
		["CN = Sales , DC=corp", dnKey("CN=Sales,DC=corp")],
	])("knows the group %j by %s", (group, key) => {
		expect([...compileCondition({ group }).groups.keys()]).toEqual([key]);
	});

	it.each(["", " ", "CN=Sales,,DC=corp", "=Sales"])("refuses %j as a group's name", (group) => {
		expect(() => compileCondition({ group })).toThrow(`"${group}" in a condition is not the name of a group`);
	});

	it.each<[string, "direct" | "chain" | undefined]>([
		[`(memberOf=${SALES})`, "direct"],
		[`(memberOf:=${SALES})`, "direct"],
		[`(memberOf:1.2.840.113556.1.4.1941:=${SALES})`, "chain"],
		["(MEMBEROF=<SID=S-1-5-21-1-2-3-512>)", "direct"],
		["(memberOf=Sales)", undefined],
		["(memberOf=*)", undefined],
		[`(manager=${SALES})`, undefined],
	])("asks of %s the groups themselves: %s", (filter, how) => {
		const asked: string[] = [];
		const lookup = (name: string): undefined => void asked.push(name);
		const { judge } = compileCondition({ filter: `(&(title=Clerk)(!${filter}))` });
		const isIn: Subject["isIn"] = (_, way) => {
			asked.push(way);
			return false;
		};
		judge({ lookup, isIn, inChain: () => undefined });
		expect(asked).toEqual(["title", how ?? filter.slice(1).split(/[:=]/)[0]?.toLowerCase()]);
		expect(attributesOfCondition({ filter }).length).toBe(how === undefined ? 1 : 0);
	});

	it.each<[string, Condition]>([
		["group Sales", inSales],
		["group S-1-5-21-1-2-3-512", { group: "S-1-5-21-1-2-3-512" }],
		["group Smith\\, Sons", { group: "CN=Smith\\, Sons,DC=corp" }],
		["(title=Clerk) and not (group Sales or group Lost)", { all: [clerk, { not: { any: [inSales, inLost] } }] }],
		["group Sales", { any: [inSales] }],
	])("is told in a few words: %s", (words, condition) => {
		expect(describeCondition(condition)).toBe(words);
	});
});
