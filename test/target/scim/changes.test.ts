import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../../src/core/account.ts";
import type { Anchor } from "../../../src/core/entry.ts";
import type { ScimOptions } from "../../../src/target/scim/options.ts";
import type { RemoteAccount } from "../../../src/target/target.ts";
import { type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { core, enterprise } from "../../support/scim-double-rules.ts";
import { accountOf, anchorOf, deliveryOf, never, openTarget } from "../../support/scim-options.ts";
import { startScimmy } from "../../support/scimmy.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const full = accountOf(1, {
	name: { givenName: "Anna", familyName: "Kowalska" },
	title: "Dr.",
	department: "Research",
	employeeNumber: "0123",
	phoneNumbers: [{ value: "+44 20 7946 0000", type: "work" }],
	manager: anchorOf(9),
	features: ["archive-search"],
	policies: { "external-mail": "block" },
});

/** What one change sends, from what was applied to what is wanted. */
async function sent(applied: Account, wanted: Account, options: Partial<ScimOptions> = {}, more = {}) {
	const { apply } = openTarget(server.url, options);
	const first = await apply(deliveryOf(1, { wanted: applied, managerId: applied.manager && "m-1" }));
	if (first.kind !== "applied") throw new Error(first.error);
	server.came.length = 0;
	const result = await apply(deliveryOf(1, { remoteId: first.remoteId, applied, wanted, managerId: wanted.manager && "m-1", ...more }));
	expect(result).toEqual(first);
	return server.of("changing").map(({ method, body }) => ({ method, body }));
}

describe("a create", () => {
	it("has everything that the account has, and nothing without a value", async () => {
		const { apply } = openTarget(server.url);
		await apply(deliveryOf(1, { wanted: full, managerId: "m-1" }));
		expect(server.of("POST")[0]?.body).toEqual({
			schemas: [core, enterprise],
			userName: "p1@corp.example.test",
			externalId: anchorOf(1),
			displayName: "Person 1",
			name: { givenName: "Anna", familyName: "Kowalska" },
			emails: [{ value: "p1@corp.example.test", type: "work", primary: true }],
			active: true,
			title: "Dr.",
			phoneNumbers: [{ value: "+44 20 7946 0000", type: "work" }],
			[enterprise]: { department: "Research", employeeNumber: "0123", manager: { value: "m-1" } },
			entitlements: [{ value: "archive-search" }],
			roles: [{ value: "block", type: "external-mail" }],
		});
		expect(server.of("POST")[0]?.headers["content-type"]).toBe("application/scim+json");
	});

	it("has no manager who is not at the target yet", async () => {
		const { apply } = openTarget(server.url);
		await apply(deliveryOf(1, { wanted: accountOf(1, { manager: anchorOf(9) }) }));
		expect(server.of("POST")[0]?.body).not.toHaveProperty([enterprise]);
	});

	it("is read back just as it was wanted", async () => {
		const { apply, target } = openTarget(server.url);
		const result = await apply(deliveryOf(1, { wanted: full, managerId: "m-1" }));
		const remoteId = result.kind === "applied" ? result.remoteId : "";
		const account = { ...full, manager: "m-1" as Anchor };
		expect(await target.reader?.read(remoteId, never)).toEqual({ remoteId, anchor: anchorOf(1), account } satisfies RemoteAccount);
	});

	it("comes as application/json where the other is not known", async () => {
		server.how.mediaType = "application/json";
		const { create } = openTarget(server.url);
		await create(1);
		await create(2);
		expect(server.of("POST").map(({ headers }) => headers["content-type"])).toEqual([
			"application/scim+json",
			"application/json",
			"application/json",
		]);
	});
});

describe("a change", () => {
	it.each([
		{
			what: "disables",
			from: full,
			to: { ...full, active: false },
			path: [{ op: "replace", path: "active", value: false }],
			noPath: [{ op: "replace", value: { active: false } }],
		},
		{
			what: "marries",
			from: full,
			to: { ...full, name: { givenName: "Anna", familyName: "Nowak" } },
			path: [{ op: "replace", path: "name.familyName", value: "Nowak" }],
			noPath: [{ op: "replace", value: { name: { familyName: "Nowak" } } }],
		},
		{
			what: "moves",
			from: full,
			to: { ...full, department: "Sales", title: "Prof." },
			path: [
				{ op: "replace", path: "title", value: "Prof." },
				{ op: "replace", path: `${enterprise}:department`, value: "Sales" },
			],
			noPath: [{ op: "replace", value: { title: "Prof.", [enterprise]: { department: "Sales" } } }],
		},
		{
			what: "gets an address more",
			from: accountOf(1),
			to: accountOf(1, {
				emails: [
					{ value: "a@b.test", type: "work", primary: true },
					{ value: "c@b.test", type: "other" },
				],
			}),
			path: [
				{
					op: "replace",
					path: "emails",
					value: [
						{ value: "a@b.test", type: "work", primary: true },
						{ value: "c@b.test", type: "other" },
					],
				},
			],
			noPath: [
				{
					op: "replace",
					value: {
						emails: [
							{ value: "a@b.test", type: "work", primary: true },
							{ value: "c@b.test", type: "other" },
						],
					},
				},
			],
		},
		{
			what: "loses a title, the last feature and the manager",
			from: full,
			to: (({ title: _, features: __, manager: ___, ...rest }) => rest)(full),
			path: [
				{ op: "remove", path: "title" },
				{ op: "remove", path: `${enterprise}:manager` },
				{ op: "remove", path: "entitlements" },
			],
			noPath: [
				{ op: "remove", path: "title" },
				{ op: "remove", path: `${enterprise}:manager` },
				{ op: "remove", path: "entitlements" },
			],
		},
	])("is as small as it can be: $what", async ({ from, to, path, noPath }) => {
		expect(await sent(from, to)).toEqual([
			{ method: "PATCH", body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: path } },
		]);
		server.reset();
		expect(await sent(from, to, { dialect: "no-path" })).toMatchObject([{ method: "PATCH", body: { Operations: noPath } }]);
	});

	it("is the whole as it is there, with what others put, where it is PUT", async () => {
		const { apply, create } = openTarget(server.url, { dialect: "put" });
		const remoteId = await create(1);
		server.users.set(remoteId, { ...server.users.get(remoteId), roles: [{ value: "admin" }], groups: [{ value: "g" }] });
		const options = { dialect: "put", features: undefined, policies: undefined } as const;
		const { apply: applyOther } = openTarget(server.url, options);
		await applyOther(deliveryOf(1, { remoteId, applied: accountOf(1), wanted: accountOf(1, { active: false }) }));
		expect(server.of("PUT")[0]?.body).toEqual({
			schemas: [core],
			externalId: anchorOf(1),
			...accountOf(1, { active: false }),
			roles: [{ value: "admin" }],
		});
		expect(await apply(deliveryOf(1, { remoteId, wanted: accountOf(1, { active: false }) }))).toMatchObject({ kind: "applied" });
	});

	it("of nothing sends nothing", async () => {
		expect(await sent(full, full)).toEqual([]);
		expect(server.came).toEqual([]);
	});

	it("of what is there already sends nothing, whatever case and order the server keeps it in", async () => {
		server.how.isLowerCasing = true;
		const { apply } = openTarget(server.url);
		const account = accountOf(1, {
			userName: "Anna.K@Corp.example.test",
			phoneNumbers: [
				{ value: "+44 20 7946 0000", type: "work" },
				{ value: "+44 7700 900000", type: "mobile" },
			],
		});
		const made = await apply(deliveryOf(1, { wanted: account }));
		const remoteId = made.kind === "applied" ? made.remoteId : "";
		const user = server.users.get(remoteId) ?? {};
		server.users.set(remoteId, {
			...user,
			phoneNumbers: [
				{ value: "tel:+447700900000", type: "mobile" },
				{ value: "+442079460000", type: "work" },
			],
		});
		await apply(deliveryOf(1, { remoteId, wanted: account }));
		expect(server.of("changing")).toHaveLength(1);
	});

	it("of the case alone is sent when it is known that it was another", async () => {
		const wanted = accountOf(1, { userName: "P1@corp.example.test" });
		expect(await sent(accountOf(1), wanted)).toHaveLength(1);
		server.reset();
		expect(await sent(accountOf(1), wanted, { dialect: "put" })).toHaveLength(1);
	});

	it("brings the externalId along when the person came from another source", async () => {
		const { apply, create } = openTarget(server.url);
		const remoteId = await create(1);
		await apply(deliveryOf(2, { remoteId, wanted: accountOf(1), applied: accountOf(1), appliedAnchor: anchorOf(1) }));
		expect(server.of("PATCH")[0]?.body?.["Operations"]).toEqual([{ op: "replace", path: "externalId", value: anchorOf(2) }]);
	});

	it.each([
		{ who: "is not known to be disabled", isActiveShown: false, sent: 1 },
		{ who: "is shown as enabled", isActiveShown: true, sent: 0 },
	])("enables who $who", async ({ isActiveShown, sent }) => {
		server.how.isActiveShown = isActiveShown;
		const { apply, create } = openTarget(server.url);
		const remoteId = await create(1);
		await apply(deliveryOf(1, { remoteId }));
		expect(server.of("PATCH")).toHaveLength(sent);
	});

	it.each([
		{ manager: "who was another one", applied: anchorOf(8), managerId: undefined, op: "remove" },
		{ manager: "who is the same", applied: anchorOf(9), managerId: undefined, op: undefined },
		{ manager: "who has come to the target", applied: undefined, managerId: "m-9", op: "replace" },
	])("of a manager $manager", async ({ applied, managerId, op }) => {
		const before = accountOf(1, applied && { manager: applied });
		const operations = (await sent(before, accountOf(1, { manager: anchorOf(9) }), {}, { managerId })).flatMap(
			({ body }) => body?.["Operations"],
		);
		expect(operations.map((operation) => (operation as { op: string }).op)).toEqual(op === undefined ? [] : [op]);
	});

	it("leaves a manager alone who is shown while the one that is wanted is not there yet", async () => {
		const { apply, create } = openTarget(server.url);
		const remoteId = await create(1);
		server.users.set(remoteId, { ...server.users.get(remoteId), [enterprise]: { manager: { value: "m-8" } } });
		await apply(deliveryOf(1, { remoteId, wanted: accountOf(1, { manager: anchorOf(9) }) }));
		expect(server.of("PATCH")).toEqual([]);
		await apply(deliveryOf(1, { remoteId, wanted: accountOf(1) }));
		expect(server.of("PATCH").map(({ body }) => body?.["Operations"])).toEqual([[{ op: "remove", path: `${enterprise}:manager` }]]);
	});

	it.each([true, false])("takes away what is gone already, be that an error (%s) or not", async (isStrictlyRemoving) => {
		server.how.isStrictlyRemoving = isStrictlyRemoving;
		const { apply, create } = openTarget(server.url);
		const remoteId = await create(1);
		const applied = accountOf(1, { title: "Dr.", department: "Research" });
		expect(await apply(deliveryOf(1, { remoteId, applied, wanted: accountOf(1) }))).toEqual({ kind: "applied", remoteId });
	});

	it("follows an account whose id is its userName, whatever is in it", async () => {
		server.how.id = "userName";
		const { apply, target } = openTarget(server.url);
		const account = accountOf(1, { userName: "ann/ä b@corp?x=1" });
		const made = await apply(deliveryOf(1, { wanted: account }));
		expect(made).toEqual({ kind: "applied", remoteId: "ann/ä b@corp?x=1" });
		const wanted = { ...account, userName: "ann%b" };
		const result = await apply(deliveryOf(1, { remoteId: "ann/ä b@corp?x=1", applied: account, wanted }));
		expect(result).toEqual({ kind: "applied", remoteId: "ann%b" });
		expect(await target.reader?.read("ann%b", never)).toMatchObject({ account: { userName: "ann%b" } });
	});
});

describe("versions", () => {
	it("are minded: what has changed meanwhile is read again", async () => {
		server.how.etag = "kept";
		const { apply, create } = openTarget(server.url, { dialect: "put" });
		const remoteId = await create(1);
		let times = 0;
		const users = server.users;
		const get = users.get.bind(users);
		// Somebody else writes after the first reading.
		users.get = (id) => {
			const user = get(id);
			if (++times === 2) users.set(id, { ...user, displayName: "Theirs", roles: [{ value: "theirs" }], meta: { version: 7 } });
			return get(id);
		};
		const { apply: without } = openTarget(server.url, { dialect: "put", policies: undefined });
		const result = await without(deliveryOf(1, { remoteId, wanted: accountOf(1, { title: "Dr." }) }));
		users.get = get;
		expect(result).toEqual({ kind: "applied", remoteId });
		expect(server.users.get(remoteId)).toMatchObject({ title: "Dr.", displayName: "Person 1", roles: [{ value: "theirs" }] });
		expect(server.of("PUT").map(({ headers }) => headers["if-match"])).toEqual(['W/"1"', 'W/"7"']);
		expect(await apply(deliveryOf(1, { remoteId, wanted: undefined, kind: "delete" }))).toMatchObject({ kind: "applied" });
	});

	it("are named to who wants them for everything", async () => {
		server.how.etag = "wanted";
		const { apply, create } = openTarget(server.url);
		const remoteId = await create(1);
		const wanted = accountOf(1, { title: "Dr." });
		expect(await apply(deliveryOf(1, { remoteId, applied: accountOf(1), wanted }))).toEqual({ kind: "applied", remoteId });
		expect(await apply(deliveryOf(1, { remoteId, applied: wanted, wanted: undefined, kind: "delete" }))).toEqual({
			kind: "applied",
			remoteId,
		});
	});
});

describe("features and policies", () => {
	const urn = "urn:example:params:scim:schemas:extension:mail:2.0:User";
	const account = accountOf(1, { features: ["archive", "large"], policies: { mail: "block", web: "allow" } });
	const text = (name: string, multiValued: boolean) => ({ name, type: "string", multiValued, mutability: "readWrite" }) as const;
	it.each([
		{
			where: "both in entitlements",
			options: { features: "entitlements", policies: "entitlements" },
			expected: {
				entitlements: [{ value: "archive" }, { value: "large" }, { value: "block", type: "mail" }, { value: "allow", type: "web" }],
			},
		},
		{
			where: "in an extension's lists of texts",
			options: { features: `${urn}:features`, policies: `${urn}:policies` },
			extension: { urn, attributes: [text("features", true), text("policies", true)] },
			expected: { [urn]: { features: ["archive", "large"], policies: ["mail=block", "web=allow"] } },
		},
		{
			where: "in an extension's texts",
			options: { features: `${urn}:features`, policies: `${urn}:policies` },
			extension: { urn, attributes: [text("features", false), text("policies", false)] },
			expected: { [urn]: { features: "archive,large", policies: "mail=block,web=allow" } },
		},
	])("go and come back: $where", async ({ options, extension, expected }) => {
		server.how.extension = extension;
		const { apply, target } = openTarget(server.url, options);
		const result = await apply(deliveryOf(1, { wanted: account }));
		const remoteId = result.kind === "applied" ? result.remoteId : "";
		expect(server.users.get(remoteId)).toMatchObject(expected);
		expect(await target.reader?.read(remoteId, never)).toEqual({ remoteId, anchor: anchorOf(1), account });
		// Letter for letter the same: nothing to send.
		await apply(deliveryOf(1, { remoteId, wanted: account }));
		expect(server.of("changing")).toHaveLength(1);
	});

	it("stay away where nothing is configured for them, and are told as not kept", async () => {
		const { apply, target } = openTarget(server.url, { features: undefined, policies: undefined });
		const result = await apply(deliveryOf(1, { wanted: account }));
		const remoteId = result.kind === "applied" ? result.remoteId : "";
		expect(Object.keys(server.users.get(remoteId) ?? {})).not.toContain("entitlements");
		expect((await target.reader?.read(remoteId, never))?.untold).toEqual(["features", "policies"]);
	});
});

describe("a server from another hand (scimmy)", () => {
	it("keeps all that an account has, and each change of it", async () => {
		const peer = await startScimmy();
		const { apply, target } = openTarget(peer.url, { auth: { kind: "bearer", token: () => peer.token } });
		const made = await apply(deliveryOf(1, { wanted: full, managerId: "m-1" }));
		expect(made).toEqual({ kind: "applied", remoteId: expect.any(String) });
		const remoteId = made.kind === "applied" ? made.remoteId : "";
		const { title: _, features: __, ...fewer } = full;
		const { employeeNumber: ___, manager: ____, policies: _____, phoneNumbers: ______, ...fewest } = fewer;
		let applied: Account = full;
		for (const [wanted, managerId] of [
			[{ ...full, department: "Sales", manager: anchorOf(8), features: ["large", "more"] }, "m-8"],
			[{ ...fewer, name: { familyName: "Nowak" } }, "m-1"],
			[fewest, undefined],
		] as const) {
			expect(await apply(deliveryOf(1, { remoteId, applied, wanted, managerId }))).toEqual({ kind: "applied", remoteId });
			const account = managerId === undefined ? wanted : { ...wanted, manager: managerId as Anchor };
			expect(await target.reader?.read(remoteId, never)).toEqual({ remoteId, anchor: anchorOf(1), account });
			applied = wanted;
		}
		await peer.close();
	});
});
