import { afterAll, beforeAll, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { openViews } from "../../src/store/open-views.ts";
import { directoryOnDemo } from "../contract/demo.ts";
import { addPerson } from "../contract/population.ts";
import { type Keeper, openKeeper } from "./engine.ts";

let demo: Demo;
let keeper: Keeper;
const staff = (name: string) => `CN=${name},OU=Staff,${demo.baseDn}`;

beforeAll(async () => {
	demo = await startDemo();
	const directory = directoryOnDemo(demo);
	const base = `OU=Staff,${demo.baseDn}`;
	await directory.add(base, { objectClass: "organizationalUnit" });
	const people: string[] = [];
	for (let number = 1; number <= 6; number++) people.push(await addPerson(directory, `Person ${number}`, base, `p${number}`));
	await directory.add(staff("Inner"), { objectClass: "group", sAMAccountName: "inner", member: people.slice(1, 2) });
	await directory.add(staff("Chosen"), { objectClass: "group", sAMAccountName: "chosen", member: [people[0] as string, staff("Inner")] });
	// Neither the group nor the attribute is asked for by anything but the two conditions.
	const targets = [
		{ name: "accounts", type: "local" },
		{ name: "chosen", type: "file", path: "./chosen.jsonl", format: "jsonl", when: { group: staff("Chosen") } },
		{ name: "noted", type: "file", path: "./noted.jsonl", format: "jsonl", when: { filter: "(info=x)" } },
	];
	keeper = openKeeper(directory, { base, more: `targets: ${JSON.stringify(targets)}` });
});
afterAll(async () => {
	await keeper.close();
	await demo.close();
});

const at = (name: string): string[] =>
	[...keeper.accounts().values()].flatMap(({ account, targets }) =>
		targets[name]?.state === "applied" && account.active ? [account.displayName ?? ""] : [],
	);

it("a target's own scope, by a group that nothing else reads and an attribute that nothing else asks for, on a directory over LDAP", async () => {
	expect(await keeper.sync("auto")).toMatchObject({ outcome: "succeeded", created: 6, pending: 0, warnings: [] });
	expect(at("accounts")).toHaveLength(6);
	expect(at("chosen").sort()).toEqual(["p1 displayed", "p2 displayed"]);
	expect(at("noted")).toEqual([]);
	const directory = directoryOnDemo(demo);
	await directory.modify(staff("Inner"), { member: [staff("Person 3")] });
	await directory.modify(staff("Person 4"), { info: "x" });
	const planned = (await keeper.plan("delta")).map((change) => [change.kind, change.subject === "account" && change.target, change.name]);
	expect(planned.map(([kind, where]) => [kind, where])).toEqual([
		["disable", "chosen"],
		["create", "chosen"],
		["create", "noted"],
	]);
	expect(await keeper.sync("delta")).toMatchObject({ mode: "delta", outcome: "succeeded", created: 0, pending: 0 });
	expect(at("noted")).toEqual(["p4 displayed"]);
	expect(await keeper.plan("full")).toEqual([]);
});

it("a target that is to get no groups is owed none", async () => {
	const targets = [
		{ name: "accounts", type: "local" },
		{ name: "people", type: "file", path: "./people.jsonl", format: "jsonl", groups: false },
	];
	const other = openKeeper(directoryOnDemo(demo), {
		...{ base: `OU=Staff,${demo.baseDn}`, source: { groups: {} }, more: `targets: ${JSON.stringify(targets)}` },
	});
	try {
		expect(await other.sync("full")).toMatchObject({ outcome: "succeeded", pending: 0, groups: { created: 2 } });
		const views = openViews(other.databaseFile);
		expect([...views.groups()].map((group) => Object.keys(group.targets))).toEqual([["accounts"], ["accounts"]]);
		views.close();
	} finally {
		await other.close();
	}
});
