import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { Reading, Whereabouts } from "../../src/source/source.ts";
import { type Directory, person } from "./directory.ts";
import { addPerson, oddNames, placesOf } from "./population.ts";
import { anchorAt, read, sourceOn } from "./reader.ts";

const had = ["cn", "samaccountname", "useraccountcontrol", "department"];

export function lookupContract(directory: () => Directory): void {
	const places = () => placesOf(directory());
	async function reading<T>(use: (reading: Reading) => Promise<T>, filter?: string): Promise<T> {
		let result: { readonly value: T } | undefined;
		await read(
			sourceOn(directory(), { bases: [places().people], users: { filter, exclude: [places().excluded], groups: [] } }),
			undefined,
			async (open) => {
				result = { value: await use(open) };
			},
		);
		return (result as { readonly value: T }).value;
	}
	async function lookup(anchor: Anchor, dn: string, filter?: string): Promise<Whereabouts> {
		const found = await reading((open) => open.lookup([{ anchor, dn, had }]), filter);
		return found.get(anchor) as Whereabouts;
	}

	describe("a lookup", () => {
		beforeAll(async () => {
			await addPerson(directory(), "Look moved", places().second, "l-moved");
			await addPerson(directory(), "Look robot", places().excluded, "l-robot");
			await addPerson(directory(), "Look deleted", places().people, "l-deleted");
		}, 60_000);

		it("finds who is in scope, under every odd name, in one question", async () => {
			const names = oddNames.map((name, number) => ({ name, logon: `odd${number}` }));
			const wanted = await Promise.all(
				names.map(async ({ name, logon }) => ({ anchor: await anchorAt(directory(), logon), dn: person(name, places().people), had })),
			);
			const found = await reading((open) => open.lookup(wanted));
			expect([...found.values()].map(({ kind }) => kind)).toEqual(names.map(() => "in-scope"));
		});

		it("says where somebody is now who is not in scope", async () => {
			const was = (name: string) => person(name, places().people);
			expect(await lookup(await anchorAt(directory(), "l-moved"), was("Look moved"))).toMatchObject({
				kind: "out-of-scope",
				dn: person("Look moved", places().second),
				where: expect.stringContaining("OU=Second"),
				doubt: undefined,
			});
			expect(await lookup(await anchorAt(directory(), "l-robot"), was("Look robot"))).toMatchObject({
				kind: "out-of-scope",
				where: expect.stringContaining("OU=Robots"),
				doubt: undefined,
			});
			expect(await lookup(await anchorAt(directory(), "ordinary1"), was("Ordinary 1"), "(department=Elsewhere)")).toMatchObject({
				kind: "out-of-scope",
				where: expect.stringContaining("filter"),
				doubt: undefined,
			});
		});

		it("sees that somebody was deleted, or nowhere, without a doubt", async () => {
			const dn = person("Look deleted", places().people);
			const anchor = await anchorAt(directory(), "l-deleted");
			await directory().remove(dn);
			const whereabouts = await lookup(anchor, dn);
			// Whether a tombstone is visible is a matter of rights.
			if (whereabouts.kind !== "deleted") expect(whereabouts).toEqual({ kind: "unseen", doubt: undefined });
			const never = "00000000-1111-2222-3333-444444444444" as Anchor;
			expect(await lookup(never, dn)).toEqual({ kind: "unseen", doubt: undefined });
		});

		it("doubts that somebody is gone whose container cannot be seen", async () => {
			const never = "00000000-1111-2222-3333-444444444444" as Anchor;
			const hidden = await lookup(never, person("Somebody", `OU=Hidden,${places().people}`));
			expect(hidden).toMatchObject({ kind: "unseen", doubt: expect.stringContaining("OU=Hidden") });
		});

		it("tells an attribute that nobody has from one that can be read", async () => {
			expect(await reading((open) => open.isReadable("userAccountControl"))).toBe(true);
			expect(await reading((open) => open.isReadable("employeeID"))).toBe(false);
		});
	});

	describe("back-links", () => {
		it("name who reports to a manager, also after the manager was renamed", async () => {
			const boss = await addPerson(directory(), "Boss", places().people, "boss");
			const reports = [
				await addPerson(directory(), "Report 1", places().people, "report1"),
				await addPerson(directory(), "Report 2", places().berlin, "report2"),
			];
			for (const dn of reports) await directory().modify(dn, { manager: boss });
			await directory().move(boss, person("Boss, married", places().people));
			const anchor = await anchorAt(directory(), "boss");
			const found = await reading((open) => open.reportsOf([anchor]));
			expect((found.get(anchor) ?? []).map(dnKey).sort()).toEqual(reports.map(dnKey).sort());
			const all = await read(sourceOn(directory(), { bases: [places().people] }));
			const report = [...all.entries.values()].find(({ attributes }) => attributes.get("samaccountname")?.[0] === "report1");
			expect(dnKey(report?.attributes.get("manager")?.[0] as string)).toBe(dnKey(person("Boss, married", places().people)));
		});
	});

	describe("protection", () => {
		it("covers people by name, by group within group, in circles too, by primary group and by container", async () => {
			const group = (name: string) => `CN=${name},${places().groups}`;
			const people = ["Direct", "Nested", "Named"];
			for (const name of people) await addPerson(directory(), `Prot ${name}`, places().people, `p-${name.toLowerCase()}`);
			const [direct, nested, named] = people.map((name) => person(`Prot ${name}`, places().people)) as [string, string, string];
			await directory().add(group("Inner"), { objectClass: "group", sAMAccountName: "inner", member: [nested] });
			await directory().add(group("Outer"), { objectClass: "group", sAMAccountName: "outer", member: [direct, group("Inner")] });
			await directory().modify(group("Inner"), { member: [nested, group("Outer")] });
			const domainUsers = `CN=Domain Users,CN=Users,${directory().baseDn}`;
			const protect = [group("Outer").toLowerCase(), named, places().berlin, domainUsers];
			const { end } = await read(sourceOn(directory(), { protect }));
			expect([...end.protection.people]).toEqual(expect.arrayContaining([direct, nested, named].map(dnKey)));
			expect(end.protection.people.has(dnKey(person("Ordinary 1", places().people)))).toBe(false);
			expect(end.protection.containers).toEqual([dnKey(places().berlin)]);
			expect([...end.protection.primaryGroups]).toContain("513");
			expect(end.protection.unresolved).toEqual([]);
		});

		it("says which name it cannot resolve", async () => {
			const { end } = await read(sourceOn(directory(), { protect: [`CN=No such group,${places().groups}`] }));
			expect(end.protection.unresolved).toEqual([expect.stringContaining("No such group")]);
		});
	});
}
