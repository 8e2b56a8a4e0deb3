import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { dnKey } from "../../../src/core/dn.ts";
import { touchedPlaces } from "../../../src/source/active-directory/delta.ts";
import { guidOctets } from "../../../src/source/active-directory/guid.ts";
import type { ActiveDirectoryOptions } from "../../../src/source/active-directory/options.ts";
import type { Source } from "../../../src/source/source.ts";
import { base, type Fake, fakeSource, guidOf, putPerson, useFakeServers } from "../../support/fake-directory.ts";
import { deltaRequest, fullRequest } from "../../support/requests.ts";

const start = useFakeServers();

async function serve(fake: Partial<Fake> = {}): Promise<string> {
	return (await start({ people: (_, reply) => reply.done({ cookie: "" }), ...fake })).url;
}

async function read(source: Source, cursor?: Cursor) {
	const reading = await source.read(cursor === undefined ? fullRequest(cursor) : deltaRequest(cursor), new AbortController().signal);
	const anchors: string[] = [];
	for await (const page of reading.pages) anchors.push(...page.map(({ key }) => source.anchor(key)));
	const end = reading.end();
	await reading.close();
	return { mode: reading.mode, because: reading.fullBecause, anchors, ...end };
}

/** A delta at one server after a full reading at another. */
async function deltaAfter(first: Partial<Fake>, second: Partial<Fake>, more: Partial<ActiveDirectoryOptions> = {}) {
	const { cursor } = await read(fakeSource(await serve(first)));
	return read(fakeSource(await serve(second), more), cursor);
}

describe("a delta", () => {
	it("is one where the same domain controller went on", async () => {
		expect(await deltaAfter({}, { rootDse: { highestCommittedUSN: "1001" } })).toMatchObject({
			mode: "delta",
			because: undefined,
			anchors: [],
		});
	});

	it.each([
		["the USN went back", { rootDse: { highestCommittedUSN: "999" } }, {}, /went back from 1000 to 999/],
		[
			"the domain controller is another one",
			{ invocationId: guidOf(2), rootDse: { dnsHostName: "dc2" } },
			{},
			/dc2 .* was never read before/,
		],
		["attributes were added", {}, { attributes: ["displayName", "title"] }, /what is asked of the directory has changed/],
		[
			"the filter was changed",
			{},
			{ users: { filter: "(mail=*)", exclude: [], groups: [] } },
			/what is asked of the directory has changed/,
		],
	] as const)("becomes a full reading when %s, and says so", async (_, second, more, because) => {
		expect(await deltaAfter({}, second, more)).toMatchObject({ mode: "full", because: expect.stringMatching(because) });
	});

	it("becomes a full reading when uSNChanged cannot be read: nothing changed and nothing may be seen look alike", async () => {
		const blind: Partial<Fake> = {
			other: (came, reply) => {
				if (came.base !== base || came.scope !== 0) return false;
				reply.entry(base, { objectGUID: guidOctets(guidOf(999)) as Uint8Array });
				reply.done();
				return true;
			},
		};
		expect(await deltaAfter({}, blind)).toMatchObject({ mode: "full", because: expect.stringContaining("uSNChanged cannot be read") });
	});

	it("proves nothing when somebody changed who shows no objectGUID", async () => {
		const directory: Partial<Fake> = {
			other: (came, reply) => {
				if (came.base !== "DC=corp,DC=example,DC=test" || came.paged === undefined) return false;
				reply.entry(`CN=P1,${base}`, { objectClass: ["top", "user"] });
				reply.entry(`CN=PC,${base}`, { objectClass: ["top", "user", "computer"] });
				reply.done({ cookie: "" });
				return true;
			},
		};
		const delta = await deltaAfter({}, directory);
		expect(delta.mode).toBe("delta");
		expect(delta.unsealed).toEqual([expect.stringContaining(`"CN=P1,${base}" changed, but shows no objectGUID`)]);
	});

	it("does not change the view, and neither does a full reading of the same domain controller; one of another does", async () => {
		const [first, other] = [await serve(), await serve({ invocationId: guidOf(2), rootDse: { dnsHostName: "dc2" } })];
		const { cursor } = await read(fakeSource(first));
		expect(await read(fakeSource(first), cursor)).toMatchObject({ mode: "delta", viewChanged: undefined });
		const full = async (url: string) => {
			const reading = await fakeSource(url).read(fullRequest(cursor), new AbortController().signal);
			for await (const _ of reading.pages);
			await reading.close();
			return reading.end().viewChanged;
		};
		expect(await full(first)).toBeUndefined();
		expect(await full(other)).toMatch(/^dc2 was read instead of/);
	});

	it("hands out once who changed in a container that changed, and names who is not in scope", async () => {
		const directory: Partial<Fake> = {
			people: (_, reply) => {
				putPerson(reply, 1);
				reply.done({ cookie: "" });
			},
			other: (came, reply) => {
				if (came.base !== "DC=corp,DC=example,DC=test" || came.paged === undefined) return false;
				reply.entry(base, { objectGUID: guidOctets(guidOf(7)) as Uint8Array, objectClass: ["top", "organizationalUnit"] });
				for (const n of [1, 2])
					reply.entry(`CN=P${n},CN=Users`, { objectGUID: guidOctets(guidOf(n)) as Uint8Array, objectClass: ["top", "user"] });
				reply.entry("CN=PC", { objectGUID: guidOctets(guidOf(3)) as Uint8Array, objectClass: ["top", "user", "computer"] });
				reply.done({ cookie: "" });
				return true;
			},
		};
		const delta = await deltaAfter({}, directory);
		expect(delta.anchors).toEqual([guidOf(1)]);
		expect(delta.outside.map(({ anchor }) => anchor)).toEqual([guidOf(2)]);
		expect(delta.containers).toEqual([{ anchor: guidOf(7), dn: base }]);
	});
});

const places = (...dns: readonly string[]) => dns.map((dn) => ({ dn, key: dnKey(dn) }));

it.each([
	["beneath a base", ["OU=A,OU=P,DC=x"], ["OU=A,OU=P,DC=x"]],
	["a base itself", ["ou=p, dc=x"], ["ou=p, dc=x"]],
	["around a base", ["OU=Above,DC=x"], ["OU=Q,OU=Above,DC=x"]],
	["beside the bases", ["OU=Elsewhere,DC=x"], []],
	["within each other", ["OU=A,OU=P,DC=x", "OU=B,OU=A,OU=P,DC=x"], ["OU=A,OU=P,DC=x"]],
])("a changed container %s has people read again in %s", (_, changed, expected) => {
	const containers = changed.map((dn) => ({ anchor: guidOf(1) as never, dn }));
	expect(touchedPlaces(places("OU=P,DC=x", "OU=Q,OU=Above,DC=x"), containers).map(({ dn }) => dn)).toEqual(expected);
});
