import { beforeAll, describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { fullRequest } from "../support/requests.ts";
import { type Directory, person } from "./directory.ts";
import { addPerson, placesOf } from "./population.ts";
import { anchorAt, byLogon, logonsOf, type Read, read, sourceOn } from "./reader.ts";

export function deltaContract(directory: () => Directory): void {
	const places = () => placesOf(directory());
	const source = (filter?: string) =>
		sourceOn(directory(), { bases: [places().people], users: { filter, exclude: [places().excluded], groups: [] } });
	const cursorNow = async (filter?: string): Promise<Cursor> => (await read(source(filter))).end.cursor as Cursor;
	/** What a delta sees of one change. */
	async function deltaAfter(change: () => Promise<unknown>, filter?: string): Promise<Read> {
		const cursor = await cursorNow(filter);
		await change();
		const delta = await read(source(filter), cursor);
		expect(delta.mode, delta.fullBecause).toBe("delta");
		expect(delta.end.cursor).not.toBe(cursor);
		return delta;
	}

	describe("a delta", () => {
		beforeAll(async () => {
			for (const name of ["attribute", "cleared", "renamed", "moved", "leaver", "robotized", "off", "on", "expires", "filtered", "gone"]) {
				await addPerson(directory(), `Delta ${name}`, places().people, `d-${name}`, name === "on" ? { userAccountControl: "514" } : {});
			}
		}, 60_000);

		it("is empty when nothing has changed", async () => {
			const cursor = await cursorNow();
			const delta = await read(source(), cursor);
			expect(delta.mode).toBe("delta");
			expect(logonsOf(delta)).toEqual([]);
			expect(delta.end.outside).toEqual([]);
			expect(delta.end.containers).toEqual([]);
		});

		it.each([
			{ what: "an attribute set", logon: "d-attribute", values: { department: "Sales" }, shows: { department: "Sales" } },
			{ what: "an attribute cleared", logon: "d-cleared", values: { department: [] }, shows: { department: undefined } },
			{ what: "a person disabled", logon: "d-off", values: { userAccountControl: "514" }, shows: { standing: "disabled" } },
			{ what: "a person enabled", logon: "d-on", values: { userAccountControl: "512" }, shows: { standing: "enabled" } },
			{
				what: "an expiry set",
				logon: "d-expires",
				values: { accountExpires: "132223104000000000" },
				shows: { expiresAt: Date.UTC(2020, 0, 1) },
			},
		])("sees $what, and nobody else", async ({ logon, values, shows }) => {
			const dn = person(`Delta ${logon.slice(2)}`, places().people);
			const delta = await deltaAfter(() => directory().modify(dn, values));
			expect(logonsOf(delta)).toEqual([logon]);
			const { standing, expiresAt, attributes } = byLogon(delta, logon);
			if ("department" in shows) expect(attributes.get("department")?.[0]).toBe(shows.department);
			if ("standing" in shows) expect(standing).toBe(shows.standing);
			if ("expiresAt" in shows) expect(expiresAt).toBe(shows.expiresAt);
		});

		it.each([
			{ what: "a rename", logon: "d-renamed", to: () => person("Delta, renamed", places().people) },
			{ what: "a move within the scope", logon: "d-moved", to: () => person("Delta moved", places().berlin) },
		])("follows $what by the anchor", async ({ logon, to }) => {
			const anchor = await anchorAt(directory(), logon);
			const delta = await deltaAfter(() => directory().move(person(`Delta ${logon.slice(2)}`, places().people), to()));
			expect([...delta.entries.keys()]).toEqual([anchor]);
			expect(delta.entries.get(anchor)?.dn.toLowerCase()).toBe(to().toLowerCase());
		});

		it("sees a new person", async () => {
			const delta = await deltaAfter(() => addPerson(directory(), "Delta new", places().people, "d-new"));
			expect(logonsOf(delta)).toEqual(["d-new"]);
		});

		it.each([
			{ what: "moves out of the base", logon: "d-leaver", to: () => places().second },
			{ what: "moves into an excluded container", logon: "d-robotized", to: () => places().excluded },
		])("names who $what as outside, and as inside again when back", async ({ logon, to }) => {
			const anchor = await anchorAt(directory(), logon);
			const name = `Delta ${logon.slice(2)}`;
			const away = await deltaAfter(() => directory().move(person(name, places().people), person(name, to())));
			expect(outsideOf(away)).toContain(anchor);
			expect(logonsOf(away)).toEqual([]);
			const back = await deltaAfter(() => directory().move(person(name, to()), person(name, places().people)));
			expect([...back.entries.keys()]).toEqual([anchor]);
			expect(outsideOf(back)).not.toContain(anchor);
		});

		it("names who no longer matches the filter as outside", async () => {
			const anchor = await anchorAt(directory(), "d-filtered");
			const filter = "(department=Research)";
			const away = await deltaAfter(() => directory().modify(person("Delta filtered", places().people), { department: "Sales" }), filter);
			expect(outsideOf(away)).toContain(anchor);
			expect(logonsOf(away)).toEqual([]);
		});

		it("names a container that was renamed or moved, and not those beneath it", async () => {
			const [before, after] = [`OU=Paris,${places().people}`, `OU=Lyon,${places().people}`];
			await directory().add(before, { objectClass: "organizationalUnit" });
			await addPerson(directory(), "Delta under", before, "d-under");
			const renamed = await deltaAfter(() => directory().move(before, after));
			expect(renamed.end.containers.map(({ dn }) => dn.toLowerCase())).toContain(after.toLowerCase());
			const moved = await deltaAfter(() => directory().move(after, `OU=Lyon,${places().second}`));
			expect(moved.end.containers.map(({ dn }) => dn.toLowerCase())).toContain(`ou=lyon,${places().second}`.toLowerCase());
			const all = await read(source());
			expect(logonsOf(all)).not.toContain("d-under");
		});

		it("does not take a person who was deleted for one who is there", async () => {
			const anchor = await anchorAt(directory(), "d-gone");
			const delta = await deltaAfter(() => directory().remove(person("Delta gone", places().people)));
			expect(logonsOf(delta)).toEqual([]);
			if (/with deletions/.test(delta.end.strategy)) expect(outsideOf(delta)).toEqual([anchor]);
			else expect(delta.end.strategy).toContain("deletions with full readings");
		});

		it("proves by its tombstone that somebody was deleted, where deleted objects may be seen", async () => {
			const dn = await addPerson(directory(), "Delta doomed", places().people, "d-doomed");
			const anchor = await anchorAt(directory(), "d-doomed");
			const cursor = await cursorNow();
			await directory().remove(dn);
			await read(source(), cursor, async (reading, { end }) => {
				const found = (await reading.lookup([{ anchor, dn, had: ["cn"] }])).get(anchor);
				expect(found?.kind).toBe(/with deletions/.test(end.strategy) ? "deleted" : "unseen");
			});
		});

		it("does not lose a change that happens while it reads", async () => {
			const cursor = await cursorNow();
			const slow = sourceOn(directory(), {
				bases: [places().people],
				users: { filter: undefined, exclude: [places().excluded], groups: [] },
				pageSize: 5,
			});
			const reading = await slow.read(fullRequest(), new AbortController().signal);
			let pages = 0;
			for await (const _ of reading.pages) {
				if (pages++ === 0) await directory().modify(person("Delta attribute", places().people), { department: "While reading" });
			}
			const next = reading.end().cursor as Cursor;
			await reading.close();
			expect(next).not.toBe(cursor);
			expect(logonsOf(await read(source(), next))).toEqual(["d-attribute"]);
		});

		it.each([
			{ what: "a cursor that is none", cursor: async () => "nonsense" as Cursor },
			{ what: "the cursor of another scope", cursor: async () => (await read(sourceOn(directory()))).end.cursor as Cursor },
		])("turns into a full reading for $what, and says why", async ({ cursor }) => {
			const full = await read(source(), await cursor());
			expect(full.mode).toBe("full");
			expect(full.fullBecause).toMatch(/\w+ \w+/);
			expect(logonsOf(full)).toContain("ordinary1");
		});
	});
}

function outsideOf({ end }: Read): Anchor[] {
	return end.outside.map(({ anchor }) => anchor);
}
