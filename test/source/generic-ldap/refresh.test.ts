import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { BerWriter, tag } from "../../../src/lib/ber.ts";
import { ldapSource, readLdap } from "../../contract/ldap-reader.ts";
import { failureOf } from "../../contract/reader.ts";
import type { Reply, SentControl } from "../../support/fake-server.ts";
import { base, csn, useFakeLdap, uuidOf } from "./servers.ts";

const serve = useFakeLdap();
const newer = csn.replace("101803", "101900");
const octetsOf = (n: number) => Buffer.from(uuidOf(n).replaceAll("-", ""), "hex");

/** RFC 4533 §2.2: 0 present, 1 add, 2 modify, 3 delete. */
function state(kind: number, n: number): SentControl {
	const value = new BerWriter().open().integer(kind, tag.enumerated).octets(octetsOf(n)).close().finish();
	return { oid: "1.3.6.1.4.1.4203.1.9.1.2", value };
}

function done(cookie: string | undefined, refreshDeletes: boolean): { controls: SentControl[] } {
	const writer = new BerWriter().open();
	if (cookie !== undefined) writer.text(cookie);
	if (refreshDeletes) writer.boolean(true);
	return { controls: [{ oid: "1.3.6.1.4.1.4203.1.9.1.3", value: writer.close().finish() }] };
}

const syncInfo = "1.3.6.1.4.1.4203.1.9.1.4";

/** syncIdSet; `refreshDeletes` false says that these are still there. */
function idSet(refreshDeletes: boolean, ...numbers: readonly number[]): Uint8Array {
	const writer = new BerWriter().open(0xa3);
	if (refreshDeletes) writer.boolean(true);
	writer.open(tag.set);
	for (const number of numbers) writer.octets(octetsOf(number));
	return writer.close().close().finish();
}

function person(reply: Reply, n: number, controls?: readonly SentControl[]): void {
	reply.entry(`uid=p${n},${base}`, { objectClass: "inetOrgPerson", entryUUID: uuidOf(n), uid: `p${n}` }, controls);
}

/** A full reading, then a delta in which the server answers the sync request as it is told. */
async function deltaOf(sync: (reply: Reply) => void) {
	const { url } = await serve({
		sync: (_, reply) => sync(reply),
		people: (_, reply) => {
			person(reply, 1);
			reply.done({ cookie: "" });
			return true;
		},
	});
	const source = ldapSource({ url, reader: { user: "cn=svc", password: "secret" }, baseDn: base });
	const full = await readLdap(source);
	expect(full.end.strategy).toBe("syncrepl");
	return readLdap(source, full);
}

const cookie = `rid=000,sid=001,csn=${newer}`;

describe("what a server says of changes", () => {
	it("is taken when it names the deleted, by message or by state, and its own id never comes back with the cookie", async () => {
		const delta = await deltaOf((reply) => {
			reply.intermediate(syncInfo, idSet(true, 7, 8));
			person(reply, 1, [state(1, 1)]);
			reply.entry(`uid=p9,${base}`, {}, [state(3, 9)]);
			reply.done(done(cookie, true));
		});
		expect(delta.mode, delta.fullBecause).toBe("delta");
		expect([...delta.people.keys()]).toEqual([uuidOf(1)]);
		expect(delta.end.outside.map(({ anchor }) => anchor)).toEqual([7, 8, 9].map(uuidOf));
		expect(JSON.parse(delta.end.cursor as string)).toMatchObject({ csns: { "dc=test,dc=example,dc=corp,": [newer] } });
	});

	it("may be that nothing has changed, without a cookie: the old one stays good", async () => {
		const delta = await deltaOf((reply) => reply.done(done(undefined, true)));
		expect(delta.mode).toBe("delta");
		expect(JSON.parse(delta.end.cursor as string)).toMatchObject({ csns: { "dc=test,dc=example,dc=corp,": [csn] } });
	});

	it("may come with messages of other kinds in between", async () => {
		const delta = await deltaOf((reply) => {
			reply.intermediate();
			reply.intermediate(syncInfo, new BerWriter().text("cookie", 0x80).finish());
			reply.done(done(cookie, true));
		});
		expect(delta.mode).toBe("delta");
	});

	it.each([
		{
			what: "lists who is still there instead of who is gone",
			sync: (reply: Reply) => {
				reply.intermediate(syncInfo, idSet(false, 1));
				reply.flush();
			},
			because: /does not name who was deleted.*syncprov-sessionlog/,
		},
		{
			what: "says that a phase of those still there is over",
			sync: (reply: Reply) => {
				reply.intermediate(syncInfo, new BerWriter().open(0xa2).close().finish());
				reply.done(done(cookie, false));
			},
			because: /does not name who was deleted/,
		},
		{
			what: "ends without naming the deleted",
			sync: (reply: Reply) => reply.done(done(cookie, false)),
			because: /does not name who was deleted/,
		},
		{ what: "asks for a refresh", sync: (reply: Reply) => reply.done({ code: 4096 }), because: /e-syncRefreshRequired/ },
		{
			what: "knows less than the cookie says",
			sync: (reply: Reply) => reply.done({ code: 53, message: "consumer state is newer than provider!" }),
			because: /newer than provider/,
		},
		{ what: "does not do it for that part", sync: (reply: Reply) => reply.done({ code: 12 }), because: /does not tell changes there/ },
		{ what: "ends as an ordinary search does", sync: (reply: Reply) => reply.done(), because: /did not say that its changes are complete/ },
		{
			what: "sends entries without their state",
			sync: (reply: Reply) => {
				person(reply, 1);
				reply.done(done(cookie, true));
			},
			because: /without its state/,
		},
		{
			what: "hands out everything with an empty cookie, as OpenLDAP does for one it cannot read",
			sync: (reply: Reply) => {
				person(reply, 1, [state(1, 1)]);
				reply.done(done("", true));
			},
			because: /did not understand where the last reading ended/,
		},
		{
			what: "has a cookie of another make",
			sync: (reply: Reply) => {
				person(reply, 1, [state(1, 1)]);
				reply.done(done("host:389#cn=svc#42", true));
			},
			because: /none of OpenLDAP's/,
		},
	])("is not gone by when it $what: a full reading, and why", async ({ sync, because }) => {
		const delta = await deltaOf(sync);
		expect(delta).toMatchObject({ mode: "full", fullBecause: expect.stringMatching(because) });
		expect([...delta.people.keys()]).toEqual([uuidOf(1)]);
		expect(delta.end.unsealed).toEqual([]);
	});

	it.each([
		{
			what: "a message that is no BER",
			sync: (reply: Reply) => reply.intermediate(syncInfo, Uint8Array.of(0xa3, 0x05, 0x01)),
			code: "SOURCE_PROTOCOL",
		},
		{
			what: "a state that is no BER",
			sync: (reply: Reply) => person(reply, 1, [{ oid: "1.3.6.1.4.1.4203.1.9.1.2", value: Uint8Array.of(0x30, 0x09) }]),
			code: "SOURCE_PROTOCOL",
		},
		{ what: "a connection that breaks", sync: (reply: Reply) => reply.cut(), code: "SOURCE_BROKE" },
		{ what: "a size limit", sync: (reply: Reply) => reply.done({ code: 4 }), code: "SOURCE_LIMIT" },
	])("breaks the reading with $what", async ({ sync, code }) => {
		expect(await failureOf(deltaOf(sync))).toMatchObject({ code });
	});

	it("is not asked for with a cursor that somebody else wrote", async () => {
		const { url } = await serve({});
		const source = ldapSource({ url, reader: { user: "cn=svc", password: "secret" }, baseDn: base });
		const full = await readLdap(source);
		for (const cursor of ["garbage", "{}", JSON.stringify({ ...JSON.parse(full.end.cursor as string), version: 2 })]) {
			const delta = await readLdap(source, { ...full, end: { ...full.end, cursor: cursor as Cursor } });
			expect(delta).toMatchObject({ mode: "full", fullBecause: expect.stringContaining("not one of this version") });
		}
	});
});
