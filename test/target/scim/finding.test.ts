import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RemoteAccount } from "../../../src/target/target.ts";
import { type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { accountOf, anchorOf, deliveryOf, failureOf, makeTime, never, openTarget } from "../../support/scim-options.ts";
import { startScimmy } from "../../support/scimmy.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

function plantMany(count: number): void {
	for (let number = 1000; number < 1000 + count; number++) {
		server.plant({ ...accountOf(number), externalId: `theirs-${number}`, schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"] });
	}
}

async function all(target: ReturnType<typeof openTarget>["target"]): Promise<readonly RemoteAccount[]> {
	const found: RemoteAccount[] = [];
	for await (const remote of target.reader?.list(never) ?? []) found.push(remote);
	return found;
}

describe("an account that may be there already", () => {
	it("is found by externalId before anything else", async () => {
		const { target, create } = openTarget(server.url);
		const remoteId = await create(1);
		server.plant({ userName: "other@corp.example.test" });
		const found = await target.find(anchorOf(1), accountOf(1, { userName: "other@corp.example.test" }), never);
		expect(found).toMatchObject({ by: "external-id", on: `externalId "${anchorOf(1)}"`, remote: { remoteId }, isAmbiguous: false });
	});

	it.each([
		{ match: "userName", on: 'userName "P1@corp.example.test"' },
		{ match: "emails.value", on: 'emails.value "p1@corp.example.test"' },
		{ match: "employeeNumber", on: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber "7"' },
		{ match: "displayName", on: 'displayName "Person 1"' },
	])("is found by $match otherwise", async ({ match, on }) => {
		const { target } = openTarget(server.url, { match });
		const remoteId = server.plant({
			...accountOf(1),
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { employeeNumber: "7" },
		});
		const wanted = accountOf(1, { userName: "P1@corp.example.test", employeeNumber: "7" });
		expect(await target.find(anchorOf(1), wanted, never)).toMatchObject({ by: "attribute", on, remote: { remoteId, anchor: undefined } });
	});

	it("is asked for with quotes and backslashes as they are in a filter, one comparison at a time", async () => {
		const { target } = openTarget(server.url);
		server.plant({ ...accountOf(1), userName: 'o"b\\c' });
		expect(await target.find(anchorOf(1), accountOf(1, { userName: 'o"b\\c' }), never)).toMatchObject({ by: "attribute" });
		const filters = server.came.map(({ query }) => query.get("filter")).filter((filter) => filter !== null);
		expect(filters).toContain('userName eq "o\\"b\\\\c"');
		expect(filters.filter((filter) => / and | or /.test(filter))).toEqual([]);
	});

	it("is none of two that have the same value", async () => {
		const { target } = openTarget(server.url, { match: "displayName" });
		server.plant({ ...accountOf(1), displayName: "Anna" });
		server.plant({ ...accountOf(2), displayName: "Anna" });
		expect(await target.find(anchorOf(3), accountOf(3, { displayName: "Anna" }), never)).toMatchObject({ isAmbiguous: true });
	});

	it("is not looked for by an attribute that it has no value of", async () => {
		const { target } = openTarget(server.url, { match: "employeeNumber" });
		server.plant({ ...accountOf(1) });
		expect(await target.find(anchorOf(1), accountOf(1), never)).toBeUndefined();
	});

	it.each(["kept", "case-sensitive", "passed over", "400", "404", "404 for none", "find nothing"] as const)(
		"is found, and nobody where there is nobody, among 250 others where filters are: %s",
		async (filters) => {
			plantMany(250);
			server.how.filters = filters;
			const { target, create } = openTarget(server.url);
			const remoteId = server.plant({ ...accountOf(1), userName: "p1@corp.example.test" });
			const wanted = accountOf(1, { userName: "P1@corp.example.test" });
			expect(await target.find(anchorOf(1), wanted, never)).toMatchObject({ by: "attribute", remote: { remoteId } });
			expect(await target.find(anchorOf(2), accountOf(2), never)).toBeUndefined();
			const made = await create(3);
			server.how.lose = { method: "POST", times: 1, by: "cut" };
			await create(4);
			expect(await target.find(anchorOf(3), accountOf(3), never)).toMatchObject({ by: "external-id", remote: { remoteId: made } });
			expect(server.users.size).toBe(253);
		},
	);

	it("is found after a conflict, also where a filter does not find it for its case", async () => {
		plantMany(30);
		server.how.filters = "case-sensitive";
		const remoteId = server.plant({ ...accountOf(1), userName: "P1@Corp.example.test" });
		const { target, apply } = openTarget(server.url);
		expect(await target.find(anchorOf(1), accountOf(1), never)).toBeUndefined();
		expect(await apply(deliveryOf(1))).toMatchObject({ kind: "conflict" });
		expect(await target.find(anchorOf(1), accountOf(1), never)).toMatchObject({ by: "attribute", remote: { remoteId } });
	});

	it("is nowhere where nobody is, which takes no reading of the list", async () => {
		server.how.filters = "404";
		const { target } = openTarget(server.url);
		server.came.length = 0;
		expect(await target.find(anchorOf(1), accountOf(1, { emails: [] }), never)).toBeUndefined();
		expect(server.came.filter(({ query }) => query.get("count") === "100")).toEqual([]);
	});

	it("is found after a conflict, by a list that is newer than it", async () => {
		server.how.filters = "400";
		server.plant({ ...accountOf(9) });
		const { target, apply } = openTarget(server.url, { match: "employeeNumber" });
		expect(await target.find(anchorOf(1), accountOf(1), never)).toBeUndefined();
		server.plant({ ...accountOf(1), externalId: anchorOf(1) });
		expect(await apply(deliveryOf(1))).toMatchObject({ kind: "conflict" });
		expect(await target.find(anchorOf(1), accountOf(1), never)).toMatchObject({ by: "external-id" });
	});

	it("is looked for in one reading of the list for many, where there are no filters", async () => {
		plantMany(250);
		server.how.filters = "400";
		const { target, time } = openTarget(server.url);
		for (let number = 1; number <= 20; number++) expect(await target.find(anchorOf(number), accountOf(number), never)).toBeUndefined();
		const pages = () => server.came.filter(({ query }) => query.get("count") === "100").length;
		// Four pages for each of the two attributes, and each of the filters tried once.
		expect(pages()).toBe(8);
		expect(server.came.filter(({ query }) => query.has("filter"))).toHaveLength(2);
		time.pass(300_001);
		server.plant({ ...accountOf(7) });
		expect(await target.find(anchorOf(7), accountOf(7), never)).toMatchObject({ by: "attribute" });
	});

	it("is looked for by one reading for all who ask at once, and nobody of ours is added meanwhile", async () => {
		plantMany(250);
		server.how.filters = "400";
		const { target } = openTarget(server.url);
		const numbers = Array.from({ length: 8 }, (_, index) => index + 1);
		const creates = Array.from({ length: 30 }, async (_, index) => {
			await server.when(() => server.came.some(({ query }) => query.get("startIndex") === "101"));
			return target.apply([deliveryOf(index + 11)], never);
		});
		const looks = await Promise.all(numbers.map((number) => target.find(anchorOf(number), accountOf(number), never)));
		expect(looks).toEqual(numbers.map(() => undefined));
		expect((await Promise.all(creates)).flat().every(({ kind }) => kind === "applied")).toBe(true);
		expect(server.came.filter(({ query }) => query.get("count") === "100")).toHaveLength(8);
	});

	it("is looked for in a list that is longer than the server counts", async () => {
		plantMany(250);
		Object.assign(server.how, { filters: "400", paging: "counts to 50" });
		const { target, create } = openTarget(server.url);
		expect(await target.find(anchorOf(1), accountOf(1), never)).toBeUndefined();
		const remoteId = await create(1);
		expect(await openTarget(server.url).target.find(anchorOf(1), accountOf(1), never)).toMatchObject({ remote: { remoteId } });
	});

	it("is not said to be nowhere when that cannot be told", async () => {
		plantMany(50);
		Object.assign(server.how, { filters: "passed over", paging: "passed over" });
		const { target } = openTarget(server.url);
		expect(await failureOf(target.find(anchorOf(1), accountOf(1), never))).toMatchObject({
			code: "TARGET_REFUSED",
			message: expect.stringContaining("cannot be told"),
			hint: expect.stringContaining("match"),
		});
	});
});

describe("the list of accounts", () => {
	it("has each once, whoever's it is, with as many pages as it takes", async () => {
		plantMany(250);
		const { target, create } = openTarget(server.url);
		await create(1);
		const found = await all(target);
		expect(new Set(found.map(({ remoteId }) => remoteId)).size).toBe(251);
		expect(found.find(({ anchor }) => anchor === anchorOf(1))?.account).toEqual(accountOf(1));
		expect(server.came.filter(({ query }) => query.has("startIndex")).map(({ query }) => query.get("startIndex"))).toEqual([
			"1",
			"101",
			"201",
			"252",
		]);
	});

	it("is empty when there is nobody", async () => {
		expect(await all(openTarget(server.url).target)).toEqual([]);
	});

	it.each(["passed over", "total of the page"] as const)("is said to be incomplete, at its end, where pages are: %s", async (paging) => {
		plantMany(250);
		server.how.paging = paging;
		const { target } = openTarget(server.url);
		const found: RemoteAccount[] = [];
		const reading = async (): Promise<void> => {
			for await (const remote of target.reader?.list(never) ?? []) found.push(remote);
		};
		expect(await failureOf(reading())).toMatchObject({ code: "TARGET_LISTING_PARTIAL" });
		expect(found.length).toBe(paging === "passed over" ? 20 : 250);
	});

	it("is read again when it has changed meanwhile", async () => {
		plantMany(250);
		const { target } = openTarget(server.url);
		const found: string[] = [];
		for await (const { remoteId } of target.reader?.list(never) ?? []) {
			found.push(remoteId);
			// The first one goes, so that everybody behind moves up by one.
			if (found.length === 100) server.users.delete(found[0] ?? "");
		}
		expect(found.length).toBe(250);
		expect(new Set(found).size).toBe(250);
		expect([...server.users.keys()].filter((id) => !found.includes(id))).toEqual([]);
	});

	it("is out of reach when a page cannot be had", async () => {
		plantMany(250);
		server.how.documents = "none";
		Object.assign(server.how, { trouble: 1 });
		expect(await failureOf(all(openTarget(server.url).target))).toMatchObject({ code: "TARGET_UNREACHABLE" });
	});

	it("says of whom it does not show whether they are active", async () => {
		server.how.isActiveShown = false;
		server.plant({ ...accountOf(1) });
		expect((await all(openTarget(server.url).target))[0]?.untold).toEqual(["active"]);
	});
});

describe("scimmy as it comes", () => {
	let peer: Awaited<ReturnType<typeof startScimmy>>;
	afterEach(() => peer.close());

	it("shows its first 20 only: accounts are found, and the list is said to be incomplete", async () => {
		peer = await startScimmy("as it comes");
		const { target, create } = openTarget(peer.url, { auth: { kind: "bearer", token: () => peer.token } }, makeTime());
		for (let number = 1; number <= 30; number++) await create(number);
		expect(await target.find(anchorOf(30), accountOf(30), never)).toMatchObject({ by: "external-id" });
		expect(await target.find(anchorOf(31), accountOf(30, { userName: "P30@corp.example.test" }), never)).toMatchObject({ by: "attribute" });
		expect(await target.find(anchorOf(31), accountOf(31), never)).toBeUndefined();
		expect(await failureOf(all(target))).toMatchObject({ code: "TARGET_LISTING_PARTIAL" });
	});
});
