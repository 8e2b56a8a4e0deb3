import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../../src/core/account.ts";
import { type Faults, type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { enterprise } from "../../support/scim-double-rules.ts";
import { accountOf, anchorOf, deliveryOf, never, openTarget } from "../../support/scim-options.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

const account = accountOf(1, { title: "Dr.", department: "Research", employeeNumber: "7" });

async function made(faults: Partial<Faults>, wanted: Account = account) {
	Object.assign(server.how, faults);
	const { apply, target } = openTarget(server.url);
	const result = await apply(deliveryOf(1, { wanted }));
	const remoteId = result.kind === "applied" ? result.remoteId : "";
	return { apply, target, remoteId, result, body: server.of("POST")[0]?.body };
}

describe("a server's own documents", () => {
	it("are read once, by however many at once", async () => {
		const { create } = openTarget(server.url);
		await Promise.all([1, 2, 3, 4].map((number) => create(number)));
		const documents = server.came.filter(({ path }) => /Config|Types|Schemas/.test(path)).map(({ path }) => path);
		expect(documents.sort()).toEqual(["/ResourceTypes", "/Schemas", "/ServiceProviderConfig"]);
	});

	it.each(["none", "garbage"] as const)("need not be there: %s", async (documents) => {
		const { body, result } = await made({ documents });
		expect(result.kind).toBe("applied");
		expect(body).toMatchObject({ title: "Dr.", [enterprise]: { department: "Research" } });
	});

	it("are not believed where only a first page of them comes", async () => {
		const { body } = await made({ documents: "a first page" });
		expect(body).toMatchObject({ [enterprise]: { department: "Research" } });
	});

	it.each(["all", "none"] as const)("say that there are no groups, or its answer does: %s", async (documents) => {
		Object.assign(server.how, { hasGroups: false, documents });
		const { target } = openTarget(server.url);
		const wanted = { displayName: "Sales" };
		const delivery = { anchor: anchorOf(9), remoteId: undefined, wanted, applied: undefined, added: [], removed: [], key: "1" };
		expect(await target.groups?.find(anchorOf(9), wanted, never)).toBeUndefined();
		expect(await target.groups?.apply(delivery, never)).toMatchObject({ kind: "refused", error: expect.stringContaining("groups") });
		expect(server.of("POST")).toHaveLength(documents === "all" ? 0 : 1);
	});

	it("keep attributes away that the server does not have, and tell them as not kept", async () => {
		const { body, result, target, remoteId } = await made({ attributes: { title: undefined } });
		expect(result.kind).toBe("applied");
		expect(body).not.toHaveProperty("title");
		expect((await target.reader?.read(remoteId, never))?.untold).toEqual(["title"]);
	});

	it("keep a whole extension away that the server does not have", async () => {
		const { body, result } = await made({ hasEnterprise: false });
		expect(result.kind).toBe("applied");
		expect(body).toMatchObject({ schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"] });
		expect(body).not.toHaveProperty([enterprise]);
	});

	it("keep what only the server writes away, and what cannot change from changes", async () => {
		const { apply, remoteId, body } = await made({ attributes: { employeeNumber: "readOnly", title: "immutable" } });
		expect(body).toMatchObject({ title: "Dr.", [enterprise]: { department: "Research" } });
		expect(body?.[enterprise]).not.toHaveProperty("employeeNumber");
		const wanted = accountOf(1, { title: "Prof.", department: "Sales", employeeNumber: "8" });
		expect(await apply(deliveryOf(1, { remoteId, applied: account, wanted }))).toMatchObject({ kind: "applied" });
		expect(server.of("PATCH").flatMap((request) => request.body?.["Operations"])).toEqual([
			{ op: "replace", path: `${enterprise}:department`, value: "Sales" },
		]);
	});

	it("never keep `active` away: who is to be disabled is, or the server refuses it", async () => {
		const { result } = await made({ attributes: { active: undefined } });
		expect(result).toMatchObject({ kind: "refused", error: expect.stringContaining("active") });
	});

	it.each([
		{ patch: "not supported", methods: ["GET", "PUT"] },
		{ patch: "405", methods: ["PATCH", "GET", "PUT"] },
		{ patch: "404", methods: ["PATCH", "GET", "PATCH", "GET", "PUT"] },
	] as const)("say that there is no PATCH, or its answer does: $patch", async ({ patch, methods }) => {
		const { apply, remoteId } = await made({ patch });
		server.came.length = 0;
		const wanted = { ...account, title: "Prof." };
		expect(await apply(deliveryOf(1, { remoteId, applied: account, wanted }))).toMatchObject({ kind: "applied" });
		expect(server.came.map(({ method }) => method)).toEqual(methods);
		server.came.length = 0;
		expect(await apply(deliveryOf(1, { remoteId, applied: wanted, wanted: account }))).toMatchObject({ kind: "applied" });
		if (patch !== "404") expect(server.came.map(({ method }) => method)).toEqual(["GET", "PUT"]);
		expect(server.users.get(remoteId)).toMatchObject({ externalId: anchorOf(1), title: "Dr." });
	});
});
