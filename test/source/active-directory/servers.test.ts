import { expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { fakeSource, guidOf, people, putPerson, readAll, useFakeServers } from "../../support/fake-directory.ts";
import type { FakeServer } from "../../support/fake-server.ts";
import { fullRequest } from "../../support/requests.ts";

const serve = useFakeServers();
const domain = "corp.example.test";

/** A domain controller on this machine, under one of its two names. */
async function controller(host: "localhost" | "127.0.0.1", number: number) {
	const server = await serve({
		people: (_, reply) => {
			putPerson(reply, 1);
			reply.done({ cookie: "" });
		},
		rootDse: { dNSHostName: host },
		invocationId: guidOf(number),
	});
	return { host, port: server.port, server };
}

it("a source found by DNS keeps to the domain controller that its cursor is of, whatever the lot says", async () => {
	const [first, second] = [await controller("127.0.0.1", 1), await controller("localhost", 2)];
	let there: readonly { readonly host: string; readonly port: number; readonly server: FakeServer }[] = [second];
	const resolver = async (name: string) =>
		name.includes("_sites") ? [] : there.map(({ host, port }) => ({ name: host, port, priority: 0, weight: 100 }));
	const source = fakeSource("", { urls: [], discovery: { domain, site: undefined, resolver, scheme: "ldap" } });
	/** A full reading: from which server, and the cursor it leaves. */
	const read = async (cursor: Cursor | undefined) => {
		const reading = await source.read(fullRequest(cursor), new AbortController().signal);
		for await (const _ of reading.pages); // To its end: only then there is a cursor.
		const end = reading.end();
		await reading.close();
		return { server: reading.server, cursor: end.cursor };
	};

	const { cursor } = await read(undefined);
	there = [first, second];
	expect((await read(undefined)).server).toBe(`ldap://127.0.0.1:${first.port}`);
	expect((await read(cursor)).server).toBe(`ldap://localhost:${second.port}`);
	await second.server.close();
	expect((await read(cursor)).server).toBe(`ldap://127.0.0.1:${first.port}`);
});

it("a source whose server broke in the middle of a reading reads from the next one when it is asked again", async () => {
	const breaking = await serve({
		people: (_, reply) => {
			putPerson(reply, 1);
			reply.reset();
		},
	});
	const other = await controller("127.0.0.1", 2);
	const source = fakeSource("", { urls: [breaking.url, other.server.url] });
	expect(source.canFailOver).toBe(true);
	expect(fakeSource(breaking.url).canFailOver).toBe(false);
	expect((await readAll(source)).failure).toMatchObject({ code: "SOURCE_BROKE" });
	expect(await readAll(source)).toMatchObject({ anchors: people(1), failure: undefined });
	expect(breaking.connections()).toBe(1);
});
