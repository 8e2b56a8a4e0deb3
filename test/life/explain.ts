import { afterAll, beforeAll, expect, it } from "vitest";
import { explanationText } from "../../src/cli/explain-text.ts";
import { openOutput } from "../../src/cli/output.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { type Directory, person } from "../contract/directory.ts";
import { addPerson, type Places, placesOf } from "../contract/population.ts";
import { anchorOf } from "../contract/reader.ts";
import { type Keeper, openKeeper } from "./engine.ts";

/** What `explain` says of people in a directory that speaks as Active Directory does. */
export function explainContract(open: () => Directory): void {
	let directory: Directory;
	let keeper: Keeper;
	let places: Places;
	const inPeople = (name: string) => person(name, places.people);

	const explain = async (user: string): Promise<Explanation> => {
		const found = await keeper.explain(user);
		expect(found, user).toHaveLength(1);
		// Whatever it is, it can be shown.
		expect([...explanationText(openOutput(process.stdout), found[0] as Explanation)].join("")).toContain("\n");
		return found[0] as Explanation;
	};

	const anchorAt = async (dn: string): Promise<string> => {
		const [record] = await directory.search(dn, "(objectClass=*)", ["objectGUID"]);
		return anchorOf(record as NonNullable<typeof record>);
	};

	beforeAll(async () => {
		directory = open();
		places = placesOf(directory);
		for (const dn of Object.values(places)) await directory.add(dn, { objectClass: "organizationalUnit" });
		const staff = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal"];
		for (const name of staff) await addPerson(directory, name, places.people, name.toLowerCase());
		await addPerson(directory, "Expired", places.people, "expired", { accountExpires: "132223104000000000" });
		await addPerson(directory, "Robot", places.excluded, "robot");
		await addPerson(directory, "Mailless", places.people, "mailless", { mail: [], proxyAddresses: [] });
		await addPerson(directory, "Second", places.second, "second");
		await directory.add(person("Contact", places.people), { objectClass: "contact", mail: "contact@elsewhere.test" });
		const group = (name: string, member: readonly string[]) =>
			directory.add(person(name, places.groups), { objectClass: "group", sAMAccountName: name, groupType: "-2147483646", member });
		await group("Team", [inPeople("Ada")]);
		await group("Sales", [person("Team", places.groups)]);
		keeper = openKeeper(directory, {
			base: places.people,
			exclude: [places.excluded],
			source: { users: { filter: "(mail=*)", exclude: [places.excluded] }, groups: { base: places.groups } },
			more: lines({
				features: [
					{ name: "search", when: { group: person("Sales", places.groups) } },
					{ name: "search", when: { filter: "(department=Legal)" } },
				],
				policies: [
					{ name: "mail", value: "block", when: { filter: "(department=Treasury)" } },
					{ name: "mail", value: "allow" },
				],
				limits: { disable: { count: 5, percent: "none" }, entitlement: { percent: "none" } },
				protect: [inPeople("Hal")],
			}),
		});
		expect(await keeper.sync("full")).toMatchObject({ sealed: true, created: 9 });
		await addPerson(directory, "Twin", places.people, "twin", { proxyAddresses: [`SMTP:ada@${directory.domain}`] });
		await directory.modify(inPeople("Ben"), { userAccountControl: "514" });
		await directory.move(inPeople("Cleo"), person("Cleo", places.second));
		await directory.modify(inPeople("Dan"), { mail: [] });
		await directory.move(inPeople("Eve"), person("Eve", places.excluded));
		await directory.remove(inPeople("Fay"));
		await directory.modify(inPeople("Hal"), { userAccountControl: "514" });
		expect(await keeper.sync("full")).toMatchObject({ sealed: true, disabled: 5, held: 1, quarantined: 1 });
	}, 120_000);
	afterAll(async () => keeper?.close());

	it("tells the whole story of somebody who is active", async () => {
		const { anchor, entry, scope, fields, groups, features, policies, account, targets, changes, ...ada } = await explain("ada");
		expect(ada).toMatchObject({ state: "active", source: "corp", held: [], refused: [], quarantine: undefined, notes: [] });
		expect(anchor).toBe(await anchorAt(inPeople("Ada")));
		expect(entry).toMatchObject({ run: 1, server: directory.connection.urls[0], seen: { run: 2, sealed: true } });
		expect(entry?.attributes["department"]).toEqual(["Research"]);
		expect(scope).toMatchObject({ isIn: true, line: "sources[0].base" });
		expect(fields.find(({ field }) => field === "userName")).toEqual({
			field: "userName",
			value: `ada@${directory.domain}`,
			template: "{userPrincipalName ?? implicitUserPrincipalName}",
			line: undefined,
			used: ["userprincipalname"],
			from: expect.objectContaining({ userprincipalname: [`ada@${directory.domain}`] }),
			instead: undefined,
		});
		expect(groups.filter(({ name }) => name === "Team" || name === "Sales")).toMatchObject([
			{ name: "Team", through: [], isPrimary: false },
			{ name: "Sales", through: ["Team"], isPrimary: false },
		]);
		expect(features).toMatchObject([
			{
				name: "search",
				value: "on",
				rules: [
					{ line: "features[0]", verdict: "gives", why: `in group ${person("Sales", places.groups)}` },
					{ line: "features[1]", verdict: "does-not-match", why: "does not match (department=Legal)" },
				],
			},
		]);
		expect(policies).toMatchObject([
			{
				name: "mail",
				value: "allow",
				rules: [
					{ line: "policies[0]", value: "block", verdict: "does-not-match" },
					{ line: "policies[1]", value: "allow", verdict: "gives", why: "given to everybody" },
				],
			},
		]);
		expect(account).toMatchObject({ account: { userName: `ada@${directory.domain}`, features: ["search"] }, isProtected: false });
		expect(targets).toMatchObject([{ target: "accounts", state: "applied", wanted: "active", applied: "active", origin: "created" }]);
		expect(changes.at(-1)).toMatchObject({ run: 1, kind: "create", result: "committed" });
	});

	it.each(["ada@DOMAIN", "ADA", "CORP\\ada", "DN", "GUID", "{GUID}"])("finds somebody by %s", async (form) => {
		const anchor = await anchorAt(inPeople("Ada"));
		const user = form.replace("DOMAIN", directory.domain).replace("DN", inPeople("Ada")).replace("GUID", anchor.toUpperCase());
		expect(await explain(user)).toMatchObject({ anchor, state: "active" });
	});

	it.each<{ user: string; state: string; says: string; line?: string }>([
		{ user: "ben", state: "disabled", says: "disabled in the directory", line: "sources[0].base" },
		{ user: "expired", state: "expired", says: "account expired on 2020-01-01", line: "sources[0].base" },
		{ user: "cleo", state: "out-of-scope", says: "now in OU=Second", line: "sources[0].base" },
		{ user: "dan", state: "out-of-scope", says: "no longer matches users.filter", line: "sources[0].users.filter" },
		{ user: "eve", state: "out-of-scope", says: "OU=Robots", line: "sources[0].users.exclude" },
		{ user: "fay", state: "deleted", says: "not in the directory any more" },
		{ user: "hal", state: "held", says: "protected", line: "sources[0].base" },
		{ user: "robot", state: "excluded", says: "beneath the excluded OU=Robots", line: "sources[0].users.exclude[0]" },
		{ user: "mailless", state: "filtered", says: "mail has no value", line: "sources[0].users.filter" },
		{ user: "second", state: "elsewhere", says: "OU=Second", line: "sources[0].base" },
		{ user: "contact@elsewhere.test", state: "not-a-person", says: "a contact" },
		{ user: "nobody at all", state: "never-there", says: 'nobody called "nobody at all" is known' },
	])("says of $user that they are $state: $says", async ({ user, state, says, line }) => {
		const explanation = await explain(user);
		expect(explanation.state).toBe(state);
		expect(explanation.summary).toContain(says);
		expect(explanation.scope?.line).toBe(line);
	});

	it("says of somebody who is set aside why, and who has the name instead", async () => {
		const twin = await explain("twin");
		expect(twin).toMatchObject({ state: "quarantined", account: undefined });
		expect(twin.summary).toContain(`ada@${directory.domain}`);
	});

	it("says of somebody who came just now that the next run makes the account, and of somebody gone what there was", async () => {
		await addPerson(directory, "New", places.people, "new");
		expect(await explain("new")).toMatchObject({ state: "unread", scope: { isIn: true } });
		expect((await explain("fay")).changes[0]).toMatchObject({ kind: "disable", run: 2 });
	});

	it("changes nobody when the group of a rule is renamed, and asks a person when it is deleted", async () => {
		await directory.move(person("Sales", places.groups), person("Selling", places.groups));
		for (const mode of ["delta", "full"] as const) {
			const report = await keeper.sync(mode);
			expect(report).toMatchObject({ entitlements: 0 });
			expect(report.warnings.filter((warning) => warning.includes("still the same one"))).toHaveLength(1);
		}
		expect((await explain("ada")).features).toMatchObject([{ value: "on" }]);
		await directory.remove(person("Selling", places.groups));
		const report = await keeper.sync("full");
		expect(report.warnings.join("\n")).toContain(`the group "${person("Sales", places.groups)}" of feature search is not there any more`);
		expect(report).toMatchObject({ entitlements: 1 });
		expect((await explain("ada")).changes[0]).toMatchObject({ kind: "entitlement" });
	});
}

/** Keys of a configuration as lines of YAML. */
function lines(keys: Readonly<Record<string, unknown>>): string {
	return Object.entries(keys)
		.map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
		.join("");
}
