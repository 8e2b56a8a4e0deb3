import { beforeAll, expect, it } from "vitest";
import { openDoors } from "../../../../src/cli/doors.ts";
import { delegate, type Extent } from "../../../../src/source/active-directory/delegation/delegation.ts";
import { diagnose } from "../../../../src/source/active-directory/diagnose.ts";
import { activeDirectoryDefaults } from "../../../../src/source/active-directory/options.ts";
import { good, load } from "../../../config/configure.ts";
import { powershellFaults } from "../../../support/powershell.ts";
import { describeWith } from "../../../support/require.ts";
import { useSamba } from "../../../support/samba.ts";
import { noTls } from "../../../support/tls.ts";

/** Nobody but administrators, and nothing from above. */
const CLOSED = "D:PAI(A;CI;GA;;;DA)(A;CI;GA;;;SY)";
/** Nobody but administrators, and what comes from above. */
const OPEN_ABOVE = "D:AI(A;;GA;;;DA)(A;;GA;;;SY)";

describeWith(["samba"], "least rights in a hardened domain", () => {
	const samba = useSamba();
	beforeAll(async () => {
		// Hidden from everybody who has not the right to control it, besides the right to read; and kept from read-only domain controllers.
		const schema = `CN=Employee-Number,CN=Schema,CN=Configuration,${samba().baseDn}`;
		await samba().modify(
			`dn: ${schema}\nchangetype: modify\nreplace: searchFlags\nsearchFlags: 640\n`,
			"--option=dsdb:schema update allowed=true",
		);
		await samba().restart();
	});

	/** An OU that only administrators may look into, with two people and a group, one of the people in an OU within. */
	async function hardened(name: string) {
		const base = `OU=${name},${samba().baseDn}`;
		const within = `OU=Within,${base}`;
		const people = [`CN=${name}1,${base}`, `CN=${name}2,${within}`];
		const group = `CN=${name} all,${base}`;
		await samba().add(
			[
				...[base, within].map((dn) => `dn: ${dn}\nobjectClass: organizationalUnit\n`),
				...people.map((dn, index) => {
					const logon = `${name.toLowerCase()}${index}`;
					return `dn: ${dn}\nobjectClass: user\nsAMAccountName: ${logon}\nmail: ${logon}@corp.example.test\ndisplayName: ${logon}\nuserAccountControl: 512\nemployeeNumber: 7${index}\nhomePhone: 123\naccountExpires: 0\nuserPrincipalName: ${logon}@corp.example.test\nproxyAddresses: SMTP:${logon}@corp.example.test\n`;
				}),
				`dn: ${group}\nobjectClass: group\nsAMAccountName: ${name.toLowerCase()}-all\nmember: ${people[0]}\n`,
			].join("\n"),
		);
		await samba().protect(base, CLOSED);
		for (const dn of [within, ...people, group]) await samba().protect(dn, OPEN_ABOVE);
		return { base, within, people, group };
	}

	const sourceOf = (
		bases: readonly string[],
		more: { attributes?: readonly string[]; groups?: boolean; changes?: "auto" | "dirsync" } = {},
	) => ({
		name: "corp",
		urls: [samba().ldapUrl],
		discovery: undefined,
		bind: { user: samba().reader.user, password: { reveal: () => samba().reader.password } },
		insecure: true,
		tls: noTls,
		bases,
		users: { filter: undefined, exclude: [], groups: [] },
		groups: more.groups ? { bases, filter: undefined, exclude: [], kinds: [] } : undefined,
		ruleGroups: [] as readonly string[],
		changes: more.changes ?? ("auto" as const),
		protect: [],
		attributes: more.attributes ?? ["displayName"],
		pageSize: activeDirectoryDefaults.pageSize,
		timeouts: activeDirectoryDefaults.timeouts,
	});
	type Source = ReturnType<typeof sourceOf>;

	const never = new AbortController().signal;
	const look = (source: Source, extent: Extent = "lacking") => delegate(source, extent, Date.now, never);
	async function troubles(source: Source): Promise<readonly string[]> {
		const found: string[] = [];
		for await (const { step, subject, state } of diagnose(source, Date.now, never)) {
			// On a connection in clear: that it is one is not what is asked here.
			if (state !== "passed" && step !== "tls") found.push(`${step} ${subject}`);
		}
		return found;
	}
	/** Does what the commands would do: the entries of the same model, as SDDL. */
	async function apply({ grants }: Awaited<ReturnType<typeof look>>): Promise<void> {
		const byDn = new Map<string, string>();
		for (const { dn, sddl } of grants) byDn.set(dn, (byDn.get(dn) ?? "") + sddl.join(""));
		for (const [dn, entries] of byDn) {
			if (dn.startsWith("CN=Deleted Objects")) await samba().grantDeleted("", entries);
			else await samba().tool("dsacl", "set", `--objectdn=${dn}`, `--sddl=${entries}`);
		}
	}
	const seen = async (base: string, attribute: string): Promise<number> => {
		const entries = await samba().ldapsearch(base, "(sAMAccountType=805306368)", [attribute], samba().reader);
		return entries.filter(({ attributes }) => attributes.has(attribute.toLowerCase())).length;
	};

	it("in a domain as it comes nothing is lacking but the deleted objects, and everything can be printed for later", async () => {
		const whole = await look(sourceOf([samba().baseDn], { groups: true }));
		expect(whole.grants.map(({ dn }) => dn)).toEqual([`CN=Deleted Objects,${samba().baseDn}`]);
		const source = sourceOf([`CN=Users,${samba().baseDn}`]);
		const { grants, findings } = await look(source);
		expect(grants.filter(({ dn }) => !dn.startsWith("CN=Deleted Objects"))).toEqual([]);
		expect(findings.filter(({ step }) => step === "base")).toMatchObject([{ state: "passed" }]);
		const everything = await look(source, "everything");
		expect(everything.grants.length).toBeGreaterThan(4);
		expect(everything.dsacls).toMatch(/dsacls "CN=Users,DC=corp,DC=example,DC=test" \/I:S \/G .*"CORP\\svc-dirsyncd:RP;mail;user"/);
		expect(await powershellFaults(everything.powershell)).toEqual([]);
	});

	it("what is granted is all that check misses, and nothing beside it can be seen", async () => {
		const hard = await hardened("Hard");
		const other = await hardened("Other");
		const source = sourceOf([hard.base], { groups: true });
		expect(await troubles(source)).toEqual(expect.arrayContaining(["people people", "groups groups"]));
		const delegation = await look(source);
		expect(delegation.account).toEqual({
			name: "CORP\\svc-dirsyncd",
			sid: await samba().sidOf("svc-dirsyncd"),
			dn: `CN=svc-dirsyncd,CN=Users,${samba().baseDn}`,
		});
		expect(await powershellFaults(delegation.powershell)).toEqual([]);
		await apply(delegation);
		expect(await troubles(source)).toEqual([]);
		expect((await look(source)).grants).toEqual([]);
		expect(await seen(hard.base, "displayName")).toBe(2);
		// Neither what the mapping does not read, nor what is confidential, nor the other OU.
		expect(await seen(hard.base, "homePhone")).toBe(0);
		expect(await seen(hard.base, "employeeNumber")).toBe(0);
		expect(await seen(other.base, "displayName").catch(() => 0)).toBe(0);
		const [group] = await samba().ldapsearch(hard.base, "(objectClass=group)", ["member", "info"], samba().reader);
		expect(group?.attributes.get("member")?.map(String)).toEqual([hard.people[0]]);
		await samba().remove(hard.people[1] as string);
		for await (const { step, state } of diagnose(source, Date.now, never)) if (step === "deleted") expect(state).toBe("passed");
	});

	it("a group elsewhere that a rule names is granted by itself, with its members, and its neighbours are not", async () => {
		const { base, people, group } = await hardened("Far");
		const source = { ...sourceOf([`CN=Users,${samba().baseDn}`]), ruleGroups: [group] };
		expect(await troubles(source)).toContain(`group ${group}`);
		await apply(await look(source));
		expect(await troubles(source)).not.toContain(`group ${group}`);
		const shown = await samba().ldapsearch(base, "(objectClass=*)", ["member", "displayName"], samba().reader);
		expect(shown.filter(({ attributes }) => attributes.size > 0).map(({ dn }) => dn)).toEqual([group]);
		expect(
			shown
				.find(({ dn }) => dn === group)
				?.attributes.get("member")
				?.map(String),
		).toEqual([people[0]]);
	});

	it("what the configuration reads is what is granted: its mapping, and what its rules ask about", async () => {
		const { base } = await hardened("Asked");
		const { config } = load(
			good({
				urls: `    urls: ["${samba().ldapUrl}"]\n    insecure: true`,
				bind: `    bind: { user: "${samba().reader.user}", password: "${samba().reader.password}" }`,
				base: `    base: ${base}`,
				"+": "features:\n  - { name: phone, when: { filter: '(homePhone=1)' } }",
			}),
		);
		const { dsacls } = await openDoors(Date.now).delegation(config, "corp", "lacking", never);
		expect(dsacls).toContain(`"CORP\\svc-dirsyncd:RP;homePhone;user"`);
		expect(dsacls).toContain(`"CORP\\svc-dirsyncd:RP;displayName;user"`);
		expect(dsacls).not.toContain("pager");
	});

	it("who inherits nothing is named, since no grant at a base reaches them", async () => {
		const { base, people } = await hardened("Apart");
		const [alone = ""] = people;
		const source = sourceOf([base]);
		await apply(await look(source));
		await samba().protect(alone, CLOSED);
		const { findings, grants } = await look(source);
		expect(grants).toEqual([]);
		expect(findings.filter(({ state }) => state !== "passed")).toMatchObject([
			{ step: "object", subject: alone, state: "warned", detail: expect.stringContaining("shows nothing"), remedy: expect.any(String) },
		]);
	});

	it("an account that may do anything, or read every password's hash, is warned of", async () => {
		const { user, password } = samba().admin;
		const source = { ...sourceOf([`CN=Users,${samba().baseDn}`]), bind: { user, password: { reveal: () => password } } };
		const { findings, account } = await look(source);
		expect(account.name).toBe("CORP\\Administrator");
		expect(findings.filter(({ step }) => step === "account")).toMatchObject([
			{ state: "warned", detail: expect.stringMatching(/Domain Admins/) },
		]);
		expect(findings.filter(({ step }) => step === "replication")).toMatchObject([
			{ state: "warned", detail: expect.stringMatching(/password's hash/) },
		]);
	});

	it("a confidential attribute of the mapping is granted with the right to control it, for people alone", async () => {
		const { base } = await hardened("Secret");
		const source = sourceOf([base], { attributes: ["displayName", "employeeNumber"] });
		const delegation = await look(source);
		expect(delegation.remarks.join("\n")).toMatch(/confidential.*employeeNumber/);
		await apply(delegation);
		expect(await seen(base, "employeeNumber")).toBe(2);
		expect((await look(source)).grants).toEqual([]);
	});

	it("an OU within that inherits nothing is granted the same by itself", async () => {
		const { base, within } = await hardened("Closed");
		await samba().protect(within, CLOSED);
		const source = sourceOf([base]);
		await apply(await look(source));
		expect(await seen(base, "displayName")).toBe(1);
		const second = await look(source);
		expect(second.grants.map(({ dn }) => dn)).toContain(within);
		await apply(second);
		expect(await seen(base, "displayName")).toBe(2);
		expect((await look(source)).grants).toEqual([]);
	});

	it.each([
		{ mode: "as it comes", heuristics: undefined, rights: "LC", besides: 1 },
		{ mode: "in List Object mode", heuristics: "001", rights: "LO", besides: 0 },
	])(
		"a base within what is hidden is made visible, and of what lies beside it at most the name: $mode",
		async ({ heuristics, rights, besides }) => {
			const service = `CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,${samba().baseDn}`;
			const value = heuristics === undefined ? "" : `dSHeuristics: ${heuristics}\n`;
			await samba().modify(`dn: ${service}\nchangetype: modify\nreplace: dSHeuristics\n${value}`);
			const { base: top, within, people } = await hardened(`Top${rights}`);
			const beside = people[0] as string;
			const source = sourceOf([within]);
			const delegation = await look(source);
			const above = delegation.grants.filter(({ dn }) => dn === top).map(({ sddl }) => sddl.join(""));
			expect(above).toEqual([expect.stringMatching(new RegExp(`^\\(A;;${rights};;;S-`))]);
			await apply(delegation);
			expect((await look(source)).grants).toEqual([]);
			expect(await seen(within, "displayName")).toBe(1);
			const shown = await samba().ldapsearch(top, "(objectClass=*)", ["*"], samba().reader);
			const found = shown.filter(({ dn }) => dn === beside);
			expect(found.length).toBe(besides);
			for (const { attributes } of found) expect([...attributes.keys()]).toEqual([]);
			await samba().modify(`dn: ${service}\nchangetype: modify\nreplace: dSHeuristics\n`);
		},
	);

	it("changes: dirsync wants the right to replicate changes, and never all of them", async () => {
		const source = sourceOf([`CN=Users,${samba().baseDn}`], { changes: "dirsync" });
		expect(await troubles(source)).toContain("changes strategy");
		const delegation = await look(source);
		await apply(delegation);
		expect(await troubles(source)).not.toContain("changes strategy");
		expect((await look(source)).grants.filter(({ dn }) => dn === samba().baseDn)).toEqual([]);
		expect(delegation.dsacls).toContain(`"CORP\\svc-dirsyncd:CA;Replicating Directory Changes"`);
		const filtered = await look({ ...source, attributes: ["employeeNumber"] });
		expect(filtered.dsacls).toContain(`"CORP\\svc-dirsyncd:CA;Replicating Directory Changes In Filtered Set"`);
		expect((await look(source, "everything")).dsacls).toContain(`"CORP\\svc-dirsyncd:CA;Replicating Directory Changes"`);
		expect(`${delegation.dsacls}${delegation.powershell}`).not.toMatch(/1131f6ad|CA;Replicating Directory Changes All/);
	});
});
