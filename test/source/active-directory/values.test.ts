import { describe, expect, it } from "vitest";
import { fakeSource, putPerson, useFakeServers } from "../../support/fake-directory.ts";
import { fullRequest } from "../../support/requests.ts";

const serve = useFakeServers();

describe("what is asked for and does not come", () => {
	it("is absent, not empty (D7)", async () => {
		const { url } = await serve({
			people: (_, reply) => {
				putPerson(reply, 1, { displayName: [] });
				reply.done({ cookie: "" });
			},
		});
		const source = fakeSource(url);
		const reading = await source.read(fullRequest(), new AbortController().signal);
		for await (const page of reading.pages) {
			for (const { raw } of page)
				expect([...source.decode(raw).attributes.keys()].sort()).toEqual([
					"implicituserprincipalname",
					"objectguid",
					"samaccountname",
					"useraccountcontrol",
				]);
		}
		await reading.close();
	});

	it("is fetched to its end when it came as a part (D7)", async () => {
		const addresses = Array.from({ length: 3200 }, (_, n) => `smtp:a${n}@x.test`);
		const { url } = await serve({
			people: (_, reply) => {
				putPerson(reply, 1, { proxyAddresses: [], "proxyAddresses;range=0-1499": addresses.slice(0, 1500) });
				putPerson(reply, 2);
				reply.done({ cookie: "" });
			},
			other: (came, reply) => {
				const from = /^proxyAddresses;range=(\d+)-\*$/.exec(came.attributes[0] ?? "")?.[1];
				if (from === undefined) return false;
				const part = addresses.slice(Number(from), Number(from) + 1500);
				const last = Number(from) + part.length === addresses.length ? "*" : Number(from) + part.length - 1;
				reply.entry(came.base, { [`proxyAddresses;range=${from}-${last}`]: part });
				reply.done();
				return true;
			},
		});
		const source = fakeSource(url);
		const reading = await source.read(fullRequest(), new AbortController().signal);
		const found = [];
		for await (const page of reading.pages) for (const { raw } of page) found.push(source.decode(raw));
		await reading.close();
		expect(found.map(({ attributes }) => attributes.get("proxyaddresses")?.length)).toEqual([3200, undefined]);
		expect(found[0]?.attributes.get("othersmtpaddresses")?.at(-1)).toBe("a3199@x.test");
	});
});

it("a lookup asks for GUIDs by their octets (D8)", async () => {
	const server = await serve({ people: (_, reply) => reply.done({ cookie: "" }) });
	const source = fakeSource(server.url);
	const reading = await source.read(fullRequest(), new AbortController().signal);
	const anchor = "40f5e9b7-6038-4729-9b5f-000000000001" as never;
	await reading.lookup([{ anchor, dn: "CN=x,OU=People", had: [] }]);
	await reading.close();
	const octets = Buffer.from("b7e9f540386029479b5f000000000001", "hex");
	expect(server.came.some(({ filter }) => Buffer.from(filter).includes(octets))).toBe(true);
});
