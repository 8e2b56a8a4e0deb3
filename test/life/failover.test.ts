import { describe, expect, it } from "vitest";
import { person, type Values } from "../contract/directory.ts";
import { addPerson } from "../contract/population.ts";
import { directoryOnSamba } from "../contract/samba.ts";
import { describeWith } from "../support/require.ts";
import type { Controller } from "../support/two-controllers.ts";
import { makeHappenings, makeRandom } from "./changes.ts";
import { staff, useEither } from "./either.ts";
import { openKeeper } from "./engine.ts";
import { expectLikeFresh } from "./life.ts";

/** schemaIDGUID of objectGUID. */
const objectGuid = "bf9679e7-0de6-11d0-a285-00aa003049e2";

describeWith(["samba", "namespaces"], "the engine on two domain controllers", () => {
	const { two, places, settings, syncFrom, replicateBoth, keeper, account, activeAt } = useEither();
	const most = Number(process.env["DIRSYNCD_TEST_LIFE"] ?? 16);
	const seed = Number(process.env["DIRSYNCD_TEST_SEED"] ?? 11);
	const set = (controller: Controller, name: string, values: Values) =>
		directoryOnSamba(controller).modify(person(name, places().people), values);

	it(`loses none of ${most} random changes on either of them, read from either by deltas alone, however one lags (seed ${seed})`, {
		timeout: 60_000 + most * 4_000,
	}, async () => {
		const { dc1, dc2, replicate } = two();
		const random = makeRandom(seed);
		let [writer, other] = [dc1, dc2];
		const directory = {
			...directoryOnSamba(dc1),
			add: (dn: string, values: Values) => directoryOnSamba(writer).add(dn, values),
			modify: (dn: string, values: Values) => directoryOnSamba(writer).modify(dn, values),
			move: (dn: string, to: string) => directoryOnSamba(writer).move(dn, to),
			remove: async () => {}, // Takes a full reading where deleted objects cannot be seen, and this is about deltas.
		};
		const happen = makeHappenings(directory, places(), random);
		const told: string[] = [];
		const lastTold = new Map([
			[dc1, await activeAt(dc1)],
			[dc2, await activeAt(dc2)],
		]);
		for (let change = 0; change < most; change++) {
			const chance = random();
			if (chance < 0.4) await replicate(writer, other);
			// Whoever writes has all that was written before: this is about how the other one lags, not about conflicts.
			if (chance < 0.2) [writer, other] = [other, writer];
			told.push(`${writer.name}: ${(await happen()).what}`);
			if (random() < 0.5) continue;
			const reader = random() < 0.5 ? dc1 : dc2;
			const report = await syncFrom(reader);
			told.push(`${reader.name} was read`);
			const said = () => `${told.slice(-8).join(" · ")} (${JSON.stringify(report)})`;
			expect(report, said()).toMatchObject({ mode: "delta", outcome: report.held > 0 ? "held" : "succeeded" });
			// What one told may be older or newer than what the other one did, but nobody is what neither of them told.
			lastTold.set(reader, await activeAt(reader));
			// Where one is behind, disabling and enabling waits until it is not.
			if (report.held > 0) continue;
			const strange = [...keeper().accounts()].filter(([anchor, view]) =>
				[...lastTold.values()].every((active) => active.has(anchor) !== view.account.active),
			);
			expect(strange, said()).toEqual([]);
		}
		await replicateBoth();
		expect(await syncFrom(random() < 0.5 ? dc1 : dc2)).toMatchObject({ mode: "delta", outcome: "succeeded" });
		await expectLikeFresh(keeper(), directoryOnSamba(dc1), settings(), () => told.join("\n"));
	});

	it.each([
		{ mode: "full", title: "everyone" },
		{ mode: "auto", title: "what has changed" },
	] as const)(
		"reads $title from the other one when the first one dies in the middle of it",
		async ({ mode, title }) => {
			const { dc1, dc2, replicate } = two();
			await syncFrom(dc1);
			for (const name of staff) await set(dc1, name, { title });
			await replicate(dc1, dc2);
			let dying: Promise<void> | undefined;
			const report = await keeper().sync(mode, ({ stage, done }) => {
				if (stage === "reading" && done > 0) dying ??= dc1.kill();
			});
			await dying;
			await dc1.start();
			expect(report).toMatchObject({
				server: dc2.ldapUrl,
				outcome: "succeeded",
				sealed: true,
				disabled: 0,
				held: 0,
				updated: staff.length,
			});
			expect(report.mode).toBe(mode === "full" ? "full" : "delta");
			expect(report.warnings.join()).toContain(`${dc1.ldapUrl}`);
			expect(staff.map((name) => account(name)?.title)).toEqual(staff.map(() => title));
		},
		60_000,
	);

	describe("when one of them lags", () => {
		it("leaves a leaver disabled when it reads one that has not heard of it, but of something else about that person", async () => {
			const { dc1, dc2 } = two();
			await syncFrom(dc1);
			await set(dc2, "Ada", { title: "Clerk" });
			await set(dc1, "Ada", { userAccountControl: "514" });
			expect(await syncFrom(dc1)).toMatchObject({ mode: "delta", disabled: 1 });
			await syncFrom(dc2);
			expect(account("Ada")).toMatchObject({ active: false });
		}, 60_000);

		it("leaves one active who is back in scope when it reads one that has heard of the leaving alone", async () => {
			const { dc1, dc2, replicate } = two();
			await syncFrom(dc1);
			const [there, elsewhere] = [person("Gus", places().people), person("Gus", places().second)];
			await directoryOnSamba(dc1).move(there, elsewhere);
			await replicate(dc1, dc2);
			await directoryOnSamba(dc1).move(elsewhere, there);
			await syncFrom(dc1);
			expect(account("Gus")).toMatchObject({ active: true });
			await syncFrom(dc2);
			expect(account("Gus")).toMatchObject({ active: true });
		}, 60_000);

		it("comes back to what the first one told when the other one, which lags, was read once and not everyone could be seen", async () => {
			const { dc1, dc2, replicate } = two();
			await syncFrom(dc2);
			await set(dc2, "Eve", { title: "Clerk" });
			await replicate(dc2, dc1);
			await set(dc1, "Eve", { department: "Told" });
			await syncFrom(dc1);
			const giveBack = await dc2.denyOnEach(
				person("Dan", places().people),
				"(objectClass=user)",
				objectGuid,
				await dc2.sidOf("svc-dirsyncd"),
			);
			expect(await syncFrom(dc2)).toMatchObject({ mode: "delta", outcome: "partial" });
			await giveBack();
			expect(await syncFrom(dc1)).toMatchObject({ mode: "delta", outcome: "succeeded" });
			expect(account("Eve")).toMatchObject({ department: "Told" });
		}, 60_000);

		it("comes back to what the first one told when the other one, which lags, was read soon after the very first reading", async () => {
			const { dc1, dc2 } = two();
			await set(dc1, "Fay", { department: "Told" });
			const newcomer = openKeeper(directoryOnSamba(dc1), settings());
			try {
				expect(await syncFrom(dc1, "auto", newcomer)).toMatchObject({ mode: "full" });
				expect(await syncFrom(dc2, "auto", newcomer)).toMatchObject({ mode: "full" });
				expect(await syncFrom(dc1, "auto", newcomer)).toMatchObject({ mode: "delta", outcome: "succeeded" });
				expect(account("Fay", newcomer)).toMatchObject({ department: "Told" });
			} finally {
				await newcomer.close();
			}
		}, 60_000);
	});

	it("does not take for gone who came after the backup that one of them was restored from", async () => {
		const { dc1, dc2, replicate } = two();
		const backup = await dc2.backUp();
		await addPerson(directoryOnSamba(dc1), "Hal", places().people, "hal");
		await replicate(dc1, dc2);
		expect(await syncFrom(dc2)).toMatchObject({ mode: "delta", created: 1 });
		await backup.restore();
		const full = await syncFrom(dc2);
		expect(full).toMatchObject({ mode: "full", outcome: "held", held: 1, disabled: 0 });
		expect(full.fullBecause).toMatch(/dc2\.corp\.example\.test has a new invocationId/);
		expect(account("Hal")).toMatchObject({ active: true });
		await replicate(dc1, dc2);
		expect(await syncFrom(dc2)).toMatchObject({ mode: "delta", outcome: "succeeded", held: 0, disabled: 0 });
		expect(account("Hal")).toMatchObject({ active: true });
	}, 60_000);
});

describeWith(["samba", "namespaces"], "the engine on two domain controllers, one of which goes back in time,", () => {
	const { two, places, syncFrom, account } = useEither();
	const set = (controller: Controller, name: string, values: Values) =>
		directoryOnSamba(controller).modify(person(name, places().people), values);

	it("neither harms anyone nor loses what follows when one of them went back to an old copy of its disk", async () => {
		const { dc1, dc2, replicate } = two();
		await syncFrom(dc1);
		const backup = await dc1.backUp();
		await directoryOnSamba(dc2).move(person("Ida", places().second), person("Ida", places().people));
		await replicate(dc2, dc1);
		for (const title of ["Lost 1", "Lost 2", "Lost 3"]) await set(dc1, "Ben", { title });
		expect(await syncFrom(dc1)).toMatchObject({ mode: "delta", created: 1, updated: 1 });
		await backup.rollBack();
		await set(dc1, "Ben", { userAccountControl: "514" });
		const full = await syncFrom(dc1);
		expect(full).toMatchObject({ mode: "full", outcome: "held", held: 2, disabled: 0 });
		expect(full.fullBecause).toMatch(/the highest USN of dc1\.corp\.example\.test went back from \d+ to \d+/);
		expect(account("Ida")).toMatchObject({ active: true });
		await set(dc1, "Cleo", { userAccountControl: "514" });
		// It has lost what came from the other one: what it says waits until it is told of that again.
		expect(await syncFrom(dc1)).toMatchObject({ mode: "delta", outcome: "held", disabled: 0, held: 3 });
		await replicate(dc2, dc1);
		expect(await syncFrom(dc1)).toMatchObject({ mode: "delta", outcome: "succeeded", disabled: 2, held: 0 });
		expect(["Ben", "Cleo", "Ida"].map((name) => account(name)?.active)).toEqual([false, false, true]);
		expect(await syncFrom(dc1, "full")).toMatchObject({ outcome: "succeeded", sealed: true, disabled: 0, held: 0 });
	}, 60_000);
});
