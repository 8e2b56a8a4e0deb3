import { afterEach, describe, expect, it } from "vitest";
import type { Rules } from "../../src/core/rules.ts";
import type { WhatIf } from "../../src/sync/whatif.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testMapping } from "../support/harness.ts";

const DOMAIN = "DC=corp,DC=example,DC=test";
const PEOPLE = `OU=People,${DOMAIN}`;
const SALES = "CN=Sales,OU=Groups";
const none: Rules = { features: [], policies: [] };

let fake: FakeSource;
let open: Harness[] = [];

/** Six people, of whom 1 and 2 are in Sales, 2 and 3 in its Team; 4, 5 and 6 in OU=Away. */
async function world(options: HarnessOptions = {}): Promise<Harness> {
	fake = makeFakeSource();
	fake.settings.groups = "named alone";
	fake.settings.attributes = ["cn", "department", "mail", "manager", "upn"];
	for (const number of [1, 2, 3, 4, 5, 6]) person(number, number % 2 === 0 ? "Treasury" : "Sales");
	group(1001, "Sales", [1, 1002]);
	group(1002, "Team", [2]);
	const harness = openWith(options);
	await harness.sync("full");
	return harness;
}

/** Another configuration on the same people and database. */
function openWith(options: HarnessOptions = {}): Harness {
	const file = open.at(-1)?.file;
	const harness = openHarness(fake, { ...(file !== undefined && { file }), ...options });
	fake.settings.ruleGroups = [...harness.context.sync.entitling.groups.values()];
	open.push(harness);
	return harness;
}

afterEach(() => {
	for (const harness of open.reverse()) harness.close();
	open = [];
});

function person(number: number, department?: string, more: Record<string, string[]> = {}): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `Person ${number}`,
		where: number > 3 ? `OU=Away,${PEOPLE}` : PEOPLE,
		standing: "enabled",
		attributes: {
			cn: [`Person ${number}`],
			upn: [`p${number}@corp`],
			department: department === undefined ? [] : [department],
			mail: [`p${number}@corp`],
			...more,
		},
	});
}

function group(number: number, cn: string, members: readonly number[]): void {
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: false, members: members.map(fake.anchorOf) });
}

/** "disable 3 (3 held)" */
function inShort({ changes }: WhatIf): readonly string[] {
	return changes.map(({ target, kind, count, held, waiting }) => {
		const marks = [...(held > 0 ? [`${held} held`] : []), ...(waiting > 0 ? [`${waiting} waiting`] : [])];
		return `${kind}${target === undefined ? "" : ` at ${target}`} ${count}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
	});
}

const searchForSales: Rules = { features: [{ name: "search", when: { group: SALES } }], policies: [] };

describe("whatif", () => {
	it("says that nothing changes by the same configuration, and what its rules give", async () => {
		const harness = await world({ rules: searchForSales });
		const found = await harness.whatIf();
		expect(found).toMatchObject({ asOf: harness.time.now, people: 6, isSame: true, changes: [], held: [], unknown: [], entitlements: [] });
		expect(found.rules).toEqual([
			{
				...{ place: "features[0]", kind: "feature", name: "search", value: undefined, through: "group Sales" },
				...{ selects: 2, gives: 2, gains: 0, examples: [], unknown: 0 },
			},
		]);
	});

	it("shows who gains and who loses features and values, by rule, with examples", async () => {
		await world({ rules: { ...searchForSales, policies: [{ name: "mail", value: "allow", when: undefined }] } });
		const rules: Rules = {
			features: [
				{ name: "search", when: { filter: "(department=sales)" } },
				{ name: "search", when: { group: SALES } },
				{ name: "archive", when: { filter: "(department=treasury)" } },
			],
			policies: [
				{ name: "mail", value: "block", when: { filter: "(department=treasury)" } },
				{ name: "mail", value: "allow", when: undefined },
			],
		};
		const found = await openWith({ rules }).whatIf();
		expect(inShort(found)).toEqual(["entitlement 5"]);
		expect(found.isSame).toBe(false);
		expect(found.rules.map(({ place, selects, gives, gains, examples }) => [place, selects, gives, gains, examples])).toEqual([
			["features[0]", 3, 3, 2, ["p3@corp", "p5@corp"]],
			["features[1]", 2, 1, 0, []],
			["features[2]", 3, 3, 3, ["p2@corp", "p4@corp", "p6@corp"]],
			["policies[0]", 3, 3, 3, ["p2@corp", "p4@corp", "p6@corp"]],
			["policies[1]", 6, 3, 0, []],
		]);
		expect(found.entitlements.map(({ kind, name, value, gained, lost }) => [kind, name, value, gained, lost])).toEqual([
			["feature", "archive", undefined, 3, 0],
			["feature", "search", undefined, 2, 0],
			["policy", "mail", "allow", 0, 3],
			["policy", "mail", "block", 3, 0],
		]);
		expect(found.entitlements[0]?.gaining[0]).toEqual({
			name: "p2@corp",
			why: 'feature archive on: (department=treasury); policy mail from "allow" to "block": (department=treasury)',
		});
	});
});
