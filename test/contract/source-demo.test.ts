import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cursor } from "../../src/core/cursor.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "./demo.ts";
import { logonsOf, read, sourceOn } from "./reader.ts";
import { sourceContract } from "./source.ts";

describe("the demo directory", () => {
	let demo: Demo;
	beforeAll(async () => {
		demo = await startDemo();
	});
	afterAll(() => demo.close());
	const directory = () => directoryOnDemo(demo);
	sourceContract(directory, () => demo.admin);

	describe("restored from a copy", () => {
		it("has its USN go back: a full reading, that says why", async () => {
			const before = demo.directory.highestUsn();
			demo.directory.add(`CN=Late,CN=Users,${demo.baseDn}`, { objectClass: "user", sAMAccountName: "late" });
			const cursor = (await read(sourceOn(directory()))).end.cursor as Cursor;
			demo.directory.rollBackUsn(before);
			const full = await read(sourceOn(directory()), cursor);
			expect(full.mode).toBe("full");
			expect(full.fullBecause).toMatch(/went back/);
		});

		it("has another invocationId: a full reading, that says why", async () => {
			const cursor = (await read(sourceOn(directory()))).end.cursor as Cursor;
			demo.directory.renewInvocationId();
			const full = await read(sourceOn(directory()), cursor);
			expect(full.mode).toBe("full");
			expect(full.fullBecause).toMatch(/invocationId/);
			expect(logonsOf(await read(sourceOn(directory()), full.end.cursor as Cursor))).toEqual([]);
		});
	});
});
