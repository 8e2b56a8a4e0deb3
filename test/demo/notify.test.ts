import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseFilter } from "../../src/core/filter-text.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { openConnection } from "../../src/source/ldap/connection.ts";
import { makeServerMemory } from "../../src/source/ldap/server-memory.ts";
import { dnOf } from "../../src/source/ldap/wire/entry.ts";
import { probe, type Session } from "../../src/source/ldap/wire/session.ts";
import { noTls } from "../support/tls.ts";
import { openWire } from "./wire.ts";

const NOTIFICATION = "1.2.840.113556.1.4.528";
const SHOW_DELETED = "1.2.840.113556.1.4.417";
const anything = parseFilter("(objectClass=*)");

let demo: Demo;
let session: Session;
let people: string;

beforeEach(async () => {
	demo = await startDemo();
	people = `OU=People,${demo.baseDn}`;
	demo.directory.add(people, { objectClass: "organizationalUnit" });
	for (const name of ["Anna", "Bert"]) demo.directory.add(`CN=${name},${people}`, { objectClass: "user", sAMAccountName: name });
	session = await connect(demo.admin);
});

afterEach(async () => {
	session.close();
	await demo.close();
});

async function connect({ user, password }: { readonly user: string; readonly password: string }): Promise<Session> {
	const options = {
		urls: [demo.url],
		bind: { user, password },
		discovery: undefined,
		readBefore: [],
		memory: makeServerMemory(Date.now),
		clock: Date.now,
		tls: noTls,
		insecure: true,
		timeouts: { connectMs: 5000, bindMs: 5000, requestMs: 5000 },
		pausesMs: [],
		random: () => 0,
		onRequest: () => {},
	};
	return (await openConnection(options, new AbortController().signal)).session;
}

/** Watches; returns the names that were told, as they come, and the search's id. */
function stand(base: string, scope: "base" | "one" | "sub", controls = [NOTIFICATION, SHOW_DELETED], on = session) {
	const told: string[] = [];
	const id = on.stand(
		{ base, scope, filter: anything, attributes: ["cn"], controls: controls.map((oid) => ({ oid, isCritical: true, value: undefined })) },
		{
			entry: (raw) => told.push(dnOf(raw)),
			reference: () => {},
			done: (result) => told.push(`ended with ${result.code}`),
			failed: () => {},
		},
	);
	return { told, id };
}

/** Everything that was asked on this connection has arrived there, and everything told has arrived here. */
const settled = (on = session) => probe(on, { base: "", filter: anything, attributes: ["1.1"] });

describe("change notification in the demo directory", () => {
	it("tells each change within the search, however it was made, and nothing else", async () => {
		const { told } = stand(demo.baseDn, "sub");
		await settled();
		expect(told).toEqual([]);
		const { directory } = demo;
		directory.modify(`CN=Anna,${people}`, { title: "Clerk" });
		await settled();
		directory.rename(`CN=Anna,${people}`, "Anne");
		await settled();
		directory.add(`CN=Carl,${people}`, { objectClass: "user", sAMAccountName: "Carl" });
		await settled();
		directory.delete(`CN=Bert,${people}`);
		await settled();
		expect(told).toEqual([
			`CN=Anna,${people}`,
			`CN=Anne,${people}`,
			`CN=Carl,${people}`,
			expect.stringMatching(/^CN=Bert\\0ADEL:[-0-9a-f]{36},CN=Deleted Objects,/),
		]);
	});

	it("keeps to its scope", async () => {
		const [base, one, sub] = (["base", "one", "sub"] as const).map((scope) => stand(people, scope));
		await settled();
		demo.directory.modify(`CN=Anna,${people}`, { title: "Clerk" });
		demo.directory.modify(people, { description: "All of us" });
		demo.directory.add(`OU=Elsewhere,${demo.baseDn}`, { objectClass: "organizationalUnit" });
		await settled();
		expect(base?.told).toEqual([people]);
		expect(one?.told).toEqual([`CN=Anna,${people}`]);
		expect(sub?.told).toEqual([`CN=Anna,${people}`, people]);
	});

	it("tells nobody of deletions who may not see them, or did not ask", async () => {
		const plain = await connect({ user: demo.bindUser, password: demo.bindPassword });
		const without = stand(demo.baseDn, "sub", [NOTIFICATION]);
		const unseen = stand(demo.baseDn, "sub", undefined, plain);
		await Promise.all([settled(), settled(plain)]);
		demo.directory.delete(`CN=Bert,${people}`);
		await Promise.all([settled(), settled(plain)]);
		expect([...without.told, ...unseen.told]).toEqual([]);
		plain.close();
	});

	it("ends when it is abandoned, and others go on", async () => {
		const first = stand(people, "sub");
		const second = stand(people, "sub");
		await settled();
		session.abandon(first.id);
		await settled();
		demo.directory.modify(`CN=Anna,${people}`, { title: "Clerk" });
		await settled();
		expect(first.told).toEqual([]);
		expect(second.told).toEqual([`CN=Anna,${people}`]);
	});

	it("takes no other filter than that for everything, and no base that is not there", async () => {
		const wire = await openWire(demo.address);
		await wire.bind(demo.bindUser, demo.bindPassword);
		expect(await wire.search({ base: people, filter: "(objectClass=user)", controls: [NOTIFICATION] })).toMatchObject({ code: 53 });
		expect(await wire.search({ base: `OU=No,${people}`, controls: [NOTIFICATION] })).toMatchObject({ code: 32 });
		wire.close();
		const nobody = await openWire(demo.address);
		expect(await nobody.search({ base: people, controls: [NOTIFICATION] })).toMatchObject({ code: 1 });
		nobody.close();
	});
});
