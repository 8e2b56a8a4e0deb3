import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../../src/core/errors.ts";
import { openConnection } from "../../../src/source/ldap/connection.ts";
import { type Discovery, discover } from "../../../src/source/ldap/discovery.ts";
import { makeServerMemory } from "../../../src/source/ldap/server-memory.ts";
import { describeServers, findServers } from "../../../src/source/ldap/servers.ts";
import { inSrvOrder, makeSrvResolver, type SrvRecord } from "../../../src/source/ldap/srv.ts";
import { search } from "../../../src/source/ldap/wire/session.ts";
import { options } from "../../support/connecting.ts";
import { startDns, type Zone } from "../../support/dns-server.ts";
import { type FakeServer, type Script, startFakeServer } from "../../support/fake-server.ts";
import { noTls } from "../../support/tls.ts";

const never = new AbortController().signal;
const closing: (() => Promise<unknown>)[] = [];
let dns: Awaited<ReturnType<typeof startDns>>;
beforeEach(async () => {
	dns = await startDns({});
});
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
	await dns.close();
});

const controllers = "_ldap._tcp.dc._msdcs.corp.example.test";
const london = "_ldap._tcp.London._sites.dc._msdcs.corp.example.test";
const anyServer = "_ldap._tcp.corp.example.test";

function srv(name: string, more: Partial<SrvRecord> = {}): SrvRecord {
	return { name, port: 389, priority: 0, weight: 100, ...more };
}

function discovery(more: Partial<Discovery> = {}): Discovery {
	return { domain: "corp.example.test", site: undefined, resolver: makeSrvResolver(() => dns.dns), scheme: "ldaps", ...more };
}

/** The URLs found, in their order. */
async function find(zone: Zone, more: Partial<Discovery> = {}) {
	dns.change(zone);
	const given = discovery(more);
	const question = { discovery: given, site: given.site, trustsAnyName: false, random: () => 0, readBefore: [], timeoutMs: 5000 };
	const { addresses, ...rest } = await discover(question, never);
	return { ...rest, addresses, urls: addresses.map(({ url }) => url) };
}

async function failureOf(what: Promise<unknown>): Promise<Failure> {
	const failure = await what.then(
		() => undefined,
		(cause: unknown) => cause,
	);
	if (!(failure instanceof Failure)) throw new Error(`no Failure: ${failure}`);
	return failure;
}

/** Numbers that look like chance and are the same in every run (Lehmer). */
function seeded(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state * 48_271) % 0x7fff_ffff;
		return state / 0x7fff_ffff;
	};
}

describe("the order of SRV records (RFC 2782)", () => {
	it("is by priority, the lowest first, whatever the weights", () => {
		const records = [srv("c", { priority: 20 }), srv("a", { priority: 5, weight: 1 }), srv("b", { priority: 10, weight: 65_535 })];
		expect(inSrvOrder(records, Math.random, []).map(({ name }) => name)).toEqual(["a", "b", "c"]);
	});

	it("keeps to who was read before, the last one first, within a priority: a USN counts on one domain controller only", () => {
		const records = ["a", "b", "c", "d"].map((name) => srv(`${name}.test`, name === "a" ? { priority: 1 } : {}));
		for (let draw = 0; draw < 50; draw++) {
			const order = inSrvOrder(records, Math.random, ["gone.test", "A.test", "C.test", "d.test"]);
			expect(order.map(({ name }) => name)).toEqual(["c.test", "d.test", "b.test", "a.test"]);
		}
	});

	it("gives those of one priority the first place by their weights, and leaves nobody out", () => {
		const random = seeded(42);
		const records = [srv("small", { weight: 100 }), srv("large", { weight: 300 }), srv("none", { weight: 0 })];
		const first: Record<string, number> = { small: 0, large: 0, none: 0 };
		const second: Record<string, number> = { small: 0, large: 0, none: 0 };
		for (let draw = 0; draw < 20_000; draw++) {
			const order = inSrvOrder(records, random, []).map(({ name }) => name);
			expect(order).toHaveLength(3);
			first[order[0] as string] = (first[order[0] as string] ?? 0) + 1;
			second[order[1] as string] = (second[order[1] as string] ?? 0) + 1;
		}
		expect(first["small"]).toBeGreaterThan(4800);
		expect(first["small"]).toBeLessThan(5200);
		// A weight of 0 is hardly ever first: one in 401.
		expect(first["none"]).toBeGreaterThan(10);
		expect(first["none"]).toBeLessThan(150);
		expect(second["none"]).toBeLessThan(300);
	});
});

describe("discovering domain controllers", () => {
	it("asks for those of the site and for all of the domain, and puts the site's first, each host once", async () => {
		const found = await find(
			{
				[london]: [srv("dc3.corp.example.test"), srv("dc4.corp.example.test", { priority: 1 })],
				[controllers]: [srv("dc1.corp.example.test"), srv("DC3.corp.example.test"), srv("dc4.corp.example.test")],
			},
			{ site: "London" },
		);
		expect(dns.asked).toEqual([london.toLowerCase(), controllers]);
		expect(found.urls).toEqual(["ldaps://dc3.corp.example.test", "ldaps://dc4.corp.example.test", "ldaps://dc1.corp.example.test"]);
		expect(found.near).toEqual(found.urls.slice(0, 2));
		expect(found.warnings).toEqual([]);
	});

	it("goes on with the whole domain when the site has none, and says so", async () => {
		const found = await find({ [controllers]: [srv("dc1.corp.example.test")] }, { site: "London" });
		expect(found.urls).toEqual(["ldaps://dc1.corp.example.test"]);
		expect(found.warnings).toEqual([`DNS names no domain controller of site London (asked for ${london})`]);
	});

	it("takes the domain's LDAP servers where there is no Active Directory", async () => {
		const found = await find({ [anyServer]: [srv("ldap.corp.example.test")] });
		expect(dns.asked).toEqual([controllers, anyServer]);
		expect(found).toMatchObject({ urls: ["ldaps://ldap.corp.example.test"], isActiveDirectory: false });
	});

	it.each([
		{ scheme: "ldaps", port: 389, url: "ldaps://dc1.corp.example.test", why: "AD registers its plain port only" },
		{ scheme: "ldaps", port: 3268, url: "ldaps://dc1.corp.example.test", why: "the global catalogue is not what we read" },
		{ scheme: "ldaps", port: 1636, url: "ldaps://dc1.corp.example.test:1636", why: "somebody meant it" },
		{ scheme: "ldap", port: 389, url: "ldap://dc1.corp.example.test", why: "StartTLS begins on the plain port" },
		{ scheme: "ldap", port: 1389, url: "ldap://dc1.corp.example.test:1389", why: "somebody meant it" },
	] as const)("makes $url of $scheme and port $port: $why", async ({ scheme, port, url }) => {
		const { urls, addresses } = await find({ [controllers]: [srv("dc1.corp.example.test", { port })] }, { scheme });
		expect(urls).toEqual([url]);
		expect(addresses).toMatchObject([{ host: "dc1.corp.example.test", isSecure: scheme === "ldaps" }]);
	});

	it.each([
		["the name does not exist", {}],
		["the name has no such records", { [controllers]: [], [anyServer]: [] }],
		['the target is ".": decidedly no such service', { [controllers]: [srv(".")], [anyServer]: [srv(".")] }],
	])("names what it asked for, and the remedy, when %s", async (_, zone) => {
		const failure = await failureOf(find(zone));
		expect(failure).toMatchObject({ code: "SOURCE_UNREACHABLE", hint: expect.stringContaining(`nslookup -type=SRV ${controllers}`) });
		expect(failure.message).toBe(`DNS names no server of corp.example.test (asked for ${controllers} and ${anyServer})`);
	});

	it.each([
		["fails", "SERVFAIL", "ESERVFAIL"],
		["does not answer", "silence", "ETIMEOUT"],
	] as const)("takes a DNS server that %s for no answer, not for a domain without servers", async (_, answer, code) => {
		const failure = await failureOf(find({ [controllers]: answer, [anyServer]: [srv("ldap.corp.example.test")] }));
		expect(failure).toMatchObject({ code: "SOURCE_UNREACHABLE", message: `DNS gave no answer for ${controllers} (${code})` });
		expect(failure.hint).toContain("DNS servers");
	});

	it("stops at once when the process is ending", async () => {
		dns.change({ [controllers]: "silence" });
		const stop = new AbortController();
		const question = { discovery: discovery(), site: undefined, trustsAnyName: false, random: () => 0, readBefore: [], timeoutMs: 5000 };
		const wait = failureOf(discover(question, stop.signal));
		stop.abort();
		expect(await wait).toMatchObject({ code: "CANCELLED" });
	});

	it("does not follow DNS out of the domain while any public authority could vouch for the host there", async () => {
		const zone = { [controllers]: [srv("dc.evil.test"), srv("dc1.corp.example.test"), srv("evilcorp.example.test")] };
		const found = await find(zone);
		expect(found.urls).toEqual(["ldaps://dc1.corp.example.test"]);
		expect(found.warnings).toEqual([expect.stringContaining("dc.evil.test, evilcorp.example.test, which is not in corp.example.test")]);
		const failure = await failureOf(find({ [controllers]: [srv("dc.evil.test")] }));
		expect(failure).toMatchObject({ code: "SOURCE_UNTRUSTED", hint: expect.stringContaining("tls.ca") });
	});

	it.each([
		{ what: "a private authority", tls: { ca: "PEM" }, scheme: "ldaps" },
		{ what: "a name that the certificate must carry", tls: { servername: "dc.corp.example.test" }, scheme: "ldaps" },
		{ what: "no TLS, which protects nothing anyway,", tls: {}, scheme: "ldap" },
	] as const)("with $what a host may be anywhere", async ({ tls, scheme }) => {
		dns.change({ [controllers]: [srv("dc1.elsewhere.test")] });
		const given = options([], { discovery: discovery({ scheme }), tls: { ...noTls, ...tls } });
		expect((await findServers(given, never)).addresses).toMatchObject([{ host: "dc1.elsewhere.test" }]);
	});
});

describe("a source's servers", () => {
	it("are told to a person as they are configured", () => {
		expect(describeServers({ urls: ["ldaps://dc1", "ldaps://dc2"], discovery: undefined })).toBe("ldaps://dc1, ldaps://dc2");
		expect(describeServers({ urls: [], discovery: discovery({ site: "London" }) })).toBe(
			"the servers of corp.example.test by DNS, site London first",
		);
	});

	it("are discovered anew each time, and are the last ones known, with a warning, while DNS fails", async () => {
		const given = options([], { discovery: discovery(), clock: () => Date.parse("2026-10-17T02:00:00Z") });
		const hosts = async () => {
			const { addresses, warnings } = await findServers(given, never);
			return { hosts: addresses.map(({ host }) => host), warnings };
		};
		dns.change({ [controllers]: [srv("dc1.corp.example.test")] });
		expect(await hosts()).toEqual({ hosts: ["dc1.corp.example.test"], warnings: [] });
		dns.change({ [controllers]: [srv("dc2.corp.example.test")] });
		expect(await hosts()).toEqual({ hosts: ["dc2.corp.example.test"], warnings: [] });
		dns.change({ [controllers]: "SERVFAIL" });
		expect(await hosts()).toEqual({
			hosts: ["dc2.corp.example.test"],
			warnings: [`DNS gave no answer for ${controllers} (ESERVFAIL); the servers that it named at 2026-10-17T02:00:00Z are used`],
		});
		dns.change({});
		expect((await hosts()).warnings).toEqual([expect.stringContaining("DNS names no server of corp.example.test")]);
	});
});

describe("failing over", () => {
	async function serve(script: Script): Promise<FakeServer> {
		const server = await startFakeServer(script);
		closing.push(server.close);
		return server;
	}
	const anything = { kind: "present", attribute: "objectClass" } as const;
	const rootDse = { base: "", scope: "base", filter: anything, attributes: [] } as const;

	it("takes a server that broke in the middle of a reading after the others for ten minutes, and says until when", async () => {
		let now = Date.parse("2026-10-17T02:00:00Z");
		const one = await serve((came, reply) => {
			if (came.kind === "search") reply.reset();
		});
		const two = await serve(() => {});
		const clock = () => now;
		const given = options([one.url, two.url], { memory: makeServerMemory(clock), clock });

		const broken = await openConnection(given, never);
		expect(broken.server).toBe(one.url);
		await expect(search(broken.session, rootDse)).rejects.toMatchObject({ code: "SOURCE_BROKE" });

		const next = await openConnection(given, never);
		next.session.close();
		expect(next.server).toBe(two.url);
		expect(next.warnings).toEqual([
			expect.stringMatching(
				new RegExp(`^${one.url} is tried after the others until 2026-10-17T02:10:00Z, since it failed: .* in the middle of`),
			),
		]);
		now += 10 * 60_000;
		const later = await openConnection(given, never);
		later.session.close();
		expect(later).toMatchObject({ server: one.url, warnings: [] });
	});

	it("does so with a server that says it is busy or shutting down, and with one that does not answer", async () => {
		const busy = await serve((came, reply) => {
			if (came.kind === "search") reply.done({ code: 51, message: "busy" });
		});
		const other = await serve(() => {});
		const given = options(["ldap://127.0.0.1:1", busy.url, other.url]);
		const first = await openConnection(given, never);
		expect(first.server).toBe(busy.url);
		await expect(search(first.session, rootDse)).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
		first.session.close();
		const second = await openConnection(given, never);
		second.session.close();
		expect(second.server).toBe(other.url);
		expect(second.warnings).toEqual([expect.stringContaining("ECONNREFUSED"), expect.stringContaining("busy (51)")]);
	});

	it("tries those that all broke in the order in which they did, the one that had longest to recover first", async () => {
		let now = 0;
		const memory = makeServerMemory(() => now);
		const given = options(["ldaps://dc1", "ldaps://dc2", "ldaps://dc3"], { memory });
		memory.broke("ldaps://dc2", "reset");
		now += 1000;
		memory.broke("ldaps://dc1", "reset");
		expect((await findServers(given, never)).addresses.map(({ host }) => host)).toEqual(["dc3", "dc2", "dc1"]);
	});

	it("still uses it when there is no other, and holds nothing against a connection that we closed", async () => {
		const only = await serve((came, reply) => {
			if (came.kind === "search") reply.reset();
		});
		const given = options([only.url]);
		const broken = await openConnection(given, never);
		await expect(search(broken.session, rootDse)).rejects.toMatchObject({ code: "SOURCE_BROKE" });
		const again = await openConnection(given, never);
		expect(again).toMatchObject({ server: only.url, warnings: [] });
		const memory = makeServerMemory(Date.now);
		const closed = await openConnection({ ...given, memory }, never);
		closed.session.close();
		expect(memory.breakOf(only.url)).toBeUndefined();
	});
});
