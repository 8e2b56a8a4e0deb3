import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ScimOptions } from "../../../src/target/scim/options.ts";
import type { GroupDelivery, GroupTarget } from "../../../src/target/target.ts";
import { type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { anchorOf, never, openTarget } from "../../support/scim-options.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

function open(options: Partial<ScimOptions> = {}): GroupTarget {
	const { target } = openTarget(server.url, options);
	if (target.groups === undefined) throw new Error("no groups");
	return target.groups;
}

/** Accounts at the server, as members. */
function people(count: number) {
	return Array.from({ length: count }, (_, index) => {
		const number = index + 1;
		return { anchor: anchorOf(number), remoteId: server.plant({ userName: `p${number}`, externalId: anchorOf(number) }) };
	});
}

function groupOf(more: Partial<GroupDelivery> = {}): GroupDelivery {
	const wanted = { displayName: "Sales" };
	return { anchor: anchorOf(1001), remoteId: undefined, wanted, applied: undefined, added: [], removed: [], key: "1", ...more };
}

function membersOf(remoteId: string): readonly string[] {
	return ((server.groups.get(remoteId)?.["members"] ?? []) as { value: string }[]).map(({ value }) => value).sort();
}

async function make(groups: GroupTarget, added: GroupDelivery["added"]): Promise<string> {
	const result = await groups.apply(groupOf({ added }), never);
	if (result.kind !== "applied") throw new Error(result.error);
	return result.remoteId;
}

function operationsOf(body: ScimDouble["came"][number]["body"]) {
	return (body?.["Operations"] ?? []) as { op: string; path?: string; value?: unknown[] }[];
}

const ids = (members: GroupDelivery["added"]): readonly string[] => members.map(({ remoteId }) => remoteId).sort();

describe("a group at a server that takes it only as a whole", () => {
	const put = { dialect: "put" } as const;

	it.each([false, "as none"] as const)(
		"and does not show who is in it (%s), is refused before anybody can be lost",
		async (areMembersShown) => {
			const members = people(4);
			Object.assign(server.how, { areMembersShown, patch: "405" });
			const groups = open(put);
			const result = await groups.apply(groupOf({ added: members.slice(0, 2) }), never);
			expect(result).toMatchObject({ kind: "refused", error: expect.stringContaining("does not show who is in them") });
			const [remoteId = ""] = server.groups.keys();
			const before = membersOf(remoteId);
			expect(await groups.apply(groupOf({ remoteId, added: members.slice(2) }), never)).toMatchObject({ kind: "refused" });
			expect(membersOf(remoteId)).toEqual(before);
		},
	);

	it("and was there before us, is not touched as long as nobody knows whether it shows who is in it", async () => {
		const members = people(2);
		const remoteId = await make(open(), members);
		server.groups.set(remoteId, { ...server.groups.get(remoteId), externalId: "another" });
		Object.assign(server.how, { areMembersShown: false, patch: "405" });
		expect(await open(put).apply(groupOf({ remoteId, removed: members.slice(1) }), never)).toMatchObject({ kind: "refused" });
		expect(membersOf(remoteId)).toEqual(ids(members));
	});

	it.each([false, "as none"] as const)(
		"as it is said of it, and does not show who is in it (%s), is changed by parts",
		async (areMembersShown) => {
			const members = people(6);
			server.how.areMembersShown = areMembersShown;
			const remoteId = await make(open(put), members.slice(0, 4));
			// After a start, when nobody remembers.
			const result = await open(put).apply(groupOf({ remoteId, added: members.slice(4), removed: members.slice(0, 1) }), never);
			expect(result).toMatchObject({ kind: "applied" });
			expect(membersOf(remoteId)).toEqual(ids(members.slice(1)));
			const renamed = { ...groupOf({ remoteId }), wanted: { displayName: "New" } };
			expect(await open(put).apply(renamed, never)).toMatchObject({ kind: "applied" });
			expect(server.groups.get(remoteId)?.["displayName"]).toBe("New");
			expect(membersOf(remoteId)).toEqual(ids(members.slice(1)));
		},
	);

	it("and shows who is in it, keeps everybody, chunk after chunk", async () => {
		const members = people(6);
		const groups = open(put);
		const remoteId = await make(groups, members.slice(0, 3));
		expect(await groups.apply(groupOf({ remoteId, added: members.slice(3) }), never)).toMatchObject({ kind: "applied" });
		expect(membersOf(remoteId)).toEqual(ids(members));
	});
});

describe("a group", () => {
	it("is made empty and filled in chunks, without a look at who is in it", async () => {
		const members = people(25);
		const remoteId = await make(open({ memberBatch: 10 }), members);
		expect(membersOf(remoteId)).toEqual(ids(members));
		expect(server.of("POST")[0]?.body).not.toHaveProperty("members");
		expect(server.of("PATCH").map(({ body }) => operationsOf(body)[0]?.value?.length)).toEqual([10, 10, 5]);
		expect(server.came.filter(({ method, path }) => method === "GET" && path.startsWith("/Groups/"))).toEqual([]);
	});

	it.each(["path", "no-path", "put"] as const)("keeps the members that are not spoken of, in the dialect %s", async (dialect) => {
		const members = people(6);
		const groups = open({ dialect });
		const remoteId = await make(groups, members.slice(0, 3));
		const theirs = server.plant({ userName: "theirs" });
		const group = server.groups.get(remoteId) ?? {};
		server.groups.set(remoteId, { ...group, members: [...(group["members"] as unknown[]), { value: theirs }] });
		const result = await groups.apply(groupOf({ remoteId, added: members.slice(3), removed: members.slice(0, 2) }), never);
		expect(result).toEqual({ kind: "applied", remoteId });
		expect(membersOf(remoteId)).toEqual([...ids(members.slice(2)), theirs].sort());
		const sent = server.of("PATCH").flatMap(({ body }) => operationsOf(body));
		expect(sent.filter(({ op, path }) => (op === "replace" || path === "members" ? op !== "add" : false))).toEqual([]);
	});

	it.each([
		{ server: "keeps twice", faults: { isDuplicatingMembers: true } },
		{ server: "refuses", faults: { isRefusingMembers: true } },
	])("never has a member twice at a server that $server who is added twice", async ({ faults }) => {
		Object.assign(server.how, faults);
		const members = people(4);
		const remoteId = await make(open(), members.slice(0, 3));
		// Another process, after a crash: what has arrived is not known.
		const result = await open().apply(groupOf({ remoteId, added: members }), never);
		expect(result).toEqual({ kind: "applied", remoteId });
		expect(membersOf(remoteId)).toEqual(ids(members));
	});

	it.each(["cut", "500"] as const)("has each member once when answers are lost: %s", async (by) => {
		server.how.isDuplicatingMembers = true;
		const members = people(6);
		const groups = open({ memberBatch: 3 });
		server.how.lose = { method: "PATCH", times: 1, by };
		const remoteId = await make(groups, members);
		expect(membersOf(remoteId)).toEqual(ids(members));
	});

	it("is read once for all the chunks that are added to it", async () => {
		const members = people(9);
		const remoteId = await make(open(), members.slice(0, 1));
		const groups = open();
		server.came.length = 0;
		for (let at = 0; at < 9; at += 3)
			await groups.apply(groupOf({ remoteId, applied: { displayName: "Sales" }, added: members.slice(at, at + 3) }), never);
		expect(server.came.filter(({ method, path }) => method === "GET" && path.startsWith("/Groups/"))).toHaveLength(1);
		expect(membersOf(remoteId)).toEqual(ids(members));
	});

	it("gets all the others when the server refuses one of them, and says which", async () => {
		const members = people(8);
		const stranger = { anchor: anchorOf(99), remoteId: "nobody" };
		const groups = open();
		const result = await groups.apply(groupOf({ added: [...members.slice(0, 5), stranger, ...members.slice(5)] }), never);
		expect(result).toMatchObject({ kind: "refused", error: expect.stringContaining("member nobody: 400") });
		const [remoteId = ""] = server.groups.keys();
		expect(membersOf(remoteId)).toEqual(ids(members));
	});

	it("is filled by as many at once as the server takes", async () => {
		server.how.mostMembers = 7;
		const members = people(40);
		const remoteId = await make(open({ memberBatch: 20 }), members);
		expect(membersOf(remoteId)).toEqual(ids(members));
	});

	it("loses members who are not in it any more", async () => {
		const members = people(4);
		const remoteId = await make(open(), members.slice(0, 2));
		const result = await open().apply(groupOf({ remoteId, removed: members }), never);
		expect(result).toEqual({ kind: "applied", remoteId });
		expect(membersOf(remoteId)).toEqual([]);
	});

	it("gets members also where the server does not show whom it has", async () => {
		server.how.areMembersShown = false;
		const members = people(6);
		const remoteId = await make(open(), members.slice(0, 3));
		const groups = open();
		expect(await groups.apply(groupOf({ remoteId, added: members.slice(2) }), never)).toMatchObject({ kind: "applied" });
		expect(await groups.apply(groupOf({ remoteId, removed: members.slice(0, 1) }), never)).toMatchObject({ kind: "applied" });
		expect(membersOf(remoteId)).toEqual(ids(members.slice(1)));
	});

	it("loses members also where every group is shown as empty", async () => {
		const members = people(4);
		server.how.areMembersShown = "as none";
		const remoteId = await make(open(), members.slice(0, 3));
		const groups = open();
		expect(await groups.apply(groupOf({ remoteId, added: members.slice(3) }), never)).toMatchObject({ kind: "applied" });
		expect(await groups.apply(groupOf({ remoteId, removed: members.slice(0, 2) }), never)).toMatchObject({ kind: "applied" });
		expect(membersOf(remoteId)).toEqual(ids(members.slice(2)));
	});

	it("is found by externalId, then by its name", async () => {
		const groups = open();
		const remoteId = await make(groups, []);
		expect(await groups.find(anchorOf(1001), { displayName: "Other" }, never)).toMatchObject({ by: "external-id", remoteId });
		expect(await groups.find(anchorOf(1002), { displayName: "SALES" }, never)).toMatchObject({
			by: "attribute",
			remoteId,
			on: 'displayName "SALES"',
		});
		expect(await groups.find(anchorOf(1002), { displayName: "Other" }, never)).toBeUndefined();
	});

	it("is gone when it is not there any more", async () => {
		const members = people(1);
		const applied = { displayName: "Sales" };
		expect(await open().apply(groupOf({ remoteId: "g-1", applied, added: members }), never)).toMatchObject({ kind: "gone" });
		expect(await open().apply(groupOf({ remoteId: "g-1", applied, removed: members }), never)).toMatchObject({ kind: "gone" });
		expect(await open().apply(groupOf({ remoteId: "g-1", added: members }), never)).toMatchObject({ kind: "gone" });
	});

	it("gets a new name by one operation", async () => {
		const groups = open();
		const remoteId = await make(groups, []);
		await groups.apply(groupOf({ remoteId, applied: { displayName: "Sales" }, wanted: { displayName: "Sales and more" } }), never);
		expect(server.of("PATCH").map(({ body }) => body?.["Operations"])).toEqual([
			[{ op: "replace", path: "displayName", value: "Sales and more" }],
		]);
	});

	it("is written as a whole where there is no PATCH", async () => {
		server.how.patch = "405";
		const members = people(4);
		const groups = open();
		const remoteId = await make(groups, members.slice(0, 2));
		expect(await groups.apply(groupOf({ remoteId, added: members.slice(2), removed: members.slice(0, 1) }), never)).toMatchObject({
			kind: "applied",
		});
		expect(membersOf(remoteId)).toEqual(ids(members.slice(1)));
	});

	it("is listed with its members, also where a list does not show them", async () => {
		const members = people(3);
		const groups = open();
		const remoteId = await make(groups, members);
		const found: unknown[] = [];
		for await (const group of groups.list(never)) found.push({ ...group, members: [...group.members].sort() });
		expect(found).toEqual([{ remoteId, anchor: anchorOf(1001), group: { displayName: "Sales" }, members: ids(members) }]);
	});

	it("is not made where groups are not wanted", () => {
		expect(openTarget(server.url, { groups: false }).target.groups).toBeUndefined();
	});
});
