import { afterEach, describe, expect, it } from "vitest";
import { openConnection } from "../../../src/source/ldap/connection.ts";
import type { Discovery } from "../../../src/source/ldap/discovery.ts";
import { clientSite } from "../../../src/source/ldap/site.ts";
import type { SrvRecord } from "../../../src/source/ldap/srv.ts";
import { options } from "../../support/connecting.ts";
import { type FakeServer, startFakeServer } from "../../support/fake-server.ts";

const domain = "corp.example.test";

/** What a domain controller of Samba 4.17 answered: dc1 in Default-First-Site-Name, the client in London. */
const answered = Buffer.from(
	"FwAAAB0RAAB4yBOOLG/eTKTRZzhL2orxBGNvcnAHZXhhbXBsZQR0ZXN0AMAYA2RjMcAYBENPUlAAA0RDMQAAF0RlZmF1bHQtRmlyc3QtU2l0ZS1OYW1lAAZMb25kb24ABQAAAP////8=",
	"base64",
);

/** The same without a site for the client, as where its subnet belongs to none. */
function withoutSite(): Buffer {
	const at = answered.indexOf("London") - 1;
	return Buffer.concat([answered.subarray(0, at), Buffer.from([0]), answered.subarray(at + 8)]);
}

describe("the answer of a domain controller's LDAP ping", () => {
	it("names the site that the client is in", () => {
		expect(clientSite(answered)).toBe("London");
	});

	it("may name none", () => {
		expect(clientSite(withoutSite())).toBeUndefined();
	});

	it("is nothing when it is cut short anywhere, of another kind, or goes round in circles", () => {
		const end = answered.indexOf("London") + "London".length;
		for (let length = 0; length < end; length++) expect(clientSite(answered.subarray(0, length))).toBeUndefined();
		expect(clientSite(Buffer.concat([Buffer.from([19]), answered.subarray(1)]))).toBeUndefined();
		const circle = Buffer.from(answered);
		circle.writeUInt16BE(0xc000 | answered.indexOf(Buffer.from([0xc0, 0x18])), answered.indexOf(Buffer.from([0xc0, 0x18])));
		expect(clientSite(circle)).toBeUndefined();
	});
});

describe("a domain found by DNS, its site not configured", () => {
	const closing: (() => Promise<unknown>)[] = [];
	afterEach(async () => {
		for (const close of closing.splice(0)) await close();
	});

	async function controller(netlogon: () => Buffer | undefined): Promise<FakeServer> {
		const server = await startFakeServer((came, reply) => {
			if (came.kind !== "search") return;
			const answer = netlogon();
			reply.entry("", came.attributes.includes("netlogon") && answer !== undefined ? { netlogon: answer } : {});
			reply.done();
		});
		closing.push(server.close);
		return server;
	}

	const record = (server: FakeServer): SrvRecord => ({ name: "127.0.0.1", port: server.port, priority: 0, weight: 100 });

	/** DNS as it stands: all controllers, and those of London. */
	function discovery(all: readonly FakeServer[], london: readonly FakeServer[], asked: string[] = []): Discovery {
		const zone: Readonly<Record<string, readonly FakeServer[]>> = {
			[`_ldap._tcp.dc._msdcs.${domain}`]: all,
			[`_ldap._tcp.London._sites.dc._msdcs.${domain}`]: london,
		};
		const resolver = async (name: string) => {
			asked.push(name);
			return (zone[name] ?? []).map(record);
		};
		return { domain, site: undefined, resolver, scheme: "ldap" };
	}

	async function serverOf(given: Parameters<typeof openConnection>[0]): Promise<string> {
		const connection = await openConnection(given, new AbortController().signal);
		connection.session.close();
		return connection.server;
	}

	it("is read from a controller of this machine's own site, which the first one that answers names", async () => {
		const [far, near] = [await controller(() => answered), await controller(() => answered)];
		const given = options([], { discovery: discovery([far, near], [near]) });
		expect(await serverOf(given)).toBe(near.url);
		expect(far.connections()).toBe(1);
		// From then on the near one comes first.
		expect(await serverOf(given)).toBe(near.url);
		expect(far.connections()).toBe(1);
	});

	it("stays where it is when that controller is of the site, or the site has none", async () => {
		const [one, two] = [await controller(() => answered), await controller(() => answered)];
		expect(await serverOf(options([], { discovery: discovery([one, two], [two, one]) }))).toBe(one.url);
		expect(await serverOf(options([], { discovery: discovery([one, two], []) }))).toBe(one.url);
		expect(two.connections()).toBe(0);
	});

	it.each([
		["knows no site for this machine", withoutSite],
		["does not answer the ping", () => undefined],
		["answers it with something else", () => Buffer.from("nonsense")],
	])("is read from a controller that %s", async (_, netlogon) => {
		const [one, two] = [await controller(netlogon), await controller(netlogon)];
		expect(await serverOf(options([], { discovery: discovery([one, two], [two]) }))).toBe(one.url);
	});

	it("is not asked for a site that is configured", async () => {
		const asked: string[] = [];
		const [one, two] = [await controller(() => answered), await controller(() => answered)];
		const given = options([], { discovery: { ...discovery([one], [two], asked), site: "Paris" } });
		expect(await serverOf(given)).toBe(one.url);
		expect(asked[0]).toContain("Paris");
		expect(one.came.filter(({ kind }) => kind === "search")).toEqual([]);
	});
});
