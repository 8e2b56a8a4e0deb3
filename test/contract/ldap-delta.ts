import { beforeAll, describe, expect, it } from "vitest";
import { dnKey } from "../../src/core/dn.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { LastKnown, Reading, Whereabouts } from "../../src/source/source.ts";
import type { OpenLdap } from "../support/openldap.ts";
import { ldapPlaces, ldapWriter } from "./ldap-directory.ts";
import { byUid, type LdapRead, ldapSource, readLdap, uidsOf } from "./ldap-reader.ts";

/** `changes`: the strategy under trial. Its names keep the two runs on one directory apart. */
export function ldapDeltaContract(server: () => OpenLdap, changes: "syncrepl" | "timestamp"): void {
	const places = () => ldapPlaces(server());
	const writer = () => ldapWriter(server());
	const bySyncrepl = changes === "syncrepl";
	const name = (what: string): string => `${changes}-${what}`;
	const dnOf = (what: string, ou = places().people): string => `cn=${name(what)},${ou}`;
	const source = (filter?: string) =>
		ldapSource(server(), { bases: [places().people], users: { filter, exclude: [places().excluded] }, changes });

	/** What a delta sees of one change: by timestamp it sees once more what changed within the overlap. */
	async function deltaAfter(
		change: () => Promise<unknown>,
		filter?: string,
		then?: (reading: Reading, read: LdapRead) => Promise<void>,
	): Promise<LdapRead> {
		const before = await readLdap(source(filter));
		await change();
		const delta = await readLdap(source(filter), before, then);
		expect(delta.mode, delta.fullBecause).toBe("delta");
		return delta;
	}
	/** By syncrepl exactly these, by timestamp at least. */
	function expectUids(delta: LdapRead, uids: readonly string[]): void {
		expect(uidsOf(delta)).toEqual(bySyncrepl ? uids : expect.arrayContaining([...uids]));
	}
	const outsideOf = ({ end }: LdapRead) => end.outside.map(({ anchor }) => anchor);

	describe(`a delta by ${changes}`, () => {
		beforeAll(async () => {
			const { person, add } = writer();
			const names = ["attribute", "cleared", "renamed", "moved", "leaver", "robotized", "locked", "filtered", "gone", "unclassed"];
			await add(...names.map((what) => person(name(what), places().people)));
		});

		it("is empty when nothing has changed, time after time", async () => {
			const full = await readLdap(source());
			const first = await readLdap(source(), full);
			const second = await readLdap(source(), first);
			for (const delta of [first, second]) {
				expect(delta.mode).toBe("delta");
				if (!bySyncrepl) continue;
				expect(delta.anchors).toEqual([]);
				expect(delta.end).toMatchObject({ outside: [], containers: [], unsealed: [] });
			}
			// Containers were all changed a moment ago, and nothing beneath them has another name since.
			expect(second.end.containers).toEqual([]);
			expect(second.end.strategy).toMatch(bySyncrepl ? /syncrepl/ : /modifyTimestamp/);
		});

		it("sees a change after a change, by the cursor that a delta left", async () => {
			let last = await readLdap(source());
			for (const title of ["One", "Two", "Three"]) {
				await writer().modify(dnOf("attribute"), { title });
				last = await readLdap(source(), last);
				expect(last.mode, last.fullBecause).toBe("delta");
				expectUids(last, [name("attribute")]);
				expect(byUid(last, name("attribute")).attributes.get("title")).toEqual([title]);
			}
		});

		it("sees what changed in the second of the last reading, however often it is asked", async () => {
			const { modify } = writer();
			let last = await readLdap(source());
			for (let round = 0; round < 10; round++) {
				const title = `Second ${round}`;
				await modify(dnOf("attribute"), { title });
				last = await readLdap(source(), last);
				expect(byUid(last, name("attribute")).attributes.get("title")).toEqual([title]);
			}
		});

		it("sees an attribute cleared, a person locked, and a new person", async () => {
			const { modify, add, person } = writer();
			const delta = await deltaAfter(async () => {
				await modify(dnOf("cleared"), { title: [] });
				await modify(dnOf("locked"), { pwdAccountLockedTime: "000001010000Z" });
				await add(person(name("new"), places().people));
			});
			expectUids(delta, [name("cleared"), name("locked"), name("new")]);
			expect(byUid(delta, name("cleared")).attributes.has("title")).toBe(false);
			expect(byUid(delta, name("locked")).standing).toBe("disabled");
		});

		it.each([
			{ what: "renamed", to: () => `cn=${name("renamed, married")}`.replace(",", "\\,").concat(`,${places().people}`) },
			{ what: "moved", to: () => dnOf("moved", places().berlin) },
		])("follows who was $what by the anchor", async ({ what, to }) => {
			const anchor = await writer().anchor(`(uid=${name(what)})`);
			const delta = await deltaAfter(() => writer().move(dnOf(what), to()));
			if (bySyncrepl) expect(delta.anchors).toEqual([anchor]);
			expect(dnKey(delta.people.get(anchor)?.dn ?? "")).toBe(dnKey(to()));
		});

		it.each([
			{ what: "leaver", where: "out of the base", to: () => places().second },
			{ what: "robotized", where: "into an excluded container", to: () => places().excluded },
		])("names who moves $where as outside, and as inside again when back", async ({ what, to }) => {
			const anchor = await writer().anchor(`(uid=${name(what)})`);
			const away = await deltaAfter(() => writer().move(dnOf(what), dnOf(what, to())));
			expect(outsideOf(away)).toContain(anchor);
			expect(away.anchors).not.toContain(anchor);
			const back = await deltaAfter(() => writer().move(dnOf(what, to()), dnOf(what)));
			expect(back.anchors).toContain(anchor);
			expect(outsideOf(back)).not.toContain(anchor);
		});

		it("names who no longer matches the filter as outside, and a lookup says why", async () => {
			const anchor = await writer().anchor(`(uid=${name("filtered")})`);
			const away = await deltaAfter(
				() => writer().modify(dnOf("filtered"), { title: "Other" }),
				"(title=Title)",
				async (reading) => {
					expect(await where(reading, { anchor, dn: dnOf("filtered"), had: ["title"] })).toMatchObject({
						kind: "out-of-scope",
						where: "no longer matches users.filter",
						doubt: undefined,
					});
				},
			);
			expect(outsideOf(away)).toContain(anchor);
			expect(away.anchors).not.toContain(anchor);
		});

		it("names a container that was renamed or moved, in the base and out of it, and reads those beneath it anew", async () => {
			const { add, person, move } = writer();
			const [paris, lyon] = [`ou=${name("Paris")},${places().people}`, `ou=${name("Lyon")},${places().people}`];
			await add([paris, { objectClass: "organizationalUnit" }], person(name("under"), paris));
			const anchor = await writer().anchor(`(uid=${name("under")})`);
			const renamed = await deltaAfter(() => move(paris, lyon));
			expect(renamed.end.containers.map(({ dn }) => dnKey(dn))).toContain(dnKey(lyon));
			expect(renamed.people.get(anchor)?.dn).toBe(`cn=${name("under")},${lyon}`);
			const out = `ou=${name("Lyon")},${places().second}`;
			const moved = await deltaAfter(
				() => move(lyon, out),
				undefined,
				async (reading) => {
					expect(await where(reading, { anchor, dn: `cn=${name("under")},${lyon}`, had: [] })).toMatchObject({ kind: "out-of-scope" });
				},
			);
			expect(moved.end.containers.map(({ dn }) => dnKey(dn))).toContain(dnKey(out));
			expect(moved.anchors).not.toContain(anchor);
		});

		it(bySyncrepl ? "says that somebody was deleted" : "leaves it to the next full reading to see who was deleted", async () => {
			const anchor = await writer().anchor(`(uid=${name("gone")})`);
			const delta = await deltaAfter(
				() => server().remove(dnOf("gone")),
				undefined,
				async (reading) => {
					const one = { anchor, dn: dnOf("gone"), had: [] };
					expect(await where(reading, one)).toEqual(bySyncrepl ? { kind: "deleted" } : { kind: "unseen", doubt: undefined });
				},
			);
			expect(outsideOf(delta).includes(anchor)).toBe(bySyncrepl);
		});

		it("makes a full reading, and says why, when something else is asked", async () => {
			const full = await readLdap(source());
			const other = ldapSource(server(), { bases: [places().people], attributes: ["displayName"], changes });
			expect(await readLdap(other, full)).toMatchObject({ mode: "full", fullBecause: expect.stringContaining("has changed") });
			const back = ldapSource(server(), { bases: [places().people], attributes: ["memberOf"], changes });
			expect(await readLdap(back, full)).toMatchObject({ mode: "full", fullBecause: expect.stringContaining("memberOf changes without") });
		});
	});
}

async function where(reading: Reading, one: LastKnown): Promise<Whereabouts | undefined> {
	return (await reading.lookup([one])).get(one.anchor as Anchor);
}
