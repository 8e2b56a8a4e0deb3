import { beforeAll, expect, it } from "vitest";
import type { Anchor, Entry } from "../../../src/core/entry.ts";
import { Failure } from "../../../src/core/errors.ts";
import { makeActiveDirectory } from "../../../src/source/active-directory/active-directory.ts";
import { activeDirectoryDefaults } from "../../../src/source/active-directory/options.ts";
import type { Source, Whereabouts } from "../../../src/source/source.ts";
import { fullRequest } from "../../support/requests.ts";
import { describeWith } from "../../support/require.ts";
import { useSamba } from "../../support/samba.ts";
import { noTls } from "../../support/tls.ts";

/** schemaIDGUIDs (MS-ADA1 to 3). */
const schema = {
	mail: "bf967961-0de6-11d0-a285-00aa003049e2",
	objectCategory: "26d97369-6070-11d1-a9c6-0000f80367c1",
	objectClass: "bf9679e5-0de6-11d0-a285-00aa003049e2",
	objectGUID: "bf9679e7-0de6-11d0-a285-00aa003049e2",
	sAMAccountType: "6e7b626c-64f2-11d0-afd2-00c04fd930c9",
	userAccountControl: "bf967a68-0de6-11d0-a285-00aa003049e2",
} as const;

describeWith(["samba"], "with rights taken from the service account", () => {
	const samba = useSamba();
	let sid: string;
	beforeAll(async () => {
		const [account] = await samba().ldbsearch("(sAMAccountName=svc-dirsyncd)", ["objectSid"]);
		sid = account?.attributes.get("objectsid")?.[0]?.toString() as string;
	});

	const sourceOn = (base: string, filter = "(mail=*)"): Source =>
		makeActiveDirectory({
			name: "corp",
			urls: [samba().ldapUrl],
			discovery: undefined,
			bind: samba().reader,
			insecure: true,
			tls: noTls,
			bases: [base],
			users: { filter, exclude: [], groups: [] },
			groups: undefined,
			changes: "auto",
			protect: [],
			attributes: ["displayName"],
			...activeDirectoryDefaults,
			clock: Date.now,
			random: Math.random,
			observe: { request: () => {}, certificate: () => {} },
		});

	/** Three people in a crowd and one alone, each somewhere beneath a base of their own. */
	async function populate(name: string): Promise<{ base: string; crowd: string; alone: string }> {
		const base = `OU=${name},${samba().baseDn}`;
		const [crowd, alone] = [`OU=Crowd,${base}`, `OU=Alone,${base}`];
		const units = [base, crowd, alone].map((dn) => `dn: ${dn}\nobjectClass: organizationalUnit\n`);
		const people = [crowd, crowd, crowd, alone].map((ou, number) => {
			const logon = `${name.toLowerCase()}${number}`;
			return `dn: CN=${logon},${ou}\nobjectClass: user\nsAMAccountName: ${logon}\nmail: ${logon}@corp.example.test\nuserAccountControl: 512\n`;
		});
		await samba().add([...units, ...people].join("\n"));
		return { base, crowd, alone };
	}

	async function read(source: Source): Promise<ReadonlyMap<Anchor, Entry>> {
		const reading = await source.read(fullRequest(), new AbortController().signal);
		const entries = new Map<Anchor, Entry>();
		for await (const page of reading.pages) for (const { raw } of page) entries.set(source.decode(raw).anchor, source.decode(raw));
		await reading.close();
		return entries;
	}

	/** What a second reading makes of those that the first one saw; a Failure when it is none. */
	async function lookAgain(source: Source, before: ReadonlyMap<Anchor, Entry>): Promise<readonly Whereabouts[] | Failure> {
		try {
			const reading = await source.read(fullRequest(), new AbortController().signal);
			try {
				const seen = new Set<Anchor>();
				for await (const page of reading.pages) for (const { key } of page) seen.add(source.anchor(key));
				if (reading.end().unsealed.length > 0) return new Failure("SOURCE_BROKE", reading.end().unsealed.join());
				const missing = [...before.values()].filter(({ anchor }) => !seen.has(anchor));
				expect(missing.length, "somebody is missing").toBeGreaterThan(0);
				const found = await reading.lookup(missing.map(({ anchor, dn, attributes }) => ({ anchor, dn, had: [...attributes.keys()] })));
				return [...found.values()];
			} finally {
				await reading.close();
			}
		} catch (failure) {
			if (failure instanceof Failure) return failure;
			throw failure;
		}
	}

	const deny = (dn: string, ace: string) => samba().tool("dsacl", "set", `--objectdn=${dn}`, `--sddl=${ace.replace("SID", sid)}`);

	// A right that is denied where a person is does not count for what the person's own list allows: property by property it has to
	// be denied on each of them.
	it.each([
		{ right: "to list any container", at: "containers", ace: "(D;;LC;;;SID)" },
		{ right: "to list a container", at: "crowd", ace: "(D;;LC;;;SID)" },
		{ right: "to list the container of one", at: "alone", ace: "(D;;LC;;;SID)" },
		{ right: "to see anything of a container", at: "crowd", ace: "(D;;GA;;;SID)" },
		{ right: "to read anything of one person", at: "person", ace: "(D;;RP;;;SID)" },
		{ right: "to see anything of one person", at: "person", ace: "(D;;GA;;;SID)" },
		{ right: "to read anything in a container", at: "in the crowd", ace: "(D;;RP;;;SID)" },
		{ right: "to read mail, which the filter asks for, in a container", at: "in the crowd", ace: `(OD;;RP;${schema.mail};;SID)` },
		{ right: "to read mail, which the filter asks for, at all", at: "everybody", ace: `(OD;;RP;${schema.mail};;SID)` },
		{ right: "to read objectCategory in a container", at: "in the crowd", ace: `(OD;;RP;${schema.objectCategory};;SID)` },
		{ right: "to read objectCategory of one person", at: "person", ace: `(OD;;RP;${schema.objectCategory};;SID)` },
		{ right: "to read objectClass in a container", at: "in the crowd", ace: `(OD;;RP;${schema.objectClass};;SID)` },
		{ right: "to read sAMAccountType in a container", at: "in the crowd", ace: `(OD;;RP;${schema.sAMAccountType};;SID)` },
		{ right: "to read sAMAccountType at all", at: "everybody", ace: `(OD;;RP;${schema.sAMAccountType};;SID)` },
		{ right: "to read objectGUID of one person", at: "person", ace: `(OD;;RP;${schema.objectGUID};;SID)` },
	] as const)("nobody is taken for gone without the right $right", async ({ at, ace, right }) => {
		const { base, crowd, alone } = await populate(`R${Buffer.from(right).reduce((sum, octet) => sum * 31 + octet, 7) % 1_000_000}`);
		const source = sourceOn(base);
		const before = await read(source);
		const everybody = [...before.values()].map(({ dn }) => dn);
		expect(everybody).toHaveLength(4);
		const inCrowd = everybody.filter((dn) => dn.endsWith(crowd));
		const places = {
			base: [base],
			containers: [base, crowd, alone],
			crowd: [crowd],
			alone: [alone],
			everybody,
			person: inCrowd.slice(0, 1),
		};
		await Promise.all((at === "in the crowd" ? inCrowd : places[at]).map((dn) => deny(dn, ace)));
		const after = await lookAgain(source, before);
		if (after instanceof Failure) return;
		for (const found of after) if (found.kind !== "in-scope") expect(found).toMatchObject({ doubt: expect.any(String) });
	});

	it("nobody is doubted who was the last in a container that may be listed", async () => {
		const { base } = await populate("Last");
		const source = sourceOn(base);
		const before = await read(source);
		await samba().remove([...before.values()].find(({ dn }) => dn.includes("OU=Alone"))?.dn as string);
		expect(await lookAgain(source, before)).toEqual([{ kind: "unseen", doubt: undefined }]);
	});

	it("nobody is doubted who is really gone, or really no longer matches", async () => {
		const places = await populate("Gone");
		const source = sourceOn(places.base);
		const before = await read(source);
		const crowd = [...before.values()].filter(({ dn }) => dn.includes("OU=Crowd"));
		await samba().remove((crowd[0] as Entry).dn);
		await samba().modify(`dn: ${(crowd[1] as Entry).dn}\nchangetype: modify\ndelete: mail\n`);
		expect(await lookAgain(source, before)).toEqual([
			{ kind: "unseen", doubt: undefined },
			{ kind: "out-of-scope", dn: (crowd[1] as Entry).dn, where: "no longer matches users.filter", doubt: undefined },
		]);
	});
});
