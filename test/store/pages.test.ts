import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { AccountFilter, Pages } from "../../src/store/page-views.ts";
import { openPages } from "../../src/store/pages.ts";
import type { Place, Slice } from "../../src/store/slice.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const everybody: AccountFilter = {
	source: undefined,
	active: undefined,
	target: undefined,
	state: undefined,
	userName: undefined,
	text: undefined,
};

let folder: string;
let fake: FakeSource;
let harness: Harness;
let pages: Pages;

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-pages-"));
	fake = makeFakeSource();
	harness = openHarness(fake, { file: path.join(folder, "dirsyncd.db") });
	pages = openPages(harness.file);
});

afterEach(() => {
	pages.close();
	harness.close();
	rmSync(folder, { recursive: true });
});

function person(number: number, cn: string, standing: "enabled" | "disabled" = "enabled"): void {
	fake.put({ anchor: fake.anchorOf(number), cn, where: PEOPLE, standing, attributes: { cn: [cn] } });
}

/** A whole list, by slices of `limit`; `between` happens after each. */
async function walk<Item>(
	slice: (after: Place | undefined, limit: number) => Slice<Item>,
	limit: number,
	between = async (): Promise<void> => {},
): Promise<readonly Item[]> {
	const items: Item[] = [];
	for (let after: Place | undefined; ; ) {
		const part = slice(after, limit);
		expect(part.items.length).toBeLessThanOrEqual(limit);
		items.push(...part.items);
		if (part.reached === undefined) return items;
		after = part.reached;
		await between();
	}
}

const named = (filter: Partial<AccountFilter>, limit = 2) =>
	walk((after, most) => pages.accounts({ ...everybody, ...filter }, after, most), limit).then((all) =>
		all.map(({ account }) => account.userName),
	);

it("accounts come in order of userName without regard to case, each once, also while others come and change", async () => {
	const names = ["Bea", "ada", "Cyd", "bob", "Ada2", "zoe", "Émile", "dora_x", "dora%x"];
	for (const [index, name] of names.entries()) person(index + 1, name);
	await harness.sync("full");
	let number = 100;
	const seen = await walk(
		(after, limit) => pages.accounts(everybody, after, limit),
		2,
		async () => {
			number++;
			person(number, `late ${number}`);
			person(number + 100, `aa ${number}`);
			person(1, "Bea", number % 2 === 0 ? "enabled" : "disabled");
			await harness.sync();
		},
	);
	const found = seen.map(({ account }) => account.userName);
	expect(new Set(found).size).toBe(found.length);
	expect(found.filter((name) => names.includes(name))).toEqual(["ada", "Ada2", "Bea", "bob", "Cyd", "dora%x", "dora_x", "zoe", "Émile"]);
	expect(found.filter((name) => name.startsWith("late")).length).toBeGreaterThan(0);
});

it("accounts are found by how their userName begins, letter for letter but for the case", async () => {
	for (const [index, name] of ["dora_x", "dora%x", "doraXx", "Dora", "dor", "émile", "zz"].entries()) person(index + 1, name);
	await harness.sync("full");
	expect(await named({ userName: "DORA" })).toEqual(["Dora", "dora%x", "dora_x", "doraXx"]);
	expect(await named({ userName: "dora_" })).toEqual(["dora_x"]);
	expect(await named({ userName: "é" })).toEqual(["émile"]);
	expect(await named({ userName: "zzz" })).toEqual([]);
	// A place where another list was left: who does not begin so is none of this one.
	const elsewhere = pages.accounts({ ...everybody, userName: "dora_" }, ["dor", 0], 10);
	expect(elsewhere.items.map(({ account }) => account.userName)).toEqual(["dora_x"]);
});

it("accounts are found by what they are and where, however rare", async () => {
	for (let number = 1; number <= 40; number++)
		person(number, `p${String(number).padStart(2, "0")}`, number % 20 === 0 ? "disabled" : "enabled");
	await harness.sync("full");
	expect(await named({ active: false })).toEqual(["p20", "p40"]);
	expect(await named({ active: false, userName: "p4" })).toEqual(["p40"]);
	expect(await named({ source: fake.source.name }, 500)).toHaveLength(40);
	expect(await named({ source: "other" })).toEqual([]);
	expect(await named({ state: "applied" }, 500)).toHaveLength(40);
	expect(await named({ state: "failed" })).toEqual([]);
	expect(await named({ target: "nowhere" })).toEqual([]);
});

it("runs come newest first and their changes in order, each once while new ones are made", async () => {
	for (let number = 1; number <= 7; number++) person(number, `p${number}`);
	const { run } = await harness.sync("full");
	for (let number = 1; number <= 4; number++) await harness.sync();
	const all = harness.views((views) => views.runs(100)).map((each) => each.run);
	const seen = await walk(
		(after, limit) => pages.runs(undefined, after, limit),
		2,
		async () => void (await harness.sync()),
	);
	expect(seen.map((each) => each.run)).toEqual(all);
	expect(await walk((after, limit) => pages.runs("other", after, limit), 2)).toEqual([]);
	const changes = await walk((after, limit) => pages.runChanges(run, after, limit), 3);
	expect(changes).toEqual(harness.views((views) => [...views.changes(run)]));
	expect(changes).toHaveLength(7);
});
