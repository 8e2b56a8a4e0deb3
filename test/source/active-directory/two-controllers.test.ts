import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import type { Changes } from "../../../src/source/active-directory/strategy.ts";
import { person } from "../../contract/directory.ts";
import { addPerson } from "../../contract/population.ts";
import { failureOf, logonsOf, type Read, read, sourceOn } from "../../contract/reader.ts";
import { directoryOnSamba } from "../../contract/samba.ts";
import { fullRequest } from "../../support/requests.ts";
import { describeWith } from "../../support/require.ts";
import { realm } from "../../support/samba-provision.ts";
import { type Controller, useTwoControllers } from "../../support/two-controllers.ts";

/** DS-Replication-Get-Changes (MS-ADTS §5.1.3.2.1). */
const REPLICATE = "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2";

/** A USN counts on one domain controller only; DirSync's cookie carries over to another one, also to one that was restored. */
const strategies = [
	{ by: "uSNChanged", changes: "usn", unknown: "full" },
	{ by: "DirSync", changes: "dirsync", unknown: "delta" },
] as const;

describeWith(["samba", "namespaces"], "two domain controllers of one domain", () => {
	const two = useTwoControllers();
	const base = () => `OU=Two,${two().dc1.baseDn}`;
	const account = { user: `svc-replica@${realm.toLowerCase()}`, password: "Passw0rd.of.replica" };
	const timeouts = { connectMs: 1000, bindMs: 5000, requestMs: 2000 };

	const write = (controller: Controller, name: string, attribute: "department" | "title", value: string) =>
		directoryOnSamba(controller).modify(person(name, base()), { [attribute]: value });

	/** A source with these servers, in this order. */
	const sourceOf = (changes: Changes, controllers: readonly Controller[], pageSize = 1000) => {
		const urls = controllers.map(({ ldapUrl }) => ldapUrl);
		return sourceOn(directoryOnSamba(two().dc1, account, changes), { bases: [base()], urls, timeouts, pageSize });
	};

	/** Reads on and on, each time from where it left off, and keeps the department that everyone was last told to be in. */
	function openMemory(changes: Changes) {
		const departments = new Map<string, string | undefined>();
		let cursor: Cursor | undefined;
		return {
			departmentOf: (name: string) => departments.get(name),
			from: async (...controllers: readonly Controller[]): Promise<Read> => {
				const found = await read(sourceOf(changes, controllers), cursor);
				for (const { attributes: of } of found.entries.values()) departments.set(of.get("cn")?.[0] as string, of.get("department")?.[0]);
				cursor = found.end.cursor;
				return found;
			},
		};
	}

	/** One that has read both, the second one last, when both knew all that the other one did. */
	async function openMemoryOfBoth(changes: Changes) {
		const { dc1, dc2, replicate } = two();
		await Promise.all([replicate(dc1, dc2), replicate(dc2, dc1)]);
		const memory = openMemory(changes);
		await memory.from(dc1);
		await memory.from(dc2);
		return memory;
	}

	beforeAll(async () => {
		const { dc1 } = two();
		const directory = directoryOnSamba(dc1);
		await dc1.tool("user", "create", "svc-replica", account.password);
		await dc1.grant(dc1.baseDn, `(OA;;CR;${REPLICATE};;${await dc1.sidOf("svc-replica")})`);
		await directory.add(base(), { objectClass: "organizationalUnit" });
		for (const name of ["Ada", "Ben", "Cleo", "Dan", "Eve"]) await addPerson(directory, name, base(), name.toLowerCase());
		await two().replicate(dc1, two().dc2);
	}, 60_000);

	afterEach(async () => {
		await Promise.all([two().dc1.reconnect(), two().dc2.reconnect()]);
	});

	it("know nothing of each other's changes until these are replicated", async () => {
		const { dc1, dc2, replicate } = two();
		const inLag = () => directoryOnSamba(dc2).search(base(), "(department=Lag)", ["cn"]);
		await write(dc1, "Ada", "department", "Lag");
		expect(await inLag()).toHaveLength(0);
		await replicate(dc1, dc2);
		expect(await inLag()).toHaveLength(1);
	});

	describe.each(strategies)("with changes by $by", ({ by, changes, unknown }) => {
		it("say so when the other one was never read before and knows less, and do not once it knows", async () => {
			const { dc1, dc2, replicate } = two();
			const memory = openMemory(changes);
			await memory.from(dc1, dc2);
			await dc1.cutOff();
			const first = await memory.from(dc1, dc2);
			expect(first.mode).toBe(unknown);
			if (unknown === "full") {
				expect(first.fullBecause).toMatch(/^dc2\.corp\.example\.test \(invocationId .*\) was never read before, and a USN counts on one/);
				expect(logonsOf(first)).toEqual(["ada", "ben", "cleo", "dan", "eve"]);
			}
			expect(first.end.viewChanged).toBe("dc2.corp.example.test has not heard yet of all that was written on dc1.corp.example.test");
			await replicate(dc1, dc2);
			const caughtUp = await memory.from(dc1, dc2);
			expect(caughtUp.end).toMatchObject({ viewChanged: undefined, isCurrent: true });
		});

		it("take over from each other by deltas once both are known, and what one does not know yet is told when it does", async () => {
			const { dc1, dc2, replicate } = two();
			const [first, second] = [`First by ${by}`, `Second by ${by}`];
			const memory = await openMemoryOfBoth(changes);
			await write(dc1, "Ada", "department", first);
			expect(logonsOf(await memory.from(dc1, dc2))).toContain("ada");
			await dc1.cutOff();
			await write(dc1, "Ben", "department", first);
			await write(dc2, "Dan", "department", second);
			expect(await memory.from(dc1, dc2)).toMatchObject({ mode: "delta" });
			expect(["Ada", "Ben", "Dan"].map(memory.departmentOf)).toEqual([first, expect.not.stringContaining(by), second]);
			await replicate(dc1, dc2);
			const caughtUp = await memory.from(dc1, dc2);
			expect([caughtUp.mode, logonsOf(caughtUp)]).toEqual(["delta", expect.arrayContaining(["ada", "ben"])]);
			await dc1.reconnect();
			await write(dc2, "Eve", "department", second);
			await replicate(dc2, dc1);
			expect(await memory.from(dc1, dc2)).toMatchObject({ mode: "delta" });
			expect(["Ada", "Ben", "Dan", "Eve"].map(memory.departmentOf)).toEqual([first, first, second, second]);
		}, 60_000);

		it.each(["it has it too", "the other one is read again"])(
			"tell again what one that lags told otherwise, as soon as %s",
			async (when) => {
				const { dc1, dc2, replicate } = two();
				const told = `${by}, until ${when}`;
				const memory = await openMemoryOfBoth(changes);
				await write(dc1, "Cleo", "department", told);
				await write(dc2, "Cleo", "title", told);
				await memory.from(dc1);
				expect(memory.departmentOf("Cleo")).toBe(told);
				await memory.from(dc2);
				expect(memory.departmentOf("Cleo")).not.toBe(told);
				if (when === "it has it too") await replicate(dc1, dc2);
				expect(await memory.from(when === "it has it too" ? dc2 : dc1)).toMatchObject({ mode: "delta" });
				expect(memory.departmentOf("Cleo")).toBe(told);
			},
			60_000,
		);

		it("say so when one was restored from a backup, and lose nothing by it", async () => {
			const { dc1, dc2, replicate } = two();
			const memory = await openMemoryOfBoth(changes);
			const backup = await dc2.backUp();
			await write(dc2, "Dan", "department", `${by}, after the backup`);
			await replicate(dc2, dc1);
			await memory.from(dc2);
			await backup.restore();
			const first = await memory.from(dc2);
			expect(first.mode).toBe(unknown);
			if (unknown === "full") {
				expect(first.fullBecause).toMatch(/^dc2\.corp\.example\.test has a new invocationId, .* it was restored or rebuilt/);
			}
			expect(first.end.viewChanged).toMatch(
				/^dc2\.corp\.example\.test has a new invocationId: it was restored from an old copy or rebuilt/,
			);
			await replicate(dc1, dc2);
			expect(await memory.from(dc2)).toMatchObject({ mode: "delta" });
			expect(memory.departmentOf("Dan")).toBe(`${by}, after the backup`);
		}, 60_000);

		it.each([
			{ what: "is killed", code: "SOURCE_BROKE", stop: (dc: Controller) => dc.kill(), start: (dc: Controller) => dc.start() },
			{ what: "is cut off", code: "SOURCE_UNREACHABLE", stop: (dc: Controller) => dc.cutOff(), start: (dc: Controller) => dc.reconnect() },
		])(
			"break the reading when one $what in the middle of it; the other one gives the next",
			async ({ code, stop, start }) => {
				const { dc1, dc2 } = two();
				const reading = await sourceOf(changes, [dc1, dc2], 2).read(fullRequest(), new AbortController().signal);
				const pages = async () => {
					for await (const _ of reading.pages) await stop(dc1);
				};
				expect(await failureOf(pages())).toMatchObject({ code });
				await reading.close();
				const next = await read(sourceOf(changes, [dc1, dc2]));
				await start(dc1);
				expect(logonsOf(next)).toEqual(["ada", "ben", "cleo", "dan", "eve"]);
			},
			60_000,
		);

		it("give a full reading, and say why, when one went back to an old copy of its disk, and then lose nothing", async () => {
			const { dc1 } = two();
			const memory = await openMemoryOfBoth(changes);
			const backup = await dc1.backUp();
			for (const department of ["Lost 1", "Lost 2", "Lost 3"]) await write(dc1, "Eve", "department", department);
			await memory.from(dc1);
			await backup.rollBack();
			await write(dc1, "Eve", "department", `${by}, after the rollback`);
			const full = await memory.from(dc1);
			expect(full.mode).toBe("full");
			expect(full.fullBecause).toMatch(
				/^the highest USN of dc1\.corp\.example\.test went back from \d+ to \d+: it was restored from an old copy/,
			);
			expect(memory.departmentOf("Eve")).toBe(`${by}, after the rollback`);
			await write(dc1, "Ada", "department", `${by}, after the rollback`);
			expect(await memory.from(dc1)).toMatchObject({ mode: "delta" });
			expect(memory.departmentOf("Ada")).toBe(`${by}, after the rollback`);
		}, 60_000);
	});
});
