import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { DemoDirectory } from "../../src/demo/directory.ts";
import { openWire, type Wire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";
const ANN = `CN=Ann,OU=People,${BASE}`;
const NOW = Date.UTC(2026, 10, 1);

let demo: Demo;
let directory: DemoDirectory;
let wire: Wire;

beforeAll(async () => {
	demo = await startDemo({ clock: () => NOW });
	directory = demo.directory;
	directory.add(`OU=People,${BASE}`, { objectClass: "organizationalUnit" });
	directory.add(`OU=Inner,OU=People,${BASE}`, { objectClass: "organizationalUnit" });
	directory.add(`CN=Carl,OU=Inner,OU=People,${BASE}`, { objectClass: "user", sAMAccountName: "carl", mail: "carl@x.example" });
	directory.add(ANN, { objectClass: "user", sAMAccountName: "ann", userPrincipalName: "Ann@corp.example.com", mail: "ann@x.example" });
	directory.setPassword(ANN, "right");
});

afterAll(() => demo.close());

beforeEach(async () => {
	wire = await openWire(demo.address);
	return () => wire.close();
});

describe("a bind to the demo directory", () => {
	it.each([ANN, ANN.toLowerCase(), "ann@corp.example.com", "CORP\\ann", "ANN"])("is taken under the name %s", async (name) => {
		expect((await wire.bind(name, "right")).code).toBe(0);
	});

	it("with an empty password is anonymous, whatever the name, and sees nothing", async () => {
		expect((await wire.bind(ANN, "")).code).toBe(0);
		expect((await wire.search({ base: BASE })).code).toBe(1);
	});

	it.each<[string, string, string, () => void, () => void]>([
		["a wrong password", "52e", "wrong", () => {}, () => {}],
		["a disabled account and the right password", "533", "right", () => directory.disable(ANN), () => directory.enable(ANN)],
		["a disabled account and a wrong one", "52e", "wrong", () => directory.disable(ANN), () => directory.enable(ANN)],
		["an expired account", "701", "right", () => directory.expire(ANN, NOW - 1000), () => directory.expire(ANN, undefined)],
		["a locked account", "775", "right", () => directory.lock(ANN), () => directory.unlock(ANN)],
		[
			"a password that must be changed",
			"773",
			"right",
			() => directory.modify(ANN, { pwdLastSet: 0 }),
			() => directory.modify(ANN, { pwdLastSet: -1 }),
		],
		["any other code that was set", "532", "right", () => directory.refuseBinds(ANN, "532"), () => directory.refuseBinds(ANN, undefined)],
	])("of %s says data %s in AD's words", async (_, data, password, spoil, mend) => {
		spoil();
		const refused = await wire.bind(ANN, password);
		expect(refused.code).toBe(49);
		expect(refused.text).toMatch(
			new RegExp(`^80090308: LdapErr: DSID-[0-9A-F]{8}, comment: AcceptSecurityContext error, data ${data}, v1db1\\0$`),
		);
		mend();
		expect((await wire.bind(ANN, "right")).code).toBe(0);
	});

	it("that failed leaves nobody bound", async () => {
		await wire.bind(ANN, "right");
		await wire.bind(ANN, "wrong");
		expect((await wire.search({ base: BASE, scope: "base" })).code).toBe(1);
	});

	it("of nobody says the same as a wrong password", async () => {
		expect((await wire.bind("nobody", "x")).text).toContain("data 52e");
	});
});

describe("rights of an account", () => {
	beforeEach(async () => {
		await wire.bind(ANN, "right");
		return () => directory.setRights(ANN, { hiddenAttributes: [], hiddenSubtrees: [], unlistable: [] });
	});

	const found = async (filter: string): Promise<string[]> => {
		const { entries } = await wire.search({ base: `OU=People,${BASE}`, filter });
		return entries.map(({ dn }) => dn.split(",")[0] as string).sort();
	};

	it("hide an attribute from answers, and make it Undefined in filters", async () => {
		directory.setRights(ANN, { hiddenAttributes: [{ attribute: "mail" }] });
		const { entries } = await wire.search({ base: ANN, scope: "base" });
		expect(entries[0]?.attributes.has("mail")).toBe(false);
		expect(entries[0]?.attributes.has("sAMAccountName")).toBe(true);
		expect(await found("(mail=*)")).toEqual([]);
		expect(await found("(&(objectClass=user)(!(mail=*)))")).toEqual([]);
	});

	it("hide an attribute beneath one container only", async () => {
		directory.setRights(ANN, { hiddenAttributes: [{ attribute: "mail", under: `OU=Inner,OU=People,${BASE}` }] });
		expect(await found("(mail=*)")).toEqual(["CN=Ann"]);
	});

	it("hide a subtree: as a base it is not there, and nothing of it is found", async () => {
		directory.setRights(ANN, { hiddenSubtrees: [`OU=Inner,OU=People,${BASE}`] });
		expect(await wire.search({ base: `OU=Inner,OU=People,${BASE}` })).toMatchObject({ code: 32, matchedDn: `OU=People,${BASE}` });
		expect(await found("(objectClass=*)")).toEqual(["CN=Ann", "OU=People"]);
	});

	it("forbid to list a container: it is there, and looks empty, with success", async () => {
		directory.setRights(ANN, { unlistable: [`OU=Inner,OU=People,${BASE}`] });
		const answer = await wire.search({ base: `OU=Inner,OU=People,${BASE}`, scope: "one" });
		expect(answer).toMatchObject({ code: 0, entries: [] });
		expect(await found("(objectClass=*)")).toEqual(["CN=Ann", "OU=Inner", "OU=People"]);
		expect((await wire.search({ base: `CN=Carl,OU=Inner,OU=People,${BASE}`, scope: "base" })).code).toBe(32);
	});

	it("taken away between two pages hide the rest without an error", async () => {
		const question = { base: `OU=People,${BASE}`, filter: "(objectClass=*)" };
		const first = await wire.search({ ...question, page: { size: 1 } });
		directory.setRights(ANN, { unlistable: [`OU=People,${BASE}`] });
		const rest = await wire.search({ ...question, page: { size: 10, cookie: first.cookie } });
		expect(rest).toMatchObject({ code: 0, entries: [], cookie: Buffer.alloc(0) });
	});

	it("of others stay as they are", async () => {
		directory.setRights(ANN, { hiddenAttributes: [{ attribute: "mail" }] });
		await wire.bind(demo.bindUser, demo.bindPassword);
		expect(await found("(mail=*)")).toEqual(["CN=Ann", "CN=Carl"]);
	});
});
