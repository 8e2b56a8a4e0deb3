import * as fs from "node:fs";
import { appendFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, openEmpty } from "../../../src/store/database.ts";
import type { SyncDisk } from "../../../src/target/file/append.ts";
import type { Format } from "../../../src/target/file/options.ts";
import {
	anna,
	applyGroup,
	csv,
	delivery,
	finish,
	formats,
	freshFile,
	groupDelivery,
	jsonl,
	ldif,
	never,
	openChanges,
	openState,
	textOf,
} from "./files.ts";

let db: Connection;
let file: string;
beforeEach(() => {
	db = openEmpty();
	file = freshFile();
});
afterEach(() => {
	db.close();
	rmSync(path.dirname(file), { recursive: true, force: true });
});

const time = "2026-01-02T03:04:05.000Z";
const bob = { userName: "bob@corp.example", active: true };
const lines = () =>
	textOf(file)
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line) as Record<string, unknown>);

/** What a power cut, or a kill, leaves: the file has it, the database does not. */
function cutBeforeCommit(disk: SyncDisk = fs): SyncDisk {
	return {
		...disk,
		fsyncSync: (fd) => {
			disk.fsyncSync(fd);
			throw new Error("killed");
		},
		ftruncateSync: () => {},
	};
}

describe("a file of changes", () => {
	it("tells in JSON Lines what became of accounts and groups, before and after", async () => {
		const target = openChanges(db, file, jsonl);
		const disabled = { ...anna, active: false };
		await target.apply([delivery("1", anna, { kind: "create", key: "k1" }), delivery("2", bob, { kind: "create", key: "k2" })], never);
		await target.apply([delivery("1", disabled, { kind: "disable", key: "k3" })], never);
		await applyGroup(target, { ...groupDelivery("g1", "Sales", ["1", "2"]), key: "k4" });
		await applyGroup(target, { ...groupDelivery("g1", "Sales EU", [], ["2"]), key: "k5" });
		await target.apply([delivery("9", disabled, { remoteId: "1" as never, key: "k6" }), delivery("2", undefined, { key: "k7" })], never);
		await applyGroup(target, { ...groupDelivery("g1", undefined, []), key: "k8" });
		expect(lines()).toEqual([
			{ time, key: "k1", subject: "account", kind: "create", externalId: "1", account: anna },
			{ time, key: "k2", subject: "account", kind: "create", externalId: "2", account: bob },
			{ time, key: "k3", subject: "account", kind: "disable", externalId: "1", before: anna, account: disabled },
			{ time, key: "k4", subject: "group", kind: "create", externalId: "g1", group: { displayName: "Sales" }, added: ["1", "2"] },
			{
				...{ time, key: "k5", subject: "group", kind: "update", externalId: "g1" },
				...{ before: { displayName: "Sales" }, group: { displayName: "Sales EU" }, removed: ["2"] },
			},
			{
				time,
				key: "k6",
				subject: "account",
				kind: "update",
				externalId: "9",
				previousExternalId: "1",
				before: disabled,
				account: disabled,
			},
			{ time, key: "k7", subject: "account", kind: "delete", externalId: "2", before: bob },
			{ time, key: "k8", subject: "group", kind: "delete", externalId: "g1", before: { displayName: "Sales EU" } },
		]);
	});

	it("tells them in CSV beneath one header, a deleted account as it was", async () => {
		const format: Format = {
			kind: "csv",
			columns: [
				{ heading: "id", field: "anchor" },
				{ heading: "name", field: "displayName" },
			],
		};
		const target = openChanges(db, file, format);
		await target.apply([delivery("1", { ...anna, displayName: "=a\n" }, { kind: "create", key: "=k1" })], never);
		await applyGroup(target, { ...groupDelivery("g1", "Sales", ["1"]), key: "k2" });
		await openChanges(db, file, format).apply([delivery("1", undefined, { key: "k3" })], never);
		expect(parse(textOf(file), { record_delimiter: "\r\n" })).toEqual([
			["time", "key", "subject", "kind", "id", "name", "added", "removed"],
			[time, "'=k1", "account", "create", "1", "'=a\n", "", ""],
			[time, "k2", "group", "create", "g1", "Sales", "1", ""],
			[time, "k3", "account", "delete", "1", "'=a\n", "", ""],
		]);
	});

	it("tells nothing of what is so already", async () => {
		const target = openChanges(db, file, jsonl);
		await target.apply([delivery("1", anna)], never);
		await applyGroup(target, groupDelivery("g1", "Sales", ["1"]));
		const { size } = statSync(file);
		await target.apply([delivery("1", anna, { key: "another" }), delivery("7", undefined)], never);
		await applyGroup(target, groupDelivery("g1", "Sales", ["1"], ["7"], "another"));
		expect(statSync(file).size).toBe(size);
	});

	it.skipIf(process.platform === "win32")("is for its owner's eyes alone", async () => {
		await openChanges(db, file, jsonl).apply([delivery("1", anna)], never);
		expect(statSync(file).mode & 0o777).toBe(0o600);
	});

	it.each(formats)("in $kind repeats nothing that it told before a crash, whoever else is told meanwhile", async (format) => {
		const key = 'k "1", =a\nb å';
		const cut = openChanges(db, file, format, cutBeforeCommit());
		await openChanges(db, file, format).apply([delivery("0", { ...anna, userName: "zero" })], never);
		await expect(cut.apply([delivery("1", anna, { key }), delivery("2", { ...bob, displayName: "b\r\nc" })], never)).rejects.toThrow(
			"killed",
		);
		const told = textOf(file);
		const target = openChanges(db, file, format);
		expect(await target.reader?.read("1", never)).toBeUndefined();
		await target.apply(
			[delivery("2", { ...bob, displayName: "b\r\nc" }), delivery("1", anna, { key }), delivery("3", { ...bob, userName: "c" })],
			never,
		);
		expect(textOf(file).startsWith(told)).toBe(true);
		expect(textOf(file).match(/bob@corp\.example/g)).toEqual(told.match(/bob@corp\.example/g));
		expect(await target.reader?.read("1", never)).toMatchObject({ account: anna });
		await openChanges(db, file, format).apply([delivery("1", { ...anna, title: "Dr." })], never);
		expect(textOf(file).startsWith(told)).toBe(true);
	});

	it.each(formats)("in $kind repeats nothing of the first change of all", async (format) => {
		const cut = openChanges(db, file, format, cutBeforeCommit());
		await expect(cut.apply([delivery("1", anna)], never)).rejects.toThrow("killed");
		const told = textOf(file);
		await openChanges(db, file, format).apply([delivery("1", anna)], never);
		expect(textOf(file)).toBe(told);
	});

	it.each(formats.flatMap((format) => [3, 40, 120].map((lost) => ({ kind: format.kind, format, lost }))))(
		"in $kind cuts off a change that lost its last $lost octets, and tells it again",
		async ({ format, lost }) => {
			const disk = cutBeforeCommit();
			await openChanges(db, file, format).apply([delivery("1", anna)], never);
			const { size } = statSync(file);
			await expect(openChanges(db, file, format, disk).apply([delivery("2", { ...bob, title: "é".repeat(90) })], never)).rejects.toThrow();
			const whole = textOf(file);
			truncateSync(file, statSync(file).size - lost);
			expect(statSync(file).size).toBeGreaterThan(size);
			await openChanges(db, file, format).apply([delivery("2", { ...bob, title: "é".repeat(90) })], never);
			expect(textOf(file)).toBe(whole);
		},
	);

	it("in LDIF tells a change of several records again when not all of them were written", async () => {
		await openChanges(db, file, ldif).apply([delivery("1", anna)], never);
		const renamed = delivery("1", { ...anna, userName: "anna.b@corp.example", title: "Dr." });
		await expect(openChanges(db, file, ldif, cutBeforeCommit()).apply([renamed], never)).rejects.toThrow();
		const whole = textOf(file);
		const second = whole.lastIndexOf("# time");
		expect(whole.slice(second)).toContain("# record: 2 of 2");
		truncateSync(file, Buffer.byteLength(whole.slice(0, second)));
		await openChanges(db, file, ldif).apply([renamed], never);
		expect(textOf(file)).toBe(whole);
	});

	it.each(formats)("in $kind is not added to when somebody cut off what was told", async (format) => {
		await openChanges(db, file, format).apply([delivery("1", anna)], never);
		await openChanges(db, file, format).apply([delivery("2", bob)], never);
		truncateSync(file, statSync(file).size - 5);
		const cut = textOf(file);
		await expect(openChanges(db, file, format).apply([delivery("3", { ...bob, userName: "c" })], never)).rejects.toMatchObject({
			code: "TARGET_REFUSED",
		});
		expect(textOf(file)).toBe(cut);
	});

	it.each(formats)(
		"in $kind is as it was when the disk is full in the middle, and the change is told once there is room",
		async (format) => {
			await openChanges(db, file, format).apply([delivery("1", anna)], never);
			const before = textOf(file);
			const full: SyncDisk = {
				...fs,
				writeSync: ((fd: number, bytes: Buffer, at: number) => {
					if (at > 0) throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" });
					return fs.writeSync(fd, bytes, 0, 20);
				}) as SyncDisk["writeSync"],
			};
			const target = openChanges(db, file, format, full);
			await expect(target.apply([delivery("2", bob)], never)).rejects.toMatchObject({
				code: "TARGET_UNREACHABLE",
				message: `write to ${file}: no space is left on the disk`,
			});
			expect(textOf(file)).toBe(before);
			expect(await target.reader?.read("2", never)).toBeUndefined();
			await openChanges(db, file, format).apply([delivery("2", bob)], never);
			expect(textOf(file).startsWith(before)).toBe(true);
			expect(textOf(file)).toContain("bob");
		},
	);

	it.each(formats)("in $kind begins anew when it was taken away", async (format) => {
		const target = openChanges(db, file, format);
		await target.apply([delivery("1", anna)], never);
		renameSync(file, `${file}.1`);
		await target.apply([delivery("2", bob)], never);
		expect(textOf(file)).not.toContain("anna");
		expect(textOf(file).slice(0, 12)).toBe(format.kind === "jsonl" ? '{"time":"202' : textOf(`${file}.1`).slice(0, 12));
	});

	it.each(formats)("in $kind goes on behind what another database told", async (format) => {
		await openChanges(db, file, format).apply([delivery("1", anna)], never);
		const told = textOf(file);
		const other = openEmpty();
		await openChanges(other, file, format).apply([delivery("1", anna), delivery("2", bob)], never);
		expect(textOf(file).startsWith(told)).toBe(true);
		expect(textOf(file).match(/anna@corp\.example|version|time,key/g)).toEqual(told.match(/anna@corp\.example|version|time,key/g));
		expect(textOf(file)).toContain("bob");
		other.close();
	});

	it.each([
		{ what: "text", text: "a list of mine\nline by line\n" },
		{ what: "a line without an end", text: "a list of mine" },
		{ what: "JSON of another kind", text: '{"a":1}\n' },
	])("leaves $what alone that is none of ours", async ({ text }) => {
		for (const format of formats) {
			writeFileSync(file, text);
			await expect(openChanges(openEmpty(), file, format).apply([delivery("1", anna)], never)).rejects.toMatchObject({
				code: "TARGET_REFUSED",
				message: expect.stringContaining(file),
			});
			expect(textOf(file)).toBe(text);
		}
	});

	it("is not gone on with in another form, nor replaced by a state", async () => {
		await openChanges(db, file, jsonl).apply([delivery("1", anna)], never);
		const told = textOf(file);
		await expect(openChanges(db, file, csv).apply([delivery("2", bob)], never)).rejects.toMatchObject({ code: "TARGET_REFUSED" });
		const state = openState(db, file, jsonl);
		await state.apply([delivery("2", bob)], never);
		await expect(finish(state)).rejects.toMatchObject({ code: "TARGET_REFUSED", message: expect.stringContaining("holds changes") });
		expect(textOf(file)).toBe(told);
		rmSync(file);
		await finish(state);
		expect(textOf(file)).toContain("bob");
		await expect(openChanges(db, file, jsonl).apply([delivery("3", { ...bob, userName: "c" })], never)).rejects.toMatchObject({
			code: "TARGET_REFUSED",
		});
	});

	it("says when its folder is not there", async () => {
		const deep = path.join(file, "a");
		await expect(openChanges(db, deep, jsonl).apply([delivery("1", anna)], never)).rejects.toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: `open ${deep}: its folder is not there`,
		});
		expect(readdirSync(path.dirname(file))).toEqual([]);
	});

	it("has one account of a user name, and tells nothing of one that is refused", async () => {
		const target = openChanges(db, file, jsonl);
		const results = await target.apply([delivery("1", anna), delivery("2", { ...anna }), delivery("3", bob)], never);
		expect(results.map(({ kind }) => kind)).toEqual(["applied", "refused", "applied"]);
		expect(lines().map(({ externalId }) => externalId)).toEqual(["1", "3"]);
	});

	it("in LDIF has one group of a name", async () => {
		const target = openChanges(db, file, ldif);
		await applyGroup(target, groupDelivery("g1", "Sales", []));
		expect(await applyGroup(target, groupDelivery("g2", "sales", []))).toMatchObject({ kind: "refused" });
		expect(existsSync(file)).toBe(true);
	});

	it("says when somebody wrote a line of their own into it", async () => {
		await openChanges(db, file, jsonl).apply([delivery("1", anna)], never);
		appendFileSync(file, "somebody's own line\n");
		await expect(openChanges(db, file, jsonl).apply([delivery("2", bob)], never)).rejects.toMatchObject({ code: "TARGET_REFUSED" });
	});
});
