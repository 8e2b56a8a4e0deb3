import { describe, expect, it } from "vitest";
import type { Anchor, Entry } from "../../../src/core/entry.ts";
import { startDemo } from "../../../src/demo/demo.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { addPerson, placesOf } from "../../contract/population.ts";
import { failureOf, sourceOn } from "../../contract/reader.ts";
import { base, fakeSource, putPerson, useFakeServers } from "../../support/fake-directory.ts";

const never = () => new AbortController().signal;

describe("a person asked for, of whom something is hidden", () => {
	it("is neither in scope nor out of it by a filter on what is hidden, and has no anchor where that is", async () => {
		const demo = await startDemo();
		const directory = directoryOnDemo(demo);
		const { people, root } = placesOf(directory);
		for (const dn of [root, people]) await directory.add(dn, { objectClass: "organizationalUnit" });
		await addPerson(directory, "Ann", people, "ann");
		const find = async (filter?: string) => {
			const source = sourceOn(directory, { bases: [people], users: { filter, exclude: [], groups: [] } });
			return (await source.find("ann@corp.example.com", never())).people;
		};
		const hide = (...attributes: string[]) =>
			demo.directory.setRights("svc-dirsyncd", { hiddenAttributes: attributes.map((attribute) => ({ attribute })) });
		hide("department");
		for (const filter of ["(department=*)", "(!(department=*))", "(department=Research)"]) {
			const why = `the server finds it neither by ${filter} nor by its contrary: department may be hidden from this account`;
			expect(await find(filter)).toMatchObject([{ place: { kind: "unknown", why } }]);
		}
		expect(await find("(&(department=*)(mail=nobody))")).toMatchObject([
			{ place: { kind: "filtered", why: expect.stringMatching(/^\(mail=nobody\) does not match: mail is "ann@[^;]*$/) } },
		]);
		hide("sAMAccountType");
		expect(await find()).toMatchObject([
			{ place: { kind: "unknown", why: expect.stringContaining("samaccounttype may be hidden from this account") } },
		]);
		hide("sAMAccountName");
		expect(await find("(&(department=IT)(!(sAMAccountName=*)))")).toMatchObject([
			{ place: { kind: "filtered", why: expect.stringMatching(/^[^;]*"Research"$/) } },
		]);
		const why = expect.stringMatching(/: samaccountname may be hidden from this account$/);
		expect(await find("(sAMAccountName=*)")).toMatchObject([{ place: { kind: "unknown", why } }]);
		hide("objectGUID");
		expect(await find()).toMatchObject([{ anchor: undefined, place: { kind: "in-scope" } }]);
		await demo.close();
	});
});

it("a person asked for is found with all values of an attribute that is handed out in parts", async () => {
	const demo = await startDemo();
	const directory = directoryOnDemo(demo);
	const proxyAddresses = Array.from({ length: 1600 }, (_, number) => `smtp:a${number}@corp.example.com`);
	await addPerson(directory, "Ann", `CN=Users,${demo.baseDn}`, "ann", { proxyAddresses });
	const source = sourceOn(directory);
	const [found] = (await source.find("a1599@corp.example.com", never())).people;
	expect(source.decode(found?.raw as Uint8Array).attributes.get("proxyaddresses")).toHaveLength(1600);
	await demo.close();
});

describe("an entry of the snapshot", () => {
	const photo = Buffer.from([0xff, 0xd8, 0xff]);
	const usual = { objectclass: ["top", "person", "user"], samaccounttype: ["805306368"], thumbnailphoto: [photo.toString("base64")] };
	const placeOf = (filter: string, attributes: Readonly<Record<string, readonly string[]>> = usual) => {
		const source = fakeSource("ldap://127.0.0.1:1", { users: { filter, exclude: [], groups: [] } });
		const anchor = "40f5e9b7-6038-4729-9b5f-0123456789ab" as Anchor;
		const entry: Entry = {
			anchor,
			dn: `CN=Ann,${base}`,
			attributes: new Map(Object.entries(attributes)),
			standing: "unknown",
			expiresAt: undefined,
		};
		return source.placeOf(entry, new Set(source.attributes.map((name) => name.toLowerCase())));
	};

	it("is compared by its octets where these are no text", () => {
		expect(placeOf("(thumbnailPhoto=\\ff\\d8\\ff)")).toEqual({ kind: "in-scope" });
		expect(placeOf("(thumbnailPhoto=\\ff\\d8)")).toMatchObject({ kind: "filtered" });
	});

	it("is not judged by what every person has and this one did not show", () => {
		const why = "(userAccountControl=512) cannot be told: userAccountControl is not known";
		expect(placeOf("(userAccountControl=512)")).toEqual({ kind: "unknown", why });
		expect(placeOf("(department=IT)")).toMatchObject({ kind: "filtered" });
		expect(placeOf("(department=IT)", {})).toMatchObject({ kind: "filtered" });
	});

	it("is not judged by an attribute that the filter names by its number", () => {
		expect(placeOf("(2.5.4.11=IT)")).toMatchObject({ kind: "unknown" });
	});

	it("is no person if it is a computer's account", () => {
		expect(placeOf("(cn=*)", { ...usual, samaccounttype: ["805306369"] })).toEqual({ kind: "not-a-person", what: "a computer's account" });
	});
});

describe("a person asked for, of a server that breaks", () => {
	const serve = useFakeServers();
	const domain = "DC=corp,DC=example,DC=test";

	it.each([
		{ how: "closes the connection", code: "SOURCE_BROKE" },
		{ how: "sends what is not LDAP", code: "SOURCE_PROTOCOL" },
		{ how: "sends an entry that is none", code: "SOURCE_PROTOCOL" },
		{ how: "says that it is busy", code: "SOURCE_UNREACHABLE" },
		{ how: "never answers", code: "SOURCE_UNREACHABLE" },
	])("is a failure when it $how: $code", async ({ how, code }) => {
		const server = await serve({
			people: (_, reply) => reply.done({ cookie: "" }),
			other: (came, reply) => {
				if (came.base !== domain || came.scope === 0) return false;
				if (how === "closes the connection") reply.cut();
				else if (how === "sends what is not LDAP") reply.bytes(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
				else if (how === "sends an entry that is none") {
					putPerson(reply, 1);
					const bytes = reply.take();
					// The list of attributes, which comes after the name, is not one any more.
					bytes[bytes.indexOf(base) + base.length] = 0x02;
					reply.bytes(bytes);
					reply.done();
				} else if (how === "says that it is busy") reply.done({ code: 51 });
				return true;
			},
		});
		const source = fakeSource(server.url, { timeouts: { connectMs: 2000, bindMs: 2000, requestMs: 300 } });
		expect(await failureOf(source.find("ann", never()))).toMatchObject({ code });
	});
});
