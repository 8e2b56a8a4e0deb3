import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import type { Anchor } from "../../../src/core/entry.ts";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { type GroupsRead, readWithGroups } from "../../contract/groups.ts";
import { sourceOn } from "../../contract/reader.ts";
import { fullRequest } from "../../support/requests.ts";

const root = "DC=corp,DC=example,DC=com";
const [people, inside, outside] = ["People", "Inside", "Outside"].map((name) => `OU=${name},${root}`) as [string, string, string];

let demo: Demo;
beforeEach(async () => {
	demo = await startDemo({ limits: { maxValRange: 4 } });
	for (const dn of [people, inside, outside, `OU=Shelf,${inside}`]) demo.directory.add(dn, { objectClass: "organizationalUnit" });
	for (let number = 0; number < 30; number++)
		demo.directory.add(`CN=P${number},${people}`, { objectClass: "user", sAMAccountName: `p${number}` });
	for (let number = 0; number < 12; number++) {
		const ou = [inside, outside, `OU=Shelf,${inside}`][number % 3];
		demo.directory.add(`CN=G${number},${ou}`, { objectClass: "group", sAMAccountName: `g${number}` });
	}
});
afterEach(() => demo.close());

/** What a snapshot has of a group. */
interface Kept {
	readonly dn: string;
	readonly isInScope: boolean;
	readonly members: ReadonlyMap<string, string>;
}
type Snapshot = Map<string, Kept>;

function apply(snapshot: Snapshot, { groups, deleted }: GroupsRead): void {
	for (const [anchor, { kind, entry, isInScope, members, removed }] of groups) {
		const now = new Map(kind === "whole" ? [] : snapshot.get(anchor)?.members);
		for (const [key, name] of members) now.set(key, name);
		for (const key of removed.keys()) now.delete(key);
		snapshot.set(anchor, { dn: entry.dn, isInScope, members: now });
	}
	for (const anchor of deleted) snapshot.delete(anchor);
}

/** The groups in scope and those nested in them: DN and scope, and the anchors of their members that are still there. */
function reachable(snapshot: Snapshot, anchorOf: (key: string) => Anchor): Record<string, unknown> {
	const open = [...snapshot].filter(([, { isInScope }]) => isInScope).map(([anchor]) => anchor);
	const found: Record<string, unknown> = {};
	for (let anchor = open.pop(); anchor !== undefined; anchor = open.pop()) {
		const group = snapshot.get(anchor);
		if (group === undefined || anchor in found) continue;
		const members = [...group.members.keys()].map(anchorOf).filter((member) => demo.directory.get(`<GUID=${member}>`)?.isDeleted === false);
		found[anchor] = { dn: group.dn, isInScope: group.isInScope, members: members.sort() };
		open.push(...members);
	}
	return found;
}

function changeSomething(random: (below: number) => number, number: number): string {
	const all = [...demo.directory.all()].filter(({ isDeleted }) => !isDeleted);
	const groups = all.filter(({ dn }) => /^CN=G\d/.test(dn));
	const everyone = [...groups, ...all.filter(({ dn }) => /^CN=P\d/.test(dn))];
	const group = groups[random(groups.length)]?.dn as string;
	const one = everyone[random(everyone.length)]?.dn as string;
	const members = (demo.directory.get(group)?.attributes.get("member") ?? []) as readonly string[];
	switch (random(9)) {
		case 0:
		case 1:
		case 2:
			if (!members.includes(one)) demo.directory.addValues(group, "member", [one]);
			return `adding ${one} to ${group}`;
		case 3:
			if (members.length > 0) demo.directory.removeValues(group, "member", [members[random(members.length)] as string]);
			return `taking one out of ${group}`;
		case 4:
			demo.directory.move(group, [inside, outside][random(2)] as string);
			return `moving ${group}`;
		case 5:
			demo.directory.rename(group, `G${number} anew`);
			return `renaming ${group}`;
		case 6:
			demo.directory.add(`CN=G${number}x,${[inside, outside][random(2)]}`, {
				objectClass: "group",
				sAMAccountName: `new${number}`,
				member: [one],
			});
			return `a new group with ${one}`;
		case 7: {
			const [shelf] = all.filter(({ dn }) => /^OU=Shelf/.test(dn));
			demo.directory.move(shelf?.dn as string, [inside, outside][random(2)] as string);
			return "moving the shelf";
		}
		default:
			if (groups.length > 6 && everyone.length > 20) demo.directory.delete(one);
			return `deleting ${one}`;
	}
}

it.each([
	{ by: "uSNChanged and deleted objects", rights: { mayReadDeleted: true } },
	{ by: "DirSync", rights: { mayReplicate: true } },
])(
	"deltas by $by come to the groups that a full reading has, through 300 random changes",
	async ({ rights }) => {
		demo.directory.setRights(demo.bindUser, rights);
		const seed = Number(process.env["DIRSYNCD_TEST_SEED"] ?? 20_261_127);
		const random = makeRandom(seed);
		const groups = { bases: [inside], filter: undefined, exclude: [], kinds: [] } as const;
		const source = sourceOn(directoryOnDemo(demo), { bases: [people], groups });
		const anchorOf = (key: string): Anchor => source.anchor(Buffer.from(key, "hex"));
		const snapshot: Snapshot = new Map();
		const known = (key: Uint8Array): "group" | "other" | undefined => {
			if (snapshot.has(source.anchor(key))) return "group";
			const hex = Buffer.from(key).toString("hex");
			return [...snapshot.values()].some(({ members }) => members.has(hex)) ? "other" : undefined;
		};
		const first = await readWithGroups(source, fullRequest());
		apply(snapshot, first);
		let cursor = first.end.cursor as Cursor;
		for (let number = 1; number <= 300; number++) {
			const what = changeSomething(random, number);
			if (random(3) > 0) continue;
			const delta = await readWithGroups(source, { mode: "delta", cursor, pins: new Map(), known });
			expect(delta, `seed ${seed}, after ${what}`).toMatchObject({ mode: "delta", end: { unsealed: [] } });
			apply(snapshot, delta);
			cursor = delta.end.cursor as Cursor;
			const fresh: Snapshot = new Map();
			apply(fresh, await readWithGroups(source, fullRequest()));
			expect(reachable(snapshot, anchorOf), `seed ${seed}, change ${number}, after ${what}`).toEqual(reachable(fresh, anchorOf));
		}
	},
	120_000,
);

/** Numbers from 0 to below `below`, the same ones for the same seed (Numerical Recipes' linear congruential generator). */
function makeRandom(seed: number): (below: number) => number {
	let state = seed >>> 0;
	return (below) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 0x1_0000_0000) * below);
	};
}
