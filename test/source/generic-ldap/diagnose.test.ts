import { beforeAll, expect, it } from "vitest";
import { attributesOf, ldapMapping } from "../../../src/core/mapping.ts";
import { type Diagnosed, diagnose } from "../../../src/source/generic-ldap/diagnose.ts";
import type { Finding } from "../../../src/source/ldap/diagnose.ts";
import { ldapPlaces, populateLdap } from "../../contract/ldap-directory.ts";
import { type Record, textOf } from "../../support/ldif.ts";
import { useOpenLdap } from "../../support/openldap.ts";
import { describeWith } from "../../support/require.ts";

describeWith(["slapd"], "the doctor on an OpenLDAP server", () => {
	const server = useOpenLdap();
	beforeAll(() => populateLdap(server()), 60_000);

	async function findings(options: Partial<Diagnosed> = {}): Promise<readonly Finding[]> {
		const { url, baseDn, reader } = server();
		const found: Finding[] = [];
		const source: Diagnosed = {
			name: "corp",
			urls: [url],
			discovery: undefined,
			bind: { user: reader.user, password: { reveal: () => reader.password } },
			tls: { ca: undefined, startTls: false, servername: undefined, cert: undefined, key: undefined },
			insecure: true,
			bases: [baseDn],
			users: { filter: undefined, exclude: [], groups: [] },
			groups: undefined,
			ruleGroups: [],
			protect: [],
			attributes: attributesOf(ldapMapping),
			preset: "openldap",
			overrides: { anchor: undefined, people: undefined, disabled: undefined, groupClasses: undefined, members: undefined },
			changes: "auto",
			timeouts: { connectMs: 5000, bindMs: 5000, requestMs: 10_000 },
			pageSize: 1000,
			...options,
		};
		for await (const finding of diagnose(source, Date.now, new AbortController().signal)) found.push(finding);
		return found;
	}
	const of = (found: readonly Finding[], step: string) => found.filter((finding) => finding.step === step);

	it("passes what is right, and says how changes are found", async () => {
		const { people } = ldapPlaces(server());
		const found = await findings({ bases: [people], protect: [`cn=Ordinary1,${people}`] });
		expect(found.filter(({ state }) => state === "failed")).toEqual([]);
		expect(of(found, "bind")).toMatchObject([{ state: "passed" }]);
		expect(of(found, "changes")).toMatchObject([{ state: "passed", detail: expect.stringContaining("by syncrepl") }]);
		expect(of(found, "limits")).toMatchObject([{ state: "passed", detail: expect.stringMatching(/^all \d+ people can be read/) }]);
		expect(of(found, "anchor")).toMatchObject([{ state: "passed", subject: "entryUUID" }]);
		expect(of(found, "state")).toMatchObject([{ state: "passed" }]);
		expect(of(found, "protect")).toMatchObject([{ state: "passed", detail: "protects 1 by name" }]);
		expect(found.find(({ subject }) => subject === "employeenumber")).toMatchObject({ state: "warned" });
	});

	it("runs into a size limit before a reading does, and has the line that cures it", async () => {
		const [limits] = of(await findings({ bases: [server().limitedDn] }), "limits");
		expect(limits).toMatchObject({
			state: "failed",
			detail: expect.stringContaining("sizeLimitExceeded"),
			remedy: expect.stringMatching(new RegExp(`limits .*${server().reader.user}.*size=unlimited`)),
		});
	});

	it.each([
		{ changes: "timestamp", state: "passed", detail: /modifyTimestamp/ },
		{ changes: "full", state: "passed", detail: /as configured/ },
	] as const)("says that changes are found by $changes when that is configured", async ({ changes, state, detail }) => {
		expect(of(await findings({ changes }), "changes")).toMatchObject([{ state, detail: expect.stringMatching(detail) }]);
	});

	it("warns of memberOf, which no delta sees", async () => {
		const found = await findings({ users: { filter: "(memberOf=cn=x)", exclude: [], groups: [] } });
		expect(of(found, "changes")).toMatchObject([{ state: "warned", detail: expect.stringContaining("memberof") }]);
	});

	it("fails with the attribute that tells who is disabled when it cannot be read, and with an anchor that nobody has", async () => {
		await server().restart({ access: ["access to attrs=pwdAccountLockedTime by * none"] });
		expect(of(await findings(), "state")).toMatchObject([{ state: "failed", detail: expect.stringContaining("pwdaccountlockedtime") }]);
		await server().restart({ access: [] });
		const none = { anchor: "carLicense", people: undefined, disabled: undefined, groupClasses: undefined, members: undefined };
		expect(of(await findings({ overrides: none }), "anchor")).toMatchObject([{ state: "failed", subject: "carLicense" }]);
	});

	it("finds groups and how they name their members, and the ones that are missing", async () => {
		const { groups, people, second } = ldapPlaces(server());
		await server().modify(
			`dn: cn=Doctors,${groups}\nchangetype: add\nobjectClass: groupOfNames\ncn: Doctors\nmember: cn=Ordinary1,${people}\n`,
		);
		const scope = { bases: [groups, second], filter: undefined, exclude: [] };
		const found = await findings({ groups: scope, users: { filter: undefined, exclude: [], groups: [`cn=Missing,${groups}`] } });
		expect(of(found, "groups")).toMatchObject([
			{ state: "passed", detail: "are found, and members by member" },
			{ state: "warned", detail: "none is found" },
		]);
		expect(of(found, "users.groups")).toMatchObject([{ state: "failed", detail: expect.stringContaining("cn=Missing") }]);
	});

	it("finds the groups that rules name in any way but by a SID, and names those that have the one name", async () => {
		const { groups, elsewhere, people } = ldapPlaces(server());
		const add = (dn: string) => server().modify(`dn: ${dn}\nchangetype: add\nobjectClass: groupOfNames\nmember: cn=Ordinary1,${people}\n`);
		const [nurses, twins] = [`cn=Nurses,${groups}`, [groups, elsewhere].map((ou) => `cn=Twin,${ou}`)];
		for (const dn of [nurses, ...twins]) await add(dn);
		const [record] = await server().search(nurses, "(cn=*)", ["entryUUID"]);
		const guid = textOf(record as Record, "entryUUID") as string;
		const found = await findings({ ruleGroups: [nurses, guid, "nurses", "nuns", "twin", "S-1-5-32-544"] });
		const there = { state: "passed", detail: `of a rule is there: ${nurses}` };
		expect(of(found, "group")).toMatchObject([
			...[there, there, there],
			{ state: "failed", detail: 'the group "nuns" that a rule names is not there, or not visible to this account' },
			{ state: "failed", remedy: "name it by its DN or GUID" },
			{ state: "failed", detail: expect.stringContaining("gives its groups none"), remedy: "name it by its DN, GUID or name" },
		]);
		for (const dn of twins) expect(found.find(({ subject }) => subject === "twin")?.detail).toContain(`"${dn}"`);
	});

	it("tells an attribute that the schema does not have from one that nobody has", async () => {
		const found = await findings({ attributes: ["roomNumer", "roomNumber"] });
		const said = found.filter(({ subject }) => /^room/.test(subject)).map(({ state, subject, detail }) => [state, subject, detail]);
		expect(said).toEqual([
			["warned", "roomNumber", expect.stringMatching(/^shows on nobody/)],
			["warned", "roomNumer", "is not in the directory's schema"],
		]);
	});

	it("says that a base is missing, and looks no further", async () => {
		const found = await findings({ bases: [`ou=Nowhere,${server().baseDn}`] });
		expect(found.at(-1)).toMatchObject({ step: "base", state: "failed" });
	});
});
