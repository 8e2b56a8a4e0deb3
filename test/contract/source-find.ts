import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { ActiveDirectoryOptions } from "../../src/source/active-directory/options.ts";
import type { Found } from "../../src/source/source.ts";
import { type Directory, person } from "./directory.ts";
import { addPerson, oddNames, placesOf } from "./population.ts";
import { anchorAt, byLogon, failureOf, read, sourceOn } from "./reader.ts";

/** Asking for one person by name; `seesDeleted` is an account that may read deleted objects. */
export function findContract(directory: () => Directory, seesDeleted: () => ActiveDirectoryOptions["bind"]): void {
	const places = () => placesOf(directory());
	const users = (filter?: string) => ({ filter, exclude: [places().excluded], groups: [] });
	const source = (options: Partial<ActiveDirectoryOptions> = {}) =>
		sourceOn(directory(), { bases: [places().people], users: users(), ...options });
	const find = (user: string, options: Partial<ActiveDirectoryOptions> = {}): Promise<Found> =>
		source(options).find(user, new AbortController().signal);
	const placesFound = async (user: string, options: Partial<ActiveDirectoryOptions> = {}) =>
		(await find(user, options)).people.map(({ place }) => place);
	const at = (name: string): string => `${name}@${directory().domain}`;

	describe("asked for a person", () => {
		beforeAll(async () => {
			const addresses = [`SMTP:${at("f.first")}`, "smtp:f.other@elsewhere.test"];
			await addPerson(directory(), "Find Me", places().people, "findme", {
				userPrincipalName: "f.principal@elsewhere.test",
				mail: at("f.mail"),
				proxyAddresses: addresses,
			});
			for (const number of [1, 2]) await addPerson(directory(), `Twin ${number}`, places().people, `twin${number}`, { mail: at("twins") });
			for (let number = 0; number < 12; number++)
				await addPerson(directory(), `Flock ${number}`, places().people, `flock${number}`, { mail: at("flock") });
			await directory().add(`CN=Find Group,${places().second}`, {
				objectClass: "group",
				sAMAccountName: "findgroup",
				mail: at("findgroup"),
			});
		}, 60_000);

		it("finds them by each of their names, and by no part of one", async () => {
			const anchor = await anchorAt(directory(), "findme");
			const dn = person("Find Me", places().people);
			const names = [
				...["f.principal@elsewhere.test", "F.PRINCIPAL@elsewhere.test", at("f.mail"), at("f.first"), "f.other@elsewhere.test"],
				...["findme", "CORP\\findme", at("findme"), anchor, anchor.toUpperCase(), `{${anchor}}`, dn, dn.toLowerCase()],
			];
			for (const name of names) {
				const { people, server } = await find(name);
				expect(people, name).toMatchObject([{ anchor, place: { kind: "in-scope" } }]);
				expect(dnKey(people[0]?.dn as string)).toBe(dnKey(dn));
				expect(server).toBe(directory().connection.urls[0]);
			}
			for (const part of ["findm", "f.mail", "findme@elsewhere.test", `CN=Find,${places().people}`, "smtp:f.other@elsewhere.test"])
				expect((await find(part)).people, part).toEqual([]);
		});

		it("hands out the entry as a reading would", async () => {
			const [found] = (await find("findme")).people;
			const asRead = byLogon(await read(source()), "findme");
			expect(source().decode(found?.raw as Uint8Array)).toEqual(asRead);
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
			for (const text of ["foo=bar", `foo=bar,${directory().baseDn}`, "CN=Ann,DC=elsewhere,DC=test", "cn=", `,${places().people}`])
				expect((await find(text)).people, text).toEqual([]);
			for (const [number, name] of oddNames.entries()) {
				const dn = person(name, number % 2 === 0 ? places().people : places().berlin);
				expect((await find(dn)).people, name).toMatchObject([{ anchor: await anchorAt(directory(), `odd${number}`) }]);
			}
		});

		it("finds all who have one address, and ten of many", async () => {
			const twins = await Promise.all(["twin1", "twin2"].map((logon) => anchorAt(directory(), logon)));
			expect((await find(at("twins"))).people.map(({ anchor }) => anchor).sort()).toEqual([...twins].sort());
			expect((await find(at("flock"))).people).toHaveLength(10);
		});

		it("says what keeps them out of scope: where they are, an exclusion, the filter", async () => {
			expect(await placesFound("second1")).toEqual([{ kind: "elsewhere", where: "in OU=Second,OU=Contract, beneath none of the bases" }]);
			expect(await placesFound("robot1")).toEqual([{ kind: "excluded", by: places().excluded }]);
			expect(await placesFound("bare", { users: users("(&(department=Research)(|(mail=*)(proxyAddresses=*)))") })).toEqual([
				{ kind: "filtered", why: "(|(mail=*)(proxyAddresses=*)) does not match: mail has no value, proxyAddresses has no value" },
			]);
			expect(await placesFound("findme", { users: users("(!(department=Research))") })).toEqual([
				{ kind: "filtered", why: '(!(department=Research)) does not match: department is "Research"' },
			]);
			// What the filter asks about moves with every logon, and is not read.
			expect(await placesFound("findme", { users: users("(lastLogonTimestamp=1)") })).toEqual([
				{ kind: "filtered", why: "(lastLogonTimestamp=1) does not match" },
			]);
			expect(await placesFound("findme", { users: users("(department=Research)") })).toEqual([{ kind: "in-scope" }]);
		});

		it("says what they are who are no people, wherever they are", async () => {
			expect(await placesFound("contact@elsewhere.test")).toEqual([{ kind: "not-a-person", what: "a contact" }]);
			expect(await placesFound("PC1$")).toEqual([{ kind: "not-a-person", what: "a computer" }]);
			expect(await placesFound(at("findgroup"))).toEqual([{ kind: "not-a-person", what: "a group" }]);
			expect(await placesFound(places().people)).toEqual([{ kind: "not-a-person", what: "an organizational unit" }]);
		});

		it("finds the tombstone of who was deleted, if it may see those, by GUID, logon name or the name before", async () => {
			const { people } = places();
			const dn = await addPerson(directory(), "Find, Deleted", people, "finddeleted");
			const anchor = await anchorAt(directory(), "finddeleted");
			await directory().remove(dn);
			const before = Date.now() - 3_600_000;
			for (const name of [anchor, "finddeleted", at("finddeleted"), "CORP\\finddeleted", "Find, Deleted", dn]) {
				expect((await find(name)).people, name).toEqual([]);
				const found = (await find(name, { bind: seesDeleted() })).people;
				expect(found, name).toMatchObject([{ anchor, place: { kind: "deleted", where: "in OU=People,OU=Contract" } }]);
				const [place] = found.map((one) => one.place);
				expect(place?.kind === "deleted" && (place.changedAt as number) > before, name).toBe(true);
				expect(
					source()
						.decode(found[0]?.raw as Uint8Array)
						.attributes.get("samaccountname"),
				).toEqual(["finddeleted"]);
			}
			for (const name of ["Find", "Find*", person("Find, Deleted", places().second)])
				expect((await find(name, { bind: seesDeleted() })).people, name).toEqual([]);
			await directory().add(person("Find Successor", people), { objectClass: "contact", mail: at("finddeleted") });
			const both = await placesFound(at("finddeleted"), { bind: seesDeleted() });
			expect(both).toMatchObject([{ kind: "not-a-person", what: "a contact" }, { kind: "deleted" }]);
			await addPerson(directory(), "Find, Deleted", people, "finddeleted");
			expect(await placesFound("finddeleted", { bind: seesDeleted() })).toEqual([{ kind: "in-scope" }]);
			await directory().remove(dn);
		});

		it("does not take for a deleted person what was none", async () => {
			const dn = `CN=Find Gone,${places().second}`;
			await directory().add(dn, { objectClass: "group", sAMAccountName: "findgone" });
			await directory().remove(dn);
			expect(await placesFound("findgone", { bind: seesDeleted() })).toEqual([{ kind: "not-a-person", what: "a group, deleted" }]);
		});

		it("fails as a reading does: without a server, with the wrong password", async () => {
			expect(await failureOf(find("findme", { urls: ["ldap://127.0.0.1:1"] }))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
			const { bind, urls } = directory().connection;
			expect(await failureOf(find("findme", { bind: { ...bind, password: "wrong" } }))).toMatchObject({ code: "SOURCE_REFUSED" });
			expect((await find("findme", { urls: ["ldap://127.0.0.1:1", ...urls] })).people).toHaveLength(1);
			expect(await failureOf(source().find("findme", AbortSignal.abort()))).toMatchObject({ code: "CANCELLED" });
		});
	});

	describe("told of an entry of the snapshot", () => {
		const judged = async (logon: string, options: Partial<ActiveDirectoryOptions>, asked = source().attributes) => {
			const entry = byLogon(await read(sourceOn(directory())), logon);
			return source(options).placeOf(entry, new Set(asked.map((name) => name.toLowerCase())));
		};

		it("says where it stands towards this scope, without asking", async () => {
			const unreachable = { urls: ["ldap://127.0.0.1:1"] };
			expect(await judged("findme", unreachable)).toEqual({ kind: "in-scope" });
			const where = `in ${places().second}, beneath none of the bases`;
			expect(await judged("second1", unreachable)).toEqual({ kind: "elsewhere", where });
			expect(await judged("robot1", unreachable)).toEqual({ kind: "excluded", by: places().excluded });
			expect(await judged("bare", { ...unreachable, users: users("(mail=*)") })).toEqual({
				kind: "filtered",
				why: "(mail=*) does not match: mail has no value",
			});
			const enabled = "(!(userAccountControl:1.2.840.113556.1.4.803:=2))";
			expect(await judged("findme", { users: users(enabled) })).toEqual({ kind: "in-scope" });
			expect(await judged("disabled", { users: users(enabled) })).toMatchObject({ kind: "filtered" });
			const guid = await anchorAt(directory(), "findme");
			expect(await judged("findme", { users: users(`(objectGUID=${guid})`) })).toEqual({ kind: "in-scope" });
			const dn = person("Find Me", places().people);
			expect(await judged("findme", { users: users(`(distinguishedName=${dn})`) })).toEqual({ kind: "in-scope" });
		});

		it("cannot tell by what was not asked for", async () => {
			const unknown = (filter: string, name: string) => ({ kind: "unknown", why: `${filter} cannot be told: ${name} is not known` });
			expect(await judged("findme", { users: users("(company=*)") })).toEqual(unknown("(company=*)", "company"));
			expect(await judged("findme", { users: users("(!(company=*))") })).toEqual(unknown("(!(company=*))", "company"));
			expect(await judged("findme", { users: users("(company=*)") }, [...source().attributes, "company"])).toMatchObject({
				kind: "filtered",
			});
			expect(await judged("findme", { users: users("(&(company=*)(mail=nobody))") })).toMatchObject({
				kind: "filtered",
				why: `(mail=nobody) does not match: mail is "${at("f.mail")}"`,
			});
			const own = "(implicitUserPrincipalName=*)";
			expect(await judged("findme", { users: users(own) })).toEqual(unknown(own, "implicitUserPrincipalName"));
		});
	});
}
