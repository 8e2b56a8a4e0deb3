import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { Found } from "../../src/source/source.ts";
import type { OpenLdap } from "../support/openldap.ts";
import { escapeValue } from "./directory.ts";
import { ldapPlaces, ldapWriter } from "./ldap-directory.ts";
import { byUid, ldapSource, readLdap } from "./ldap-reader.ts";
import { oddNames } from "./population.ts";
import { failureOf } from "./reader.ts";

type Options = Parameters<typeof ldapSource>[1];

export function ldapFindContract(server: () => OpenLdap): void {
	const places = () => ldapPlaces(server());
	const source = (options: Options = {}) =>
		ldapSource(server(), { bases: [places().people], ...options, users: { exclude: [places().excluded], ...options.users } });
	const find = (user: string, options: Options = {}): Promise<Found> => source(options).find(user, new AbortController().signal);
	const placesFound = async (user: string, options: Options = {}) => (await find(user, options)).people.map(({ place }) => place);
	const filtered = (filter: string): Options => ({ users: { filter } });

	describe("asked for a person", () => {
		beforeAll(async () => {
			const { add, person } = ldapWriter(server());
			const { people, groups, berlin } = places();
			await add(
				person("FindMe", people, { mail: ["first@find.test", "other@find.test"] }),
				...[1, 2].map((number) => person(`FindTwin${number}`, number === 1 ? people : berlin, { mail: "twins@find.test" })),
				...Array.from({ length: 12 }, (_, number) => person(`FindFlock${number}`, people, { mail: "flock@find.test" })),
				[`cn=FindGroup,${groups}`, { objectClass: "groupOfNames", member: people }],
				[`uid=findaccount,${people}`, { objectClass: "account", uid: "findaccount" }],
			);
		});

		it("finds them by each of their names, and by no part of one", async () => {
			const anchor = await ldapWriter(server()).anchor("(uid=findme)");
			const dn = `cn=FindMe,${places().people}`;
			for (const name of [
				"findme",
				"FINDME",
				"FindMe",
				"first@find.test",
				"Other@Find.test",
				anchor,
				anchor.toUpperCase(),
				dn,
				dn.toUpperCase(),
			]) {
				const { people, server: asked } = await find(name);
				expect(people, name).toMatchObject([{ anchor, place: { kind: "in-scope" } }]);
				expect(dnKey(people[0]?.dn as string)).toBe(dnKey(dn));
				expect(asked).toBe(server().url);
			}
			for (const part of ["findm", "first", "@find.test", `cn=Find,${places().people}`])
				expect((await find(part)).people, part).toEqual([]);
		});

		it("hands out the entry as a reading would", async () => {
			for (const uid of ["findme", "locked"]) {
				const [found] = (await find(uid)).people;
				expect(source().decode(found?.raw as Uint8Array)).toEqual(byUid(await readLdap(source()), uid));
			}
		});

		it("finds nobody by what only looks like a filter, and those whose names do", async () => {
			for (const text of [
				"*",
				"*)(objectClass=*",
				"ordinary*",
				"\\2a",
				"\\",
				"(",
				")",
				"(objectClass=*)",
				"\u0000",
				"ordinary1\u0000",
				"",
				" ",
			])
				expect((await find(text)).people, JSON.stringify(text)).toEqual([]);
			for (const text of ["foo=bar", `foo=bar,${server().baseDn}`, "cn=Ann,dc=elsewhere,dc=test", "cn=", `,${places().people}`])
				expect((await find(text)).people, text).toEqual([]);
			for (const [number, name] of oddNames.entries()) {
				const anchor = await ldapWriter(server()).anchor(`(uid=odd${number})`);
				const dn = `cn=${escapeValue(name)},${number % 2 === 0 ? places().people : places().berlin}`;
				for (const called of [name, dn]) expect((await find(called)).people, called).toMatchObject([{ anchor }]);
			}
		});

		it("finds all who have one address, and ten of many", async () => {
			const { people } = await find("twins@find.test");
			expect(people.map(({ dn }) => dn.split(",")[0]).sort()).toEqual(["cn=FindTwin1", "cn=FindTwin2"]);
			expect((await find("flock@find.test")).people).toHaveLength(10);
		});

		it("says what keeps them out of scope: where they are, an exclusion, the filter", async () => {
			expect(await placesFound("second1")).toEqual([{ kind: "elsewhere", where: "in ou=Second, beneath none of the bases" }]);
			expect(await placesFound("robot1")).toEqual([{ kind: "excluded", by: places().excluded }]);
			expect(await placesFound("bare", filtered("(&(uid=*)(|(title=*)(mail=*)))"))).toEqual([
				{ kind: "filtered", why: "(|(title=*)(mail=*)) does not match: title has no value, mail has no value" },
			]);
			expect(await placesFound("findme", filtered("(!(title=Title))"))).toEqual([
				{ kind: "filtered", why: '(!(title=Title)) does not match: title is "Title"' },
			]);
			expect(await placesFound("findme", filtered("(modifyTimestamp<=20000101000000Z)"))).toEqual([
				{ kind: "filtered", why: "(modifyTimestamp<=20000101000000Z) does not match" },
			]);
			expect(await placesFound("findme", filtered("(title=Title)"))).toEqual([{ kind: "in-scope" }]);
		});

		it("says what they are who are no people, wherever they are", async () => {
			expect(await placesFound("printer")).toEqual([{ kind: "not-a-person", what: "a device" }]);
			expect(await placesFound("FindGroup")).toEqual([{ kind: "not-a-person", what: "a group" }]);
			expect(await placesFound("findaccount")).toEqual([{ kind: "not-a-person", what: "an object of class account" }]);
			expect(await placesFound(places().people)).toEqual([{ kind: "not-a-person", what: "an organizational unit" }]);
		});

		it("fails as a reading does: without a server, with the wrong password", async () => {
			expect(await failureOf(find("findme", { urls: ["ldap://127.0.0.1:1"] }))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
			const wrong = { ...server().reader, password: "wrong" };
			expect(await failureOf(find("findme", { bind: wrong }))).toMatchObject({ code: "SOURCE_REFUSED" });
			expect((await find("findme", { urls: ["ldap://127.0.0.1:1", server().url] })).people).toHaveLength(1);
			expect(await failureOf(source().find("findme", AbortSignal.abort()))).toMatchObject({ code: "CANCELLED" });
		});
	});

	describe("told of an entry of the snapshot", () => {
		const judged = async (uid: string, options: Options, more: readonly string[] = []) => {
			const entry = byUid(await readLdap(ldapSource(server())), uid);
			const asked = [...source().attributes, ...more].map((name) => name.toLowerCase());
			return source({ ...options, urls: ["ldap://127.0.0.1:1"] }).placeOf(entry, new Set(asked));
		};

		it("says where it stands towards this scope, without asking", async () => {
			expect(await judged("findme", {})).toEqual({ kind: "in-scope" });
			expect(await judged("second1", {})).toEqual({ kind: "elsewhere", where: `in ${places().second}, beneath none of the bases` });
			expect(await judged("robot1", {})).toEqual({ kind: "excluded", by: places().excluded });
			expect(await judged("bare", filtered("(mail=*)"))).toEqual({ kind: "filtered", why: "(mail=*) does not match: mail has no value" });
			expect(await judged("tagged", filtered("(displayName=deutsch)"))).toEqual({ kind: "in-scope" });
			const other = { overrides: { people: "(objectClass=posixAccount)" } };
			expect(await judged("findme", other)).toEqual({ kind: "not-a-person", what: "an object of class inetOrgPerson" });
		});

		it("compares by octets what is no text", async () => {
			const entry = byUid(await readLdap(source()), "findme");
			const pictured = {
				...entry,
				attributes: new Map([...entry.attributes, ["jpegphoto", [Buffer.from([0xff, 0xd8]).toString("base64")]]]),
			};
			const placeOf = (filter: string) => source(filtered(filter)).placeOf(pictured, new Set(["objectclass", "jpegphoto"]));
			expect(placeOf("(jpegPhoto=\\ff\\d8)")).toEqual({ kind: "in-scope" });
			expect(placeOf("(jpegPhoto=\\ff)")).toMatchObject({ kind: "filtered" });
		});

		it("cannot tell by what was not asked for", async () => {
			const why = "(carLicense=*) cannot be told: carLicense is not known";
			expect(await judged("findme", filtered("(carLicense=*)"))).toEqual({ kind: "unknown", why });
			expect(await judged("findme", filtered("(carLicense=*)"), ["carlicense"])).toMatchObject({ kind: "filtered" });
			expect(await judged("findme", filtered("(|(carLicense=*)(uid=findme))"))).toEqual({ kind: "in-scope" });
		});
	});
}
