import { afterEach, describe, expect, it } from "vitest";
import { explanationText } from "../../src/cli/explain-text.ts";
import { openOutput } from "../../src/cli/output.ts";
import type { ConfigLines } from "../../src/core/config-lines.ts";
import type { Rules } from "../../src/core/rules.ts";
import { explainUser } from "../../src/explain/explain-user.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { openReadOnly } from "../../src/store/database.ts";
import { openPeople } from "../../src/store/people.ts";
import { makeIds, openSession } from "../../src/store/session.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testMapping } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const never = new AbortController().signal;

let open: Harness[] = [];
afterEach(() => {
	for (const harness of open.reverse()) harness.close();
	open = [];
});

function world(fake: FakeSource, rules: Rules, more: HarnessOptions = {}): Harness {
	fake.settings.groups = "named alone";
	fake.settings.attributes = ["cn", "department", "mail", "manager", "samaccountname", "upn"];
	const harness = openHarness(fake, { rules, ...more });
	fake.settings.ruleGroups = [...harness.context.sync.entitling.groups.values()];
	open.push(harness);
	return harness;
}

function linesOf(index: number): ConfigLines {
	const source = `sources[${index}]`;
	return {
		source,
		bases: [{ text: PEOPLE, line: `${source}.base` }],
		...{ excluded: [], filter: undefined, groups: [], mapping: testMapping, ownFields: new Set() },
	};
}

/** As `explain` does it: on a connection that cannot write, whoever else has the database. */
async function explain(user: string, ...harnesses: readonly Harness[]): Promise<readonly Explanation[]> {
	const db = openReadOnly((harnesses[0] as Harness).file);
	const session = openSession(db, makeIds(db));
	try {
		const sources = harnesses.map(({ context }, index) => ({ sync: context.sync, lines: linesOf(index) }));
		return await explainUser({ session, people: openPeople(db), sources, clock: () => harnesses[0]?.time.now ?? 0 }, user, never);
	} finally {
		session.close();
	}
}

function put(fake: FakeSource, number: number, attributes: Record<string, string> = {}, where = PEOPLE): void {
	const own = Object.entries(attributes).map(([name, value]) => [name, [value]] as const);
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where,
		standing: "enabled",
		attributes: { cn: [`P${number}`], upn: [`p${number}@corp`], ...Object.fromEntries(own) },
	});
}

function group(fake: FakeSource, number: number, cn: string, members: readonly number[]): void {
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: false, members: members.map(fake.anchorOf) });
}

describe("explain", () => {
	it("tells of two sources that have the same person each its own changes", async () => {
		const one = makeFakeSource(PEOPLE, "one");
		const other = makeFakeSource(PEOPLE, "other");
		const here = world(one, { features: [], policies: [] });
		const there = world(other, { features: [], policies: [] }, { beside: here });
		put(one, 1);
		put(other, 1, { upn: "p1@other" });
		await here.sync("full");
		await there.sync("full");
		const told = await explain(one.anchorOf(1), here, there);
		expect(told.map(({ source, changes }) => [source, changes.map(({ run, kind }) => [run, kind])])).toEqual([
			["one", [[1, "create"]]],
			["other", [[2, "create"]]],
		]);
		const [mine] = await explain("p1@other", here, there);
		expect(mine).toMatchObject({ source: "other", changes: [{ run: 2 }] });
	});

	it("names the line that says so also where a container's name has words of ours in it", async () => {
		const fake = makeFakeSource();
		const harness = world(fake, { features: [], policies: [] });
		for (const number of [1, 2]) put(fake, number);
		await harness.sync("full");
		put(fake, 1, {}, "OU=Formerly excluded from users.filter,DC=corp,DC=example,DC=test");
		await harness.sync("full");
		const [told] = await explain("p1@corp", harness);
		expect(told).toMatchObject({ state: "out-of-scope", scope: { isIn: false, line: "sources[0].base" } });
	});

	it("shows no colours and no control signs of others", async () => {
		const fake = makeFakeSource();
		const harness = world(fake, { features: [{ name: "search", when: { filter: "(department=*)" } }], policies: [] });
		put(fake, 1, { department: "\u001b[8mhidden\u001b[0m\u0007", mail: "a\nb" });
		await harness.sync("full");
		const [told] = await explain("p1@corp", harness);
		const text = [...explanationText(openOutput(process.stdout), told as Explanation)].join("");
		expect(text).toContain("hidden");
		expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
		expect(text).not.toMatch(/a\nb/);
	});

	it.each([
		{ limit: 10, held: [], value: undefined, planned: undefined },
		{ limit: 0, held: ["entitlement"], value: "on", planned: "nothing" },
	])("says of a feature what the account has and what the rules give (limit $limit)", async ({ limit, held, value, planned }) => {
		const fake = makeFakeSource();
		const rules: Rules = { features: [{ name: "search", when: { group: "CN=Sales,OU=Groups" } }], policies: [] };
		const harness = world(fake, rules, { limits: { entitlement: { count: limit, floor: 0 } } });
		put(fake, 1, { samaccountname: "ANNA" });
		group(fake, 1001, "Sales", [1]);
		await harness.sync("full");
		group(fake, 1001, "Sales", []);
		await harness.sync("delta");
		const [told] = await explain("CORP\\anna", harness);
		expect(told?.held.map(({ kind }) => kind)).toEqual(held);
		expect(told?.features).toMatchObject([{ name: "search", value, planned, rules: [{ verdict: "does-not-match" }] }]);
	});

	it("says of an account that moved to another source where it is, and of the entry left behind that it has none", async () => {
		const mapping = { userName: "{upn}", displayName: "{cn}", employeeNumber: "{samaccountname}" };
		const one = makeFakeSource(PEOPLE, "one");
		const other = makeFakeSource(PEOPLE, "other");
		const here = world(one, { features: [], policies: [] }, { mapping, match: "employeeNumber" });
		const there = world(
			other,
			{ features: [{ name: "new", when: undefined }], policies: [] },
			{ mapping, match: "employeeNumber", beside: here },
		);
		put(one, 1, { samaccountname: "E1" });
		await here.sync("full");
		put(one, 1, { samaccountname: "E1" }, "OU=Leavers");
		await here.sync("full");
		put(other, 11, { samaccountname: "E1", upn: "p1@corp" });
		await there.sync("full");
		const told = await explain("E1", here, there);
		expect(told.map(({ source, state, features }) => [source, state, features.map(({ value }) => value)])).toEqual([
			["one", "out-of-scope", []],
			["other", "active", ["on"]],
		]);
		expect((await explain("p1@corp", here, there)).map(({ source }) => source)).toEqual(["other"]);
		// Without the source that has it now it is known all the same.
		expect(await explain("p1@corp", here)).toMatchObject([{ source: "other", state: "unknown" }]);
	});

	it("has an answer on an empty database, and whatever the name is", async () => {
		const harness = world(makeFakeSource(), { features: [{ name: "search", when: { group: "Sales" } }], policies: [] });
		for (const user of ["", " ", "=", "CN=", "a@", "\\", "%", "İ", "{}", "S-1-5-21-1", "CN=x\\,y,DC=corp", "'; --", "\u0000"]) {
			expect(await explain(user, harness), user).toMatchObject([{ state: "never-there" }]);
		}
	});

	it("finds a name of any letters, and everybody of one name", async () => {
		const fake = makeFakeSource();
		const harness = world(fake, { features: [], policies: [] });
		put(fake, 1, { samaccountname: "Åsa.Öberg", upn: "Åsa@corp" });
		put(fake, 2, { samaccountname: "twin" });
		put(fake, 3, { samaccountname: "TWIN" });
		put(fake, 4, { mail: "o'neil+x@corp" });
		await harness.sync("full");
		for (const user of ["åsa.öberg", "ÅSA.ÖBERG", "CORP\\Åsa.öberg", "åSA@CORP", `cn=p1,${PEOPLE.toLowerCase()}`])
			expect(await explain(user, harness), user).toMatchObject([{ anchor: fake.anchorOf(1) }]);
		expect((await explain("Twin", harness)).map(({ anchor }) => anchor)).toEqual([fake.anchorOf(2), fake.anchorOf(3)]);
		expect(await explain("O'NEIL+X@corp", harness)).toMatchObject([{ anchor: fake.anchorOf(4) }]);
	});
});
