import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { DemoDirectory, Shown } from "../../src/demo/directory.ts";
import { refusalOf } from "../../src/demo/result.ts";
import { BerWriter } from "../../src/lib/ber.ts";
import { openWire, type Wire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";
const SHOW_DELETED = "1.2.840.113556.1.4.417";

let demo: Demo;
let directory: DemoDirectory;
let round = 0;
let home: string;
let ann: string;
let bob: string;
let team: string;

beforeAll(async () => {
	demo = await startDemo();
	directory = demo.directory;
});

afterAll(() => demo.close());

beforeEach(() => {
	round++;
	home = directory.add(`OU=Home ${round},${BASE}`, { objectClass: "organizationalUnit" }).dn;
	ann = directory.add(`CN=Ann,${home}`, { objectClass: "user", sAMAccountName: `ann${round}`, mail: "ann@x.example", title: "Clerk" }).dn;
	bob = directory.add(`CN=Bob,${home}`, { objectClass: "user", sAMAccountName: `bob${round}`, manager: ann }).dn;
	team = directory.add(`CN=Team,${home}`, { objectClass: "group", sAMAccountName: `team${round}`, member: [ann] }).dn;
});

function text(shown: Shown | undefined, attribute: string): string | undefined {
	return shown?.attributes.get(attribute)?.[0]?.toString();
}

function texts(dn: string, attribute: string): string[] | undefined {
	return directory.get(dn)?.attributes.get(attribute)?.map(String);
}

/** Which of the objects moved their USN, by name. */
function moved(act: () => void): string[] {
	const objects = { ann, bob, team, home };
	const guids = Object.entries(objects).map(([name, dn]) => [name, `<GUID=${directory.get(dn)?.guid}>`] as const);
	const before = directory.highestUsn();
	act();
	return guids.filter(([, guid]) => Number(text(directory.get(guid), "uSNChanged")) > before).map(([name]) => name);
}

function codeOf(act: () => void): number | undefined {
	try {
		act();
	} catch (error) {
		return refusalOf(error)?.code;
	}
	return 0;
}

describe("what moves uSNChanged in the demo directory", () => {
	it.each<[string, () => void, string[]]>([
		["a changed attribute: its object", () => directory.modify(ann, { title: "Head" }), ["ann"]],
		["a changed spelling: its object", () => directory.modify(ann, { title: "CLERK" }), ["ann"]],
		["the same value once more: nothing", () => directory.modify(ann, { title: "Clerk" }), []],
		["a password: the account", () => directory.setPassword(ann, "new"), ["ann"]],
		["disabling: the account", () => directory.disable(ann), ["ann"]],
		["an expiry date: the account", () => directory.expire(ann, Date.UTC(2030, 0)), ["ann"]],
		["a rename: the object", () => directory.rename(ann, "Anna"), ["ann"]],
		["a move: the object", () => directory.move(ann, `CN=Users,${BASE}`), ["ann"]],
		["a new member: the group, not the member", () => directory.addValues(team, "member", [bob]), ["team"]],
		["a member less: the group, not the member", () => directory.removeValues(team, "member", [ann]), ["team"]],
		["a manager: the one who is managed", () => directory.modify(ann, { manager: bob }), ["ann"]],
		["a rename of the OU: the OU alone", () => directory.rename(home, `Renamed ${round}`), ["home"]],
		["a move of the OU: the OU alone", () => directory.move(home, `CN=Users,${BASE}`), ["home"]],
		["a delete: the tombstone, not the group", () => directory.delete(ann), ["ann"]],
	])("%s", (_, act, expected) => {
		expect(moved(act)).toEqual(expected);
	});

	it("the highest committed USN does not move when nothing was written", () => {
		const before = directory.highestUsn();
		directory.modify(ann, { title: "Clerk" });
		expect(directory.highestUsn()).toBe(before);
		directory.modify(ann, { title: "Head" });
		expect(directory.highestUsn()).toBe(before + 1);
	});
});

describe("names in the demo directory", () => {
	it("of everything beneath a renamed OU follow, links to them too", () => {
		directory.rename(home, `Elsewhere, ${round}`);
		const now = `OU=Elsewhere\\, ${round},${BASE}`;
		expect(directory.get(`CN=Ann,${now}`)?.dn).toBe(`CN=Ann,${now}`);
		expect(directory.get(ann)).toBeUndefined();
		expect(texts(`CN=Team,${now}`, "member")).toEqual([`CN=Ann,${now}`]);
		expect(texts(`CN=Bob,${now}`, "manager")).toEqual([`CN=Ann,${now}`]);
		expect(texts(`CN=Ann,${now}`, "memberOf")).toEqual([`CN=Team,${now}`]);
	});

	it("follow a renamed person in every link, and keep the GUID", () => {
		const guid = directory.get(ann)?.guid;
		directory.rename(ann, "Anna Holm");
		expect(directory.get(`CN=Anna Holm,${home}`)?.guid).toBe(guid);
		expect(texts(bob, "manager")).toEqual([`CN=Anna Holm,${home}`]);
		expect(text(directory.get(`CN=Anna Holm,${home}`), "name")).toBe("Anna Holm");
	});

	it.each([
		["Holm, Anna", "CN=Holm\\, Anna"],
		['#1 + "best" <of>; all=', 'CN=\\#1 \\+ \\"best\\" \\<of\\>\\; all\\='],
		["Back\\slash", "CN=Back\\\\slash"],
		["Ærøskøbing 東京", "CN=Ærøskøbing 東京"],
	])("of %j are escaped as AD does", (name, leaf) => {
		directory.rename(ann, name);
		expect(directory.get(`${leaf},${home}`)?.dn).toBe(`${leaf},${home}`);
	});

	it("keep the primary group out of member and memberOf, and turn the old one into an ordinary one", () => {
		directory.modify(ann, { primaryGroupID: 515 });
		expect(texts(ann, "memberOf")).toContain(`CN=Domain Users,CN=Users,${BASE}`);
		expect(texts(ann, "memberOf")).not.toContain(`CN=Domain Computers,CN=Users,${BASE}`);
	});
});

describe("a deleted object", () => {
	it("is a tombstone with what AD keeps, under CN=Deleted Objects, and gone from its groups", () => {
		const { guid } = directory.get(ann) as Shown;
		directory.delete(ann);
		const tombstone = directory.get(`<GUID=${guid}>`) as Shown;
		expect(tombstone.dn).toBe(`CN=Ann\\0ADEL:${guid},CN=Deleted Objects,${BASE}`);
		expect([...tombstone.attributes.keys()].sort()).toEqual(
			"cn distinguishedName instanceType isDeleted isRecycled lastKnownParent name objectClass objectGUID objectSid sAMAccountName uSNChanged uSNCreated userAccountControl whenChanged whenCreated"
				.split(" ")
				.sort(),
		);
		expect(text(tombstone, "lastKnownParent")).toBe(home);
		expect(text(tombstone, "name")).toBe(`Ann\nDEL:${guid}`);
		expect(texts(team, "member")).toBeUndefined();
		expect(texts(bob, "manager")).toBeUndefined();
	});

	it("comes back with its GUID and SID, and without what the tombstone had lost", () => {
		const before = directory.get(ann) as Shown;
		directory.delete(ann);
		directory.restore(before.guid, ann);
		const after = directory.get(ann) as Shown;
		expect(after.guid).toBe(before.guid);
		expect(after.attributes.get("objectSid")).toEqual(before.attributes.get("objectSid"));
		expect(text(after, "objectCategory")).toBe(`CN=Person,CN=Schema,CN=Configuration,${BASE}`);
		expect(after.attributes.has("mail")).toBe(false);
		expect(after.attributes.has("memberOf")).toBe(false);
	});

	it("frees its name: another one gets a GUID of its own", () => {
		const before = directory.get(ann) as Shown;
		directory.delete(ann);
		const after = directory.add(ann, { objectClass: "user", sAMAccountName: `ann${round}` });
		expect(after.guid).not.toBe(before.guid);
		expect(codeOf(() => directory.restore(before.guid, ann))).toBe(68);
	});

	describe("over LDAP", () => {
		let wire: Wire;
		const tombstones = async (controls: string[]): Promise<number> => {
			const { entries } = await wire.search({ base: BASE, filter: `(&(isDeleted=TRUE)(sAMAccountName=ann${round}))`, controls });
			return entries.length;
		};

		beforeEach(async () => {
			wire = await openWire(demo.address);
			await wire.bind(demo.bindUser, demo.bindPassword);
			directory.delete(ann);
			return () => wire.close();
		});

		it("is seen only with control 417 and by an account that may", async () => {
			expect(await tombstones([])).toBe(0);
			expect(await tombstones([SHOW_DELETED])).toBe(0);
			directory.setRights(demo.bindUser, { mayReadDeleted: true });
			expect(await tombstones([SHOW_DELETED])).toBe(1);
			expect(await tombstones([])).toBe(0);
			directory.setRights(demo.bindUser, { mayReadDeleted: false });
		});

		it("has a container that is not there (32) for who may not read it", async () => {
			const question = { base: `CN=Deleted Objects,${BASE}`, scope: "base", controls: [SHOW_DELETED] } as const;
			expect((await wire.search(question)).code).toBe(32);
			await wire.bind(demo.admin.user, demo.admin.password);
			expect((await wire.search(question)).code).toBe(0);
		});
	});
});

describe("the demo directory refuses", () => {
	it.each<[string, number, () => void]>([
		["a second object of one name", 68, () => directory.add(ann, { objectClass: "user", sAMAccountName: "other" })],
		["a sAMAccountName that is taken", 68, () => directory.add(`CN=X,${home}`, { objectClass: "user", sAMAccountName: `ANN${round}` })],
		["an object under nothing", 32, () => directory.add(`CN=X,OU=Nowhere,${BASE}`, { objectClass: "user" })],
		["an object of no known class", 65, () => directory.add(`CN=X,${home}`, { objectClass: "unicorn" })],
		["an OU named by CN", 64, () => directory.add(`CN=X,${home}`, { objectClass: "organizationalUnit" })],
		["an unknown attribute", 16, () => directory.modify(ann, { unicornName: "x" })],
		["a number that is none", 21, () => directory.modify(ann, { userAccountControl: "many" })],
		["two values for a single-valued attribute", 19, () => directory.modify(ann, { title: ["a", "b"] })],
		["a value that is there", 20, () => directory.addValues(team, "member", [ann])],
		["taking away a value that is not", 16, () => directory.removeValues(team, "member", [bob])],
		["a member that does not exist", 32, () => directory.addValues(team, "member", [`CN=Nobody,${BASE}`])],
		["writing what the directory keeps itself", 53, () => directory.modify(ann, { objectGUID: "x" })],
		["writing memberOf", 53, () => directory.modify(ann, { memberOf: team })],
		["changing the name by a modify", 67, () => directory.modify(ann, { cn: "Anna" })],
		["deleting a container with something in it", 66, () => directory.delete(home)],
		["moving an OU beneath itself", 53, () => directory.move(home, home)],
		["a rename onto another's name", 68, () => directory.rename(ann, "Bob")],
	])("%s with code %i, and changes nothing", (_, code, act) => {
		const before = directory.highestUsn();
		expect(codeOf(act)).toBe(code);
		expect(directory.highestUsn()).toBe(before);
	});

	it("all of a modification when a part of it is wrong", () => {
		expect(codeOf(() => directory.modify(ann, { title: "Head", userAccountControl: "many" }))).toBe(21);
		expect(text(directory.get(ann), "title")).toBe("Clerk");
	});
});

describe("account types", () => {
	it.each([
		["user", {}, "805306368"],
		["computer", {}, "805306369"],
		["user", { userAccountControl: 0x0820 }, "805306370"],
		["msDS-GroupManagedServiceAccount", {}, "805306369"],
		["group", {}, "268435456"],
		["group", { groupType: 2 }, "268435457"],
		["group", { groupType: -2147483644 }, "536870912"],
		["contact", {}, undefined],
	])("of a %s with %j is %s", (objectClass, attributes, expected) => {
		const { dn } = directory.add(`CN=Typed,${home}`, {
			objectClass,
			...(objectClass !== "contact" && { sAMAccountName: `typed${round}` }),
			...attributes,
		});
		expect(text(directory.get(dn), "sAMAccountType")).toBe(expected);
	});
});

describe("answers over LDAP", () => {
	let wire: Wire;

	beforeEach(async () => {
		wire = await openWire(demo.address);
		await wire.bind(demo.admin.user, demo.admin.password);
		return () => wire.close();
	});

	const read = async (dn: string, attribute: string): Promise<string[]> => {
		const { entries } = await wire.search({ base: `<GUID=${directory.get(dn)?.guid}>`, scope: "base", attributes: [attribute] });
		return (entries[0]?.attributes.get(attribute) ?? []).map(String);
	};

	it("are never older than the last write, to the object or to one that it names", async () => {
		expect(await read(ann, "title")).toEqual(["Clerk"]);
		directory.modify(ann, { title: "Head" });
		expect(await read(ann, "title")).toEqual(["Head"]);
		expect(await read(bob, "manager")).toEqual([ann]);
		directory.rename(ann, "Anna");
		expect(await read(bob, "manager")).toEqual([`CN=Anna,${home}`]);
		expect(await read(bob, "memberOf")).toEqual([]);
		directory.addValues(team, "member", [bob]);
		expect(await read(bob, "memberOf")).toEqual([team]);
		directory.delete(team);
		expect(await read(bob, "memberOf")).toEqual([]);
		directory.delete(`CN=Anna,${home}`);
		expect(await read(bob, "manager")).toEqual([]);
	});

	it("give tokenGroups with every group around, nested and primary", async () => {
		const count = async (): Promise<number> => (await read(ann, "tokenGroups")).length;
		expect(await count()).toBe(2);
		directory.add(`CN=Outer,${home}`, { objectClass: "group", sAMAccountName: `outer${round}`, member: team });
		expect(await count()).toBe(3);
	});

	it("refuse a sAMAccountName taken away, and a paged-results control that is none", async () => {
		expect(codeOf(() => directory.modify(ann, { sAMAccountName: undefined }))).toBe(65);
		const broken = new BerWriter().open().text("1.2.840.113556.1.4.319").boolean(true).text("x").close().finish();
		const body = new BerWriter().open().integer(99).open(0x63).text(home).integer(2, 0x0a).integer(0, 0x0a).integer(0).integer(0);
		body.boolean(false).text("cn", 0x87).open().close().close().open(0xa0).raw(broken).close().close();
		const answered = wire.expect(99);
		wire.sendRaw(body.finish());
		expect(await answered).toMatchObject({ code: 2 });
	});
});

describe("a domain controller that was restored", () => {
	it("runs its USN backwards and keeps its invocationId, or gets another one when it was done right", async () => {
		const wire = await openWire(demo.address);
		await wire.bind(demo.bindUser, demo.bindPassword);
		const read = async (): Promise<[string | undefined, string | undefined]> => {
			const { entries } = await wire.search({ base: "", scope: "base", attributes: ["highestCommittedUSN", "dsServiceName"] });
			const [usn, service] = ["highestCommittedUSN", "dsServiceName"].map((name) => entries[0]?.attributes.get(name)?.[0]?.toString());
			const found = await wire.search({ base: service ?? "", scope: "base", attributes: ["invocationId"] });
			return [usn, found.entries[0]?.attributes.get("invocationId")?.[0]?.toString("hex")];
		};
		const [usn, invocation] = await read();
		directory.rollBackUsn(Number(usn) - 10);
		expect(await read()).toEqual([String(Number(usn) - 10), invocation]);
		directory.renewInvocationId();
		expect((await read())[1]).not.toBe(invocation);
		wire.close();
	});
});
