import { describe, expect, it } from "vitest";
import { type Fake, fakeSource, people, putPerson, readAll, useFakeServers } from "../../support/fake-directory.ts";
import type { Came, Reply } from "../../support/fake-server.ts";
import { fullRequest } from "../../support/requests.ts";

const serve = useFakeServers();

/** Pages by their cookie: "" is the first. */
function pages(byCookie: Readonly<Record<string, (reply: Reply, came: Came) => void>>): Fake["people"] {
	return (came, reply) => byCookie[came.paged?.cookie ?? ""]?.(reply, came);
}

describe("the page loop", () => {
	it("goes on after an empty page with a cookie (D1)", async () => {
		const { url } = await serve({
			people: pages({
				"": (reply) => {
					putPerson(reply, 1);
					reply.done({ cookie: "a" });
				},
				a: (reply) => reply.done({ cookie: "b" }),
				b: (reply) => {
					putPerson(reply, 2);
					reply.done({ cookie: "" });
				},
			}),
		});
		expect(await readAll(fakeSource(url))).toEqual({ anchors: people(1, 2), unsealed: [], failure: undefined });
	});

	it("calls a set sealed that is proven to be empty", async () => {
		const { url } = await serve({ people: (_, reply) => reply.done({ cookie: "" }) });
		expect(await readAll(fakeSource(url))).toEqual({ anchors: [], unsealed: [], failure: undefined });
	});

	it("does not call a reading sealed without the paged control", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				putPerson(reply, 1);
				reply.done();
			},
		});
		const { anchors, unsealed } = await readAll(fakeSource(url));
		expect(anchors).toEqual(people(1));
		expect(unsealed).toEqual([expect.stringContaining("no paged-results control")]);
	});

	it("does not call a reading sealed with a part of it on another server", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				reply.reference("ldap://sub.corp.example.test/OU=Sub,OU=People,DC=corp,DC=example,DC=test");
				reply.done({ cookie: "" });
			},
		});
		expect((await readAll(fakeSource(url))).unsealed).toEqual([expect.stringContaining("ldap://sub.corp.example.test/OU=Sub")]);
	});

	it("does not mind a referral to the forest's configuration", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				reply.reference("ldap://corp.example.test/CN=Configuration,DC=corp,DC=example,DC=test");
				reply.done({ cookie: "" });
			},
		});
		expect((await readAll(fakeSource(url))).unsealed).toEqual([]);
	});

	it.each([
		{ code: 1, name: "operationsError", failure: "SOURCE_PROTOCOL" },
		{ code: 3, name: "timeLimitExceeded", failure: "SOURCE_LIMIT" },
		{ code: 4, name: "sizeLimitExceeded", failure: "SOURCE_LIMIT" },
		{ code: 10, name: "referral", failure: "SOURCE_PROTOCOL" },
		{ code: 11, name: "adminLimitExceeded", failure: "SOURCE_LIMIT" },
		{ code: 12, name: "unavailableCriticalExtension", failure: "SOURCE_PROTOCOL" },
		{ code: 32, name: "noSuchObject", failure: "SOURCE_BASE_MISSING" },
		{ code: 50, name: "insufficientAccessRights", failure: "SOURCE_REFUSED" },
		{ code: 51, name: "busy", failure: "SOURCE_UNREACHABLE" },
		{ code: 52, name: "unavailable", failure: "SOURCE_UNREACHABLE" },
		{ code: 53, name: "unwillingToPerform", failure: "SOURCE_PROTOCOL" },
	])("fails at $name, on the first page or a later one, and says what the server said (D9)", async ({ code, name, failure }) => {
		for (const failing of ["", "a"]) {
			const { url } = await serve({
				people: (came, reply) => {
					putPerson(reply, came.paged?.cookie === "" ? 1 : 2);
					if (came.paged?.cookie === failing) reply.done({ code, message: "0000208D: because\0", cookie: "" });
					else reply.done({ cookie: "a" });
				},
			});
			const read = await readAll(fakeSource(url));
			expect(read.failure).toMatchObject({ code: failure });
			expect(`${read.failure}`).toContain(`${name} (${code})`);
			expect(`${read.failure}`).toContain("0000208D: because");
			expect(`${read.failure}`).toContain('under "OU=People,DC=corp,DC=example,DC=test"');
		}
	});

	it("asks for no size limit and no time limit, ever (D9, D10)", async () => {
		const server = await serve({ people: (_, reply) => reply.done({ cookie: "" }) });
		await readAll(fakeSource(server.url));
		const searches = server.came.filter(({ kind }) => kind === "search");
		expect(searches.length).toBeGreaterThan(3);
		expect(searches.map(({ timeLimit }) => timeLimit)).toEqual(searches.map(() => 0));
		expect(searches.map(({ sizeLimit }) => sizeLimit)).toEqual(searches.map(() => 0));
	});

	it("skips intermediate responses (D11)", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				reply.intermediate();
				putPerson(reply, 1);
				reply.intermediate();
				reply.done({ cookie: "" });
			},
		});
		expect(await readAll(fakeSource(url))).toMatchObject({ anchors: people(1), unsealed: [] });
	});

	it("ends a server that sends empty pages with cookies forever", async () => {
		const server = await serve({ people: (_, reply) => reply.done({ cookie: "again" }) });
		const { failure } = await readAll(fakeSource(server.url));
		expect(failure).toMatchObject({ code: "SOURCE_PROTOCOL", message: expect.stringContaining("empty pages in a row") });
	});

	it("ends a server that sends the same page forever", async () => {
		const server = await serve({
			people: (_, reply) => {
				putPerson(reply, 1);
				putPerson(reply, 2);
				reply.done({ cookie: "again" });
			},
		});
		expect((await readAll(fakeSource(server.url))).failure).toMatchObject({
			code: "SOURCE_PROTOCOL",
			message: expect.stringContaining("twice"),
		});
	});

	it("asks for the next page with the cookie as it came, and for no more than one ahead of its reader", async () => {
		const server = await serve({
			people: (came, reply) => {
				const n = Number(came.paged?.cookie || "0");
				putPerson(reply, n);
				reply.done({ cookie: n === 9 ? "" : String(n + 1) });
			},
		});
		const source = fakeSource(server.url, { pageSize: 1 });
		const reading = await source.read(fullRequest(), new AbortController().signal);
		const asked = () => server.came.filter(({ paged, base }) => paged !== undefined && base.startsWith("OU=People")).length;
		const ahead: number[] = [];
		for await (const _ of reading.pages) {
			// A whole exchange on the same connection: whatever was asked for ahead has arrived by then.
			await reading.isReadable("mail");
			ahead.push(asked() - ahead.length - 1);
		}
		await reading.close();
		expect(ahead).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
	});

	it("takes a server that ignores the page size, a batch at a time", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				for (let n = 0; n < 250; n++) putPerson(reply, n, { displayName: "x".repeat(2000) });
				reply.done({ cookie: "" });
			},
		});
		const source = fakeSource(url, { pageSize: 20 });
		expect((await readAll(source)).anchors).toEqual(people(...Array.from({ length: 250 }, (_, n) => n)));
	});

	it("breaks the seal by the name of an entry without objectGUID", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				putPerson(reply, 1);
				reply.entry("CN=Nobody,OU=People", { sAMAccountName: "nobody" });
				reply.done({ cookie: "" });
			},
		});
		const { anchors, unsealed } = await readAll(fakeSource(url));
		expect(anchors).toEqual(people(1));
		expect(unsealed).toEqual([expect.stringContaining('"CN=Nobody,OU=People" shows no objectGUID')]);
	});

	it("is not sealed by a reader that did not read to the end", async () => {
		const { url } = await serve({
			people: (came, reply) => {
				putPerson(reply, came.paged?.cookie === "" ? 1 : 2);
				reply.done({ cookie: came.paged?.cookie === "" ? "a" : "" });
			},
		});
		const source = fakeSource(url);
		const reading = await source.read(fullRequest(), new AbortController().signal);
		for await (const _ of reading.pages) break;
		expect(reading.end().unsealed).toEqual([expect.stringContaining("not followed to its end")]);
		await reading.close();
	});
});
