import { describe, expect, it } from "vitest";
import { fakeSource, impatient, people, putPerson, readAll, useFakeServers } from "../../support/fake-directory.ts";
import type { Reply } from "../../support/fake-server.ts";

const serve = useFakeServers();

describe("the connection of a reading", () => {
	it("is not opened again in silence when it is lost (D2)", async () => {
		const server = await serve({
			people: (_, reply) => {
				putPerson(reply, 1);
				reply.cut();
			},
		});
		expect((await readAll(fakeSource(server.url))).failure).toMatchObject({
			code: "SOURCE_BROKE",
			message: expect.stringContaining('in the middle of the search under "OU=People'),
		});
		expect(server.connections()).toBe(1);
	});

	it("fails when it is reset in the middle", async () => {
		const { url } = await serve({ people: (_, reply) => reply.reset() });
		expect((await readAll(fakeSource(url))).failure).toMatchObject({ code: "SOURCE_BROKE" });
	});

	it("leaves nothing of half a message to the next reading (D4)", async () => {
		let times = 0;
		const { url } = await serve({
			people: (_, reply) => {
				putPerson(reply, 1);
				if (times++ > 0) return reply.done({ cookie: "" });
				reply.bytes(reply.take().subarray(0, 20));
				reply.cut();
			},
		});
		const source = fakeSource(url);
		expect((await readAll(source)).failure).toMatchObject({ code: "SOURCE_BROKE" });
		expect(await readAll(source)).toMatchObject({ anchors: people(1), unsealed: [] });
	});

	it.each([
		["before a page", () => {}],
		[
			"in the middle of a page",
			(reply: Reply) => {
				putPerson(reply, 1);
				putPerson(reply, 2);
				const bytes = reply.take();
				reply.bytes(bytes.subarray(0, bytes.length - 10));
			},
		],
	])("fails in time when the server stops answering %s (D5)", async (_, act) => {
		const { url } = await serve({ people: (_came, reply) => act(reply) });
		expect((await readAll(fakeSource(url, { timeouts: impatient }))).failure).toMatchObject({
			code: "SOURCE_UNREACHABLE",
			message: expect.stringContaining("gave no answer within 0.3 s in the search"),
		});
	});

	it("fails with what the server said when it announces that it disconnects", async () => {
		const { url } = await serve({ people: (_, reply) => reply.notice(52, "shutting down") });
		expect((await readAll(fakeSource(url))).failure).toMatchObject({
			code: "SOURCE_BROKE",
			message: expect.stringMatching(/unavailable \(52\): shutting down/),
		});
	});

	it.each([
		["no BER at all", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
		["a message longer than any", Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])],
		["an operation that no search has", Buffer.from([0x30, 0x0c, 0x02, 0x02, 0x03, 0xe8, 0x69, 0x06, 0x0a, 0x01, 0, 0x04, 0x01, 0x61])],
	])("fails at %s", async (_, bytes) => {
		const { url } = await serve({
			people: () => {},
			other: (came, reply) => {
				if (came.base !== "") return false;
				reply.bytes(bytes);
				return true;
			},
		});
		expect((await readAll(fakeSource(url))).failure).toMatchObject({ code: "SOURCE_PROTOCOL" });
	});

	it("fails at an entry whose insides are no LDAP", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				reply.entry("CN=x", {});
				const bytes = reply.take();
				bytes[bytes.length - 5] = 0x31;
				reply.bytes(bytes);
				reply.done({ cookie: "" });
			},
		});
		expect((await readAll(fakeSource(url))).failure).toMatchObject({
			code: "SOURCE_PROTOCOL",
			message: expect.stringContaining("not LDAP"),
		});
	});

	it("stops at once when the process is ending", async () => {
		const stop = new AbortController();
		const { url } = await serve({ people: () => stop.abort() });
		expect((await readAll(fakeSource(url), stop.signal)).failure).toMatchObject({ code: "CANCELLED" });
	});
});
