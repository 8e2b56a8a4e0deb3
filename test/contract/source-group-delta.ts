import { beforeAll, describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import { dnKey } from "../../src/core/dn.ts";
import { fullRequest } from "../support/requests.ts";
import { type Directory, person } from "./directory.ts";
import {
	addGroup,
	anchorOfDn,
	type GroupsRead,
	groupDn,
	groupNamed,
	groupNames,
	groupSource,
	knowing,
	memberDns,
	readWithGroups,
} from "./groups.ts";
import { addPerson, placesOf } from "./population.ts";

/** How changes of groups come through our source, whichever way they are found. */
export function groupDeltaContract(directory: () => Directory): void {
	const places = () => placesOf(directory());
	const dn = (name: string) => groupDn(directory(), name);
	const elsewhere = (name: string) => person(name, places().second);
	const ordinary = (number: number) => person(`Ordinary ${number}`, places().people);
	const keys = (...dns: readonly string[]) => dns.map(dnKey).sort();

	describe("a delta of groups", () => {
		const source = () => groupSource(directory());
		/** What a delta tells of one change, the snapshot knowing what a full reading had before. */
		async function deltaAfter(change: () => Promise<unknown>): Promise<{ readonly before: GroupsRead; readonly delta: GroupsRead }> {
			const before = await readWithGroups(source(), fullRequest());
			await change();
			const request = { mode: "delta", cursor: before.end.cursor as Cursor, pins: new Map(), known: knowing(before) } as const;
			const delta = await readWithGroups(source(), request);
			expect(delta.mode, delta.fullBecause).toBe("delta");
			expect(delta.end.unsealed).toEqual([]);
			return { before, delta };
		}
		/** A group's members after a delta, whichever way it told of them. */
		function membersAfter({ before, delta }: { before: GroupsRead; delta: GroupsRead }, name: string): string[] {
			const now = groupNamed(delta, name);
			if (now.kind === "whole") return memberDns(now);
			const members = new Map(groupNamed(before, name).members);
			for (const [key, member] of now.members) members.set(key, member);
			for (const key of now.removed.keys()) members.delete(key);
			return [...members.values()].sort();
		}

		beforeAll(async () => {
			await addGroup(directory(), dn("Team"), [ordinary(1), ordinary(2)]);
			await addGroup(directory(), elsewhere("Far"), [ordinary(8)]);
			await directory().add(`OU=Shelf,${places().groups}`, { objectClass: "organizationalUnit" });
			await addGroup(directory(), groupDn(directory(), "Shelved", `OU=Shelf,${places().groups}`), [ordinary(9)]);
		}, 60_000);

		it("is empty when nothing has changed", async () => {
			const { delta } = await deltaAfter(async () => {});
			expect(delta.groups.size).toBe(0);
			expect(delta.deleted).toEqual([]);
		});

		it("tells who came and who went, and of no other group", async () => {
			const told = await deltaAfter(() => directory().modify(dn("Team"), { member: [ordinary(2), ordinary(3)] }));
			expect(groupNames(told.delta)).toEqual(["Team"]);
			expect(membersAfter(told, "Team")).toEqual(keys(ordinary(2), ordinary(3)));
		});

		it("tells a group's new fields, and its members as they were", async () => {
			const told = await deltaAfter(() => directory().modify(dn("Team"), { description: "Anew" }));
			expect(groupNamed(told.delta, "Team").entry.attributes.get("description")).toEqual(["Anew"]);
			expect(membersAfter(told, "Team")).toEqual(keys(ordinary(2), ordinary(3)));
		});

		it("sees a new group, and who is in it", async () => {
			const { delta } = await deltaAfter(() => addGroup(directory(), dn("Fresh"), [ordinary(1)]));
			expect(memberDns(groupNamed(delta, "Fresh"))).toEqual(keys(ordinary(1)));
		});

		it("follows a rename by the anchor", async () => {
			const anchor = await anchorOfDn(directory(), dn("Fresh"));
			const { delta } = await deltaAfter(() => directory().move(dn("Fresh"), dn("Fresher")));
			expect([...delta.groups.keys()]).toEqual([anchor]);
			expect(groupNamed(delta, "Fresher").isInScope).toBe(true);
		});

		it("reads what becomes nested in a group, although it is outside of the scope and did not change itself", async () => {
			const told = await deltaAfter(() => directory().modify(dn("Team"), { member: [ordinary(2), elsewhere("Far")] }));
			expect(groupNames(told.delta, false)).toEqual(["Far"]);
			expect(memberDns(groupNamed(told.delta, "Far"))).toEqual(keys(ordinary(8)));
			const deeper = await deltaAfter(() => directory().modify(elsewhere("Far"), { member: [ordinary(8), ordinary(10)] }));
			expect(membersAfter(deeper, "Far")).toEqual(keys(ordinary(8), ordinary(10)));
			expect(groupNamed(deeper.delta, "Far").isInScope).toBe(false);
		});

		it("hands out a group that leaves the scope as one that is not in it, and one that comes back as one that is", async () => {
			const away = await deltaAfter(() => directory().move(dn("Fresher"), elsewhere("Fresher")));
			expect(groupNamed(away.delta, "Fresher").isInScope).toBe(false);
			const back = await deltaAfter(() => directory().move(elsewhere("Fresher"), dn("Fresher")));
			expect(groupNamed(back.delta, "Fresher").isInScope).toBe(true);
		});

		it("sees groups leave and enter the scope with the container above them", async () => {
			const [here, there] = [`OU=Shelf,${places().groups}`, `OU=Shelf,${places().second}`];
			const away = await deltaAfter(() => directory().move(here, there));
			expect(groupNamed(away.delta, "Shelved").isInScope).toBe(false);
			expect(membersAfter(away, "Shelved")).toEqual(keys(ordinary(9)));
			const back = await deltaAfter(() => directory().move(there, here));
			expect(groupNamed(back.delta, "Shelved").isInScope).toBe(true);
			expect(membersAfter(back, "Shelved")).toEqual(keys(ordinary(9)));
		});

		it("says nothing of a group that nobody asked for", async () => {
			await addGroup(directory(), elsewhere("Strange"));
			const { delta } = await deltaAfter(() => directory().modify(elsewhere("Strange"), { member: [ordinary(1)] }));
			expect(delta.groups.size).toBe(0);
		});

		it("does not lose a member who comes while it reads", async () => {
			const before = await readWithGroups(source(), fullRequest());
			const reading = await source().read(fullRequest(), new AbortController().signal);
			for await (const _ of reading.pages);
			let changed = false;
			for await (const _ of reading.groups?.pages ?? []) {
				if (!changed) await directory().modify(dn("Team"), { member: [ordinary(11)] });
				changed = true;
			}
			const cursor = reading.end().cursor as Cursor;
			await reading.close();
			const delta = await readWithGroups(source(), { mode: "delta", cursor, pins: new Map(), known: knowing(before) });
			expect(membersAfter({ before, delta }, "Team")).toEqual(keys(ordinary(11)));
		});

		it("proves a group's deletion where deleted objects may be seen", async () => {
			const anchor = await anchorOfDn(directory(), dn("Fresher"));
			const { delta } = await deltaAfter(() => directory().remove(dn("Fresher")));
			expect(delta.groups.has(anchor)).toBe(false);
			if (/with deletions/.test(delta.end.strategy)) expect(delta.deleted).toEqual([anchor]);
			const all = await readWithGroups(source(), fullRequest());
			expect(groupNames(all)).not.toContain("Fresher");
		});

		it("forgets nobody when a member is deleted, although the group's own mark does not move", async () => {
			const gone = await addPerson(directory(), "Member gone", places().people, "member-gone");
			await directory().modify(dn("Team"), { member: [ordinary(2), gone] });
			await directory().remove(gone);
			const all = await readWithGroups(source(), fullRequest());
			expect(memberDns(groupNamed(all, "Team"))).toEqual(keys(ordinary(2)));
		});
	});
}
