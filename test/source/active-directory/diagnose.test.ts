import { expect, it } from "vitest";
import { type Diagnosed, diagnose } from "../../../src/source/active-directory/diagnose.ts";
import type { Finding } from "../../../src/source/ldap/diagnose.ts";
import { type Record, textOf } from "../../support/ldif.ts";
import { describeWith } from "../../support/require.ts";
import { useSamba } from "../../support/samba.ts";
import { noTls } from "../../support/tls.ts";

describeWith(["samba"], "the doctor at a domain controller", () => {
	const samba = useSamba();

	function source(more: Partial<Diagnosed> = {}): Diagnosed {
		return {
			name: "corp",
			urls: [samba().url],
			discovery: undefined,
			bind: { user: samba().reader.user, password: { reveal: () => samba().reader.password } },
			tls: { ...noTls, ca: samba().caPem },
			insecure: false,
			bases: [samba().baseDn],
			users: { filter: undefined, exclude: [], groups: [] },
			groups: undefined,
			ruleGroups: [],
			changes: "auto" as const,
			protect: [],
			attributes: ["samaccountname", "title"],
			timeouts: { connectMs: 5000, bindMs: 5000, requestMs: 5000 },
			pageSize: 1000,
			...more,
		};
	}

	async function findings(given: Diagnosed, clock = Date.now): Promise<readonly Finding[]> {
		const found: Finding[] = [];
		for await (const finding of diagnose(given, clock, new AbortController().signal)) found.push(finding);
		return found;
	}

	function only(found: readonly Finding[], state: Finding["state"]): readonly string[] {
		return found.filter((finding) => finding.state === state).map(({ step }) => step);
	}

	it("finds everything in order, but for a certificate that ends soon, what nobody has, and the right to see tombstones", async () => {
		const found = await findings(source());
		expect(only(found, "failed")).toEqual([]);
		expect(found.filter(({ state }) => state === "warned").map(({ step, subject }) => `${step} ${subject}`)).toEqual(
			expect.arrayContaining([`tls ${samba().url}`, "attribute title", `deleted CN=Deleted Objects,${samba().baseDn}`]),
		);
		expect(only(found, "passed")).toEqual(
			expect.arrayContaining(["tcp", "bind", "clock", "paging", "changes", "base", "people", "attribute"]),
		);
		expect(found.find(({ step }) => step === "tls")?.detail).toMatch(
			/TLSv1\.3, a certificate for dc1\.corp\.example\.test, localhost.*: (?:19|20) days left/,
		);
		for (const finding of found) if (finding.state !== "passed") expect(finding.remedy).toBeDefined();
	});

	it("says how changes will be found, and why", async () => {
		const strategyOf = (found: readonly Finding[]) => found.find(({ subject }) => subject === "strategy")?.detail;
		expect(strategyOf(await findings(source()))).toMatch(
			/^uSNChanged: this account may not replicate changes, insufficientAccessRights \(50\)/,
		);
		expect(strategyOf(await findings(source({ changes: "usn" })))).toBe("uSNChanged, as the configuration wants");
		expect(strategyOf(await findings(source({ changes: "dirsync" })))).toMatch(/^DirSync without the right to replicate/);
		expect(strategyOf(await findings(source({ changes: "full" })))).toMatch(/^full readings only/);
		expect(strategyOf(await findings(source({ attributes: ["memberof"] })))).toMatch(/the mapping, or a target, uses memberof/);
		const { user, password } = samba().admin;
		const admin = { user, password: { reveal: () => password } };
		expect(strategyOf(await findings(source({ bind: admin })))).toBe("DirSync: this account may replicate changes");
	});

	it("finds the groups, whether their members can be read, and those that users.groups names", async () => {
		const groups = { bases: [samba().baseDn], filter: undefined, exclude: [], kinds: ["security"] } as const;
		const [admins, none] = ["Domain Admins", "No such group"].map((name) => `CN=${name},CN=Users,${samba().baseDn}`) as [string, string];
		const found = await findings(source({ groups, users: { filter: undefined, exclude: [], groups: [admins, none] } }));
		const said = found.map(({ state, step, subject }) => `${state} ${step} ${subject}`);
		expect(said).toEqual(expect.arrayContaining([`passed group ${admins}`, `failed group ${none}`, "passed attribute member"]));
		expect(said).toContain("passed groups groups by their filter");
	});

	it("finds the groups that rules name in any way, and not those that are not there", async () => {
		const [record] = await samba().ldbsearch("(sAMAccountName=Domain Guests)", ["objectGUID", "objectSid"]);
		const dn = `CN=Domain Guests,CN=Users,${samba().baseDn}`;
		const sid = textOf(record as Record, "objectSid") as string;
		const guid = textOf(record as Record, "objectGUID") as string;
		const found = await findings(source({ ruleGroups: [dn, guid, sid, "domain guests", "domain gusts", sid.replace(/\d+$/, "999999")] }));
		const said = found.filter(({ step }) => step === "group").map(({ state, detail }) => `${state} ${detail}`);
		expect(said.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => `passed of a rule is there: ${dn}`));
		expect(said.slice(4)).toEqual(
			Array.from({ length: 2 }, () => expect.stringMatching(/^failed the group ".*" that a rule names is not there/)),
		);
	});

	it("tells an attribute that the schema does not have from one that nobody has", async () => {
		const found = await findings(source({ attributes: ["roomNumer", "roomNumber"] }));
		const said = found.filter(({ subject }) => /^room/.test(subject)).map(({ state, subject, detail }) => [state, subject, detail]);
		expect(said).toEqual([
			["warned", "roomNumber", expect.stringMatching(/^shows on nobody/)],
			["warned", "roomNumer", "is not in the directory's schema"],
		]);
	});

	it("finds the tombstones with the rights of an administrator", async () => {
		const { user, password } = samba().admin;
		expect((await findings(source({ bind: { user, password: { reveal: () => password } } }))).at(-1)).toMatchObject({
			step: "deleted",
			state: "passed",
		});
	});

	it.each([
		["a name that DNS does not know", () => ({ urls: ["ldaps://dc9.invalid"] }), "dns", /DNS knows no "dc9\.invalid"/],
		["a port where nothing listens", () => ({ urls: [`ldaps://${samba().host}:1`] }), "tcp", /refuses/],
		[
			"an authority that is not trusted",
			() => ({ tls: { ...source().tls, ca: undefined } }),
			"tls",
			/it shows a certificate for dc1\..* by dirsyncd test ca/,
		],
		[
			"a certificate for another name",
			() => ({ tls: { ...source().tls, servername: "dc9.corp.example.test" } }),
			"tls",
			/it says dc1\.corp/,
		],
		["a wrong password", () => ({ bind: { user: samba().reader.user, password: { reveal: () => "wrong" } } }), "bind", /wrong password/],
		["a base that is not there", () => ({ bases: [`OU=Nowhere,${samba().baseDn}`] }), "base", /is not there/],
	] as const)("names %s", async (_, more, step, says) => {
		const found = await findings(source(more()));
		expect(only(found, "failed")).toContain(step);
		const finding = found.find((one) => one.step === step && one.state === "failed");
		expect(finding?.detail).toMatch(says);
		expect(finding?.remedy).toBeDefined();
	});

	it("looks at the domain controllers that DNS names, and finds this machine's site by asking one", async () => {
		const resolver = async (name: string) =>
			name.startsWith("_ldap._tcp.dc.") ? [{ name: samba().host, port: 389, priority: 0, weight: 100 }] : [];
		const found = (site: readonly Finding[]) => site.find(({ step }) => step === "site");
		const discovery = { domain: samba().realm, site: undefined, resolver, scheme: "ldaps" } as const;
		const given = source({ urls: [], discovery });
		const first = await findings(given);
		expect(first.find(({ step }) => step === "dns")).toMatchObject({ state: "passed", detail: `DNS names 1 servers: ${samba().url}` });
		expect(first.find(({ step }) => step === "bind")?.state).toBe("passed");
		// The only site there is.
		expect(found(first)).toMatchObject({ state: "passed", subject: "Default-First-Site-Name" });
		await samba().tool("sites", "create", "London");
		expect(found(await findings(given))).toMatchObject({ state: "warned", remedy: expect.stringContaining("Sites and Services") });
		await samba().tool("sites", "subnet", "create", "127.0.0.0/8", "London");
		expect(found(await findings(given))).toMatchObject({ state: "passed", subject: "London" });

		const nowhere = await findings({ ...given, discovery: { ...discovery, resolver: async () => [] } });
		expect(nowhere).toMatchObject([{ step: "dns", state: "failed", remedy: expect.stringContaining("nslookup") }]);
	});

	it("tries a refused password at one server only", async () => {
		const bind = { user: samba().reader.user, password: { reveal: () => "wrong" } };
		const found = await findings(source({ bind, urls: [samba().url, samba().url] }));
		expect(found.filter(({ step }) => step === "bind")).toHaveLength(1);
	});

	it("warns of clocks apart, of a filter that finds nobody, of an exclusion and a protection that name nothing", async () => {
		const nothing = `OU=Nothing,${samba().baseDn}`;
		const given = source({ users: { filter: "(title=King)", exclude: [nothing], groups: [] }, protect: [nothing] });
		const found = await findings(given, () => Date.now() + 300_000);
		expect(only(found, "warned")).toEqual(expect.arrayContaining(["clock", "people", "exclude", "protect"]));
		expect(found.find(({ step }) => step === "clock")?.detail).toMatch(/is (?:299|300|301) s behind this machine/);
	});
});
