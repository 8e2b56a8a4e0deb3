import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { dnKey } from "../../../src/core/dn.ts";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import type { Asked } from "../../../src/demo/faults.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { groupNamed, knowing, memberDns, readWithGroups } from "../../contract/groups.ts";
import { sourceOn } from "../../contract/reader.ts";
import { fullRequest } from "../../support/requests.ts";

const root = "DC=corp,DC=example,DC=com";
const users = `CN=Users,${root}`;
const big = `CN=Big,${users}`;
const memberDn = (number: number) => `CN=Member ${number},${users}`;
const keys = (...dns: readonly string[]) => dns.map(dnKey).sort();

let demo: Demo;
let present: Set<string>;
beforeEach(async () => {
	demo = await startDemo({ limits: { maxValRange: 30 } });
	present = new Set(Array.from({ length: 100 }, (_, number) => memberDn(number)));
	for (const dn of present) demo.directory.add(dn, { objectClass: "user", sAMAccountName: dn.slice(3, dn.indexOf(",")) });
	demo.directory.add(big, { objectClass: "group", sAMAccountName: "big", member: [...present] });
});
afterEach(() => demo.close());

const kept = { bases: [users], filter: "(cn=Big*)", exclude: [], kinds: [] } as const;
const source = () => sourceOn(directoryOnDemo(demo), { bases: [users], groups: kept });

/** Calls `then` before the demo answers the n-th question for a part of a group's members, n from 1. */
function beforePart(then: (n: number) => void): void {
	let n = 0;
	const when = ({ search }: Asked): boolean => {
		if (search?.attributes.some((name) => /^member;range=(?!0-)/.test(name)) === true) then(++n);
		return false;
	};
	demo.faults.set({ kind: "slow", delayMs: 0 }, { when });
}

it("has all members of a group that is handed out in parts of 30", async () => {
	const all = await readWithGroups(source(), fullRequest());
	expect(all.end.unsealed).toEqual([]);
	expect(memberDns(groupNamed(all, "Big"))).toEqual(keys(...present));
});

it.each([
	{
		what: "a member of the first part leaves",
		change: () => {
			demo.directory.removeValues(big, "member", [memberDn(3)]);
			present.delete(memberDn(3));
		},
	},
	{
		what: "a member of the first part is deleted, which moves no USN of the group",
		change: () => {
			demo.directory.delete(memberDn(4));
			present.delete(memberDn(4));
		},
	},
	{ what: "the group is renamed", change: () => demo.directory.rename(big, "Big anew") },
	{
		what: "most of them leave",
		change: () => {
			const gone = [...present].slice(5);
			demo.directory.removeValues(big, "member", gone);
			for (const dn of gone) present.delete(dn);
		},
	},
])("misses nobody and has nobody twice when $what between two parts", async ({ change }) => {
	beforePart((n) => {
		if (n === 2) change();
	});
	const all = await readWithGroups(source(), fullRequest());
	expect(all.end.unsealed).toEqual([]);
	const [group] = [...all.groups.values()];
	expect(group && memberDns(group)).toEqual(keys(...present));
});

it("proves nothing by a group that never stands still, and says which", async () => {
	beforePart((n) => demo.directory.removeValues(big, "member", [memberDn(n)]));
	const all = await readWithGroups(source(), fullRequest());
	expect(all.groups.size).toBe(0);
	expect(all.end.unsealed).toEqual([`the members of the group "${big}" changed again and again while they were read`]);
});

it("does without a group that is deleted while it is read", async () => {
	beforePart(() => demo.directory.delete(big));
	const all = await readWithGroups(source(), fullRequest());
	expect(all.groups.size).toBe(0);
	expect(all.end.unsealed).toEqual([]);
});

it.each([
	{ changes: "auto", rights: { mayReplicate: true }, parts: 0, kind: "changed", why: "DirSync tells who came and who went" },
	{ changes: "usn", rights: {}, parts: 4, kind: "whole", why: "a USN says no more than that something changed" },
] as const)(
	"after a change of one member asks for $parts parts of the group by $changes: $why",
	async ({ changes, rights, parts, kind }) => {
		demo.directory.setRights(demo.bindUser, rights);
		const reader = sourceOn(directoryOnDemo(demo, changes), { bases: [users], groups: kept });
		const before = await readWithGroups(reader, fullRequest());
		demo.directory.removeValues(big, "member", [memberDn(7)]);
		let asked = 0;
		const when = ({ search }: Asked): boolean => {
			if (search?.attributes.some((name) => /^member;range=/.test(name)) === true) asked++;
			return false;
		};
		demo.faults.set({ kind: "slow", delayMs: 0 }, { when });
		const cursor = before.end.cursor as Cursor;
		const delta = await readWithGroups(reader, { mode: "delta", cursor, pins: new Map(), known: knowing(before) });
		expect(groupNamed(delta, "Big").kind).toBe(kind);
		if (kind === "changed") expect([...groupNamed(delta, "Big").removed.values()]).toEqual(keys(memberDn(7)));
		expect(asked).toBe(parts);
	},
);

it("doubts that a group is empty whose members may not be read, and only that", async () => {
	demo.directory.add(`CN=Big nobody,${users}`, { objectClass: "group", sAMAccountName: "big nobody" });
	demo.directory.setRights(demo.bindUser, { hiddenAttributes: [{ attribute: "member", under: big }] });
	await readWithGroups(source(), fullRequest(), async (reading) => {
		const anchors = [big, `CN=Big nobody,${users}`].map((dn) => demo.directory.get(dn)?.guid as never);
		const doubts = await reading.groups?.doubtEmpty(anchors);
		expect([...(doubts ?? [])]).toEqual([[anchors[0], expect.stringContaining('"Big" shows no members')]]);
	});
});

it("counts no further than it tells where a name is that of more groups than a page holds", async () => {
	const small = await startDemo({ limits: { maxPageSize: 30 } });
	try {
		for (let n = 0; n < 40; n++) {
			small.directory.add(`OU=Team ${n},${root}`, { objectClass: "organizationalUnit" });
			small.directory.add(`CN=Managers,OU=Team ${n},${root}`, { objectClass: "group", sAMAccountName: `managers-${n}` });
		}
		const naming = sourceOn(directoryOnDemo(small), { bases: [users], ruleGroups: ["Managers"] });
		const { end } = await readWithGroups(naming, fullRequest());
		expect(end).toMatchObject({ ruleGroups: [], unsealed: [] });
		expect(end.warnings).toEqual([expect.stringMatching(/^more than 20 groups have the name "Managers".*, …; name it by its DN or GUID$/)]);
	} finally {
		await small.close();
	}
});
