import { afterEach, describe, expect, it } from "vitest";
import { textOf } from "../../src/core/syntax.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import type { Shown } from "../../src/demo/directory.ts";

let demo: Demo;
afterEach(() => demo.close());

const live = async (count: number): Promise<Demo> =>
	startDemo({ seed: 3, clock: () => Date.UTC(2026, 10, 1), people: { kind: "company", count } });

function step(times: number): string[] {
	return Array.from({ length: times }, () => demo.life?.step() ?? "");
}

function value(shown: Shown | undefined, name: string): string {
	return textOf(shown?.attributes.get(name)?.[0] ?? "");
}

describe("the life of the demo company", () => {
	it("tells each thing that happens in a sentence, and everything happens", async () => {
		demo = await live(100);
		const sentences = step(600);
		for (const kind of [
			/^.+ was hired into .+$/,
			/^.+ married and is now .+$/,
			/^.+ is now (Senior|Head) .+$/,
			/^.+ moved from .+ to .+$/,
			/^.+ is on leave: the account was disabled$/,
			/^.+ is back: the account was enabled$/,
			/^.+ left the company: moved to OU=Leavers$/,
			/^.+ works in .+ again$/,
			/^.+ has a contract until .+Z: the account expires then$/,
			/^.+ was deleted from the directory$/,
		]) {
			expect(sentences.some((sentence) => kind.test(sentence))).toBe(true);
		}
	});

	it("writes something with every sentence", async () => {
		demo = await live(60);
		for (let round = 0; round < 200; round++) {
			const before = demo.directory.highestUsn();
			step(1);
			expect(demo.directory.highestUsn()).toBeGreaterThan(before);
		}
	});

	it("keeps the company at its size, its names unique, its links whole and its tombstones few", async () => {
		demo = await live(100);
		step(3000);
		const all = [...demo.directory.all()];
		const living = all.filter(({ isDeleted }) => !isDeleted);
		const people = living.filter(({ attributes, dn }) => attributes.has("employeeID") && dn.includes("OU=People"));
		expect(people.length).toBeGreaterThan(80);
		expect(people.length).toBeLessThan(180);
		expect(all.length - living.length).toBeLessThanOrEqual(501);
		const names = new Set(living.map(({ dn }) => dn));
		for (const { attributes } of living) {
			for (const link of ["member", "memberOf", "manager", "directReports"]) {
				for (const target of attributes.get(link) ?? []) expect(names).toContain(textOf(target));
			}
		}
		for (const name of ["mail", "sAMAccountName", "proxyAddresses"]) {
			const values = living.flatMap(({ attributes }) => (attributes.get(name) ?? []).map((one) => textOf(one).toLowerCase()));
			expect(new Set(values).size).toBe(values.length);
		}
	});

	it("gives who marries a new name, a new first address, and the old one as an alias; login name and GUID stay", async () => {
		demo = await live(100);
		const before = new Map([...demo.directory.all()].map((shown) => [shown.guid, shown]));
		let bride: Shown | undefined;
		while (bride === undefined) {
			const [, now] = /married and is now (.+)$/.exec(step(1)[0] ?? "") ?? [];
			if (now !== undefined)
				bride = [...demo.directory.all()].find(
					(shown) => value(shown, "displayName") === now && value(before.get(shown.guid), "displayName") !== now,
				);
		}
		const was = before.get(bride.guid);
		expect(value(bride, "sAMAccountName")).toBe(value(was, "sAMAccountName"));
		expect(bride.dn).not.toBe(was?.dn);
		expect(value(bride, "proxyAddresses")).toBe(`SMTP:${value(bride, "mail")}`);
		expect(bride.attributes.get("proxyAddresses")?.map(textOf)).toContain(`smtp:${value(was, "mail")}`);
	});

	it("goes on when somebody took away what it wanted to use", async () => {
		demo = await live(30);
		demo.directory.deleteTree(`OU=Groups,${demo.baseDn}`);
		const told: string[] = [];
		const happened = Promise.withResolvers<void>();
		const living = demo.life?.start(1, (sentence) => {
			told.push(sentence);
			if (told.length >= 50) happened.resolve();
		});
		await happened.promise;
		living?.();
		expect(told.some((sentence) => sentence.startsWith("nothing happened: "))).toBe(true);
	});

	it("is the same life for the same seed", async () => {
		demo = await live(50);
		const once = step(50);
		await demo.close();
		demo = await live(50);
		expect(step(50)).toEqual(once);
	});
});
