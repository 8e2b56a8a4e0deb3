import { afterAll, beforeAll, expect, it } from "vitest";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import { plainRights } from "../../../src/demo/rights.ts";
import { type Diagnosed, diagnose } from "../../../src/source/active-directory/diagnose.ts";
import type { Finding } from "../../../src/source/ldap/diagnose.ts";
import { noTls } from "../../support/tls.ts";

let demo: Demo;
const root = "DC=corp,DC=example,DC=com";
const sales = `CN=Sales,CN=Users,${root}`;
const twins = ["Users", "Computers"].map((container) => `CN=Twin,CN=${container},${root}`);
beforeAll(async () => {
	demo = await startDemo({ people: { kind: "company", count: 20 } });
	demo.directory.add(sales, { objectClass: "group", sAMAccountName: "sales-people" });
	for (const [index, dn] of twins.entries()) demo.directory.add(dn, { objectClass: "group", sAMAccountName: `twin-${index}` });
});
afterAll(() => demo.close());

async function findings(more: Partial<Diagnosed>): Promise<readonly Finding[]> {
	const found: Finding[] = [];
	const source: Diagnosed = {
		name: "demo",
		urls: [demo.url],
		discovery: undefined,
		bind: { user: demo.bindUser, password: { reveal: () => demo.bindPassword } },
		tls: noTls,
		insecure: true,
		bases: [`OU=People,${demo.baseDn}`],
		users: { filter: undefined, exclude: [], groups: [] },
		groups: undefined,
		ruleGroups: [],
		changes: "auto",
		protect: [],
		attributes: [],
		timeouts: { connectMs: 5000, bindMs: 5000, requestMs: 5000 },
		pageSize: 1000,
		...more,
	};
	for await (const finding of diagnose(source, Date.now, new AbortController().signal)) found.push(finding);
	return found;
}
const about = (found: readonly Finding[], subject: string) => found.filter((finding) => finding.subject === subject);

it.each([
	["DN", () => sales.toLowerCase()],
	["GUID", () => demo.directory.get(sales)?.guid ?? ""],
	["logon name", () => "Sales-People"],
	["cn", () => "sales"],
])("the doctor finds the group that a rule names by its %s, and says where it is", async (_, text) => {
	const found = await findings({ ruleGroups: [text()] });
	expect(about(found, text())).toEqual([
		{ step: "group", subject: text(), state: "passed", detail: `of a rule is there: ${sales}`, remedy: undefined },
	]);
	expect(found.filter(({ state }) => state === "failed")).toEqual([]);
});

it.each([`CN=Sails,CN=Users,${root}`, "CN=Far,DC=elsewhere", "S-1-5-21-1-2-3-1104", "00000000-1111-2222-3333-444444444444", "Sails"])(
	"the doctor fails with the group %s of a rule, which is not there, and goes on",
	async (text) => {
		const found = await findings({ ruleGroups: [text, sales] });
		expect(about(found, text)).toMatchObject([
			{
				step: "group",
				state: "failed",
				detail: `the group "${text}" that a rule names is not there, or not visible to this account`,
				remedy: expect.stringMatching(/spelling.*deleted.*right to read it/),
			},
		]);
		expect(about(found, sales)).toMatchObject([{ state: "passed" }]);
	},
);

it("the doctor names all groups that have the one name that a rule gives", async () => {
	const [finding] = about(await findings({ ruleGroups: ["twin"] }), "twin");
	expect(finding).toMatchObject({ step: "group", state: "failed", remedy: "name it by its DN or GUID" });
	for (const dn of twins) expect(finding?.detail).toContain(`"${dn}"`);
});

it("the doctor tells an attribute that the schema does not have from one that nobody has", async () => {
	const found = await findings({ attributes: ["roomNumer", "roomnumber", "samaccountname"] });
	expect(about(found, "roomNumer")).toEqual([
		{
			step: "attribute",
			subject: "roomNumer",
			state: "warned",
			detail: "is not in the directory's schema",
			remedy: expect.stringContaining("Check its spelling"),
		},
	]);
	expect(about(found, "roomnumber")).toMatchObject([{ state: "warned", detail: expect.stringMatching(/^shows on nobody/) }]);
	expect(found.find(({ subject }) => subject.toLowerCase() === "samaccountname")).toMatchObject({ state: "passed" });
});

it.each([
	{ what: "none of it", hiddenSubtrees: [`CN=Schema,CN=Configuration,${root}`], unlistable: [] },
	{ what: "nothing in it", hiddenSubtrees: [], unlistable: [`CN=Schema,CN=Configuration,${root}`] },
])(
	"the doctor says no more than that nobody has it, where the account sees of the schema $what",
	async ({ hiddenSubtrees, unlistable }) => {
		demo.directory.setRights(demo.bindUser, { hiddenSubtrees, unlistable });
		const found = await findings({ attributes: ["roomNumer"] });
		demo.directory.setRights(demo.bindUser, plainRights);
		expect(about(found, "roomNumer")).toMatchObject([{ state: "warned", detail: expect.stringMatching(/^shows on nobody/) }]);
		expect(found.filter(({ state }) => state === "failed")).toEqual([]);
	},
);
