import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Anchor, Entry } from "../../../src/core/entry.ts";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import type { HiddenAttribute } from "../../../src/demo/rights.ts";
import type { Whereabouts } from "../../../src/source/source.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { read, sourceOn } from "../../contract/reader.ts";

const base = "OU=People,DC=corp,DC=example,DC=com";
const berlin = `OU=Berlin,${base}`;
const london = `OU=London,${base}`;
const team = (number: number) => `OU=Team ${number},${berlin}`;

let demo: Demo;
beforeEach(async () => {
	demo = await startDemo();
	for (const dn of [base, berlin, london]) demo.directory.add(dn, { objectClass: "organizationalUnit" });
});
afterEach(() => demo.close());

function hire(name: string, ou: string, values: Readonly<Record<string, string>> = {}): void {
	const usual = { objectClass: "user", sAMAccountName: name, userAccountControl: "512", mail: `${name}@corp.example.com` };
	demo.directory.add(`CN=${name},${ou}`, { ...usual, ...values });
}

/** Twenty teams of two in Berlin, and a crowd in London. */
function hireTeams(): void {
	for (let number = 0; number < 20; number++) {
		demo.directory.add(team(number), { objectClass: "organizationalUnit" });
		for (const name of ["a", "b"]) hire(`${name}${number}`, team(number));
	}
	for (let number = 0; number < 30; number++) hire(`l${number}`, london);
}

const hide = (...hiddenAttributes: HiddenAttribute[]) => demo.directory.setRights("svc-dirsyncd", { hiddenAttributes });

/** What is made of those whom a first reading saw in scope and a second one, after `change`, does not. */
async function lostBy(filter: string, change: () => void): Promise<ReadonlyMap<string, Whereabouts>> {
	const source = sourceOn(directoryOnDemo(demo), { bases: [base], users: { filter, exclude: [], groups: [] } });
	const before = (await read(source)).entries;
	change();
	const found = new Map<string, Whereabouts>();
	await read(source, undefined, async (reading, { entries }) => {
		const missing = [...before.values()].filter(({ anchor }) => !entries.has(anchor));
		const wanted = missing.map(({ anchor, dn, attributes }) => ({ anchor, dn, had: [...attributes.keys()] }));
		const answers = await reading.lookup(wanted);
		for (const { anchor } of missing) found.set(nameOf(before, anchor), answers.get(anchor) as Whereabouts);
	});
	return found;
}

function nameOf(entries: ReadonlyMap<Anchor, Entry>, anchor: Anchor): string {
	return entries.get(anchor)?.attributes.get("samaccountname")?.[0] ?? "?";
}

const doubtsOf = (found: ReadonlyMap<string, Whereabouts>) =>
	[...found.values()].map((where) => (where.kind === "out-of-scope" ? where.doubt : where.kind));

describe("who does not match users.filter any more is doubted", () => {
	it("when what the filter asks for is hidden in many small containers", async () => {
		hireTeams();
		const found = await lostBy("(mail=*)", () => hide({ attribute: "mail", under: berlin }));
		expect(found.size).toBe(40);
		// One reason for all of them, that names where to look.
		expect(new Set(doubtsOf(found))).toEqual(
			new Set(["mail cannot be read of anyone in OU=Berlin,OU=People: rights may have been taken away"]),
		);
	});

	it("when it is hidden in one small container, of each of the two there", async () => {
		hireTeams();
		const found = await lostBy("(mail=*)", () => hide({ attribute: "mail", under: team(7) }));
		const doubt = expect.stringMatching(/^mail cannot be read of anyone in OU=Team 7,OU=Berlin,OU=People/);
		expect(doubtsOf(found)).toEqual([doubt, doubt]);
	});

	it("when a filter that excludes asks about what is hidden, which nobody had", async () => {
		for (let number = 0; number < 5; number++) hire(`b${number}`, berlin);
		for (let number = 0; number < 30; number++) hire(`l${number}`, london, { employeeType: "intern" });
		const found = await lostBy("(!(employeeType=external))", () => hide({ attribute: "employeeType", under: berlin }));
		expect(found.size).toBe(5);
		for (const doubt of doubtsOf(found)) expect(doubt).toMatch(/matches by all that it shows: employeetype may be hidden/);
	});

	it("when the company is so small that there is no crowd to compare with", async () => {
		for (const name of ["ann", "bob"]) hire(name, berlin);
		const found = await lostBy("(mail=*)", () => hide({ attribute: "mail" }));
		expect(doubtsOf(found)).toEqual([expect.any(String), expect.any(String)]);
	});

	it("when the server answers the same question twice, and not alike", async () => {
		hire("ann", berlin);
		const source = sourceOn(directoryOnDemo(demo), { bases: [base], users: { filter: "(mail=*)", exclude: [], groups: [] } });
		const [ann] = [...(await read(source)).entries.values()] as [Entry];
		await read(source, undefined, async (reading) => {
			let searches = 0;
			demo.faults.set(
				{ kind: "result", result: "success", after: 0 },
				{ when: ({ search }) => search?.scope === "sub" && ++searches === 2, times: 1 },
			);
			const answers = await reading.lookup([{ anchor: ann.anchor, dn: ann.dn, had: [...ann.attributes.keys()] }]);
			const doubt = expect.stringContaining("its answers contradict each other");
			expect(answers.get(ann.anchor)).toMatchObject({ kind: "out-of-scope", doubt });
		});
	});
});

describe("who does not match users.filter any more is not doubted", () => {
	it("when it really lost what its neighbours further up still show", async () => {
		hireTeams();
		const found = await lostBy("(mail=*)", () => demo.directory.modify(`CN=a3,${team(3)}`, { mail: undefined }));
		expect(doubtsOf(found)).toEqual([undefined]);
		expect([...found.keys()]).toEqual(["a3"]);
	});

	it("when it shows itself what the filter excludes", async () => {
		hireTeams();
		const change = () => demo.directory.modify(`CN=a3,${team(3)}`, { employeeType: "external" });
		const found = await lostBy("(&(mail=*)(!(employeeType=external)))", change);
		expect([...found.keys()]).toEqual(["a3"]);
		expect(doubtsOf(found)).toEqual([undefined]);
	});
});

describe('"no such object" where there is one', () => {
	it("fails a lookup instead of making everybody vanish", async () => {
		hire("ann", berlin);
		const source = sourceOn(directoryOnDemo(demo), { bases: [base] });
		const [ann] = [...(await read(source)).entries.values()] as [Entry];
		for (const after of [0, 1]) {
			const work = read(source, undefined, async (reading) => {
				const when = ({ search }: { search: { scope: string } | undefined }) => search?.scope === "sub";
				demo.faults.set({ kind: "result", result: "noSuchObject", after }, { when, times: 1 });
				await reading.lookup([{ anchor: ann.anchor, dn: ann.dn, had: [] }]);
			});
			await expect(work).rejects.toMatchObject({ code: "SOURCE_BASE_MISSING", message: expect.stringContaining("noSuchObject (32)") });
			demo.faults.clear();
		}
	});
});
