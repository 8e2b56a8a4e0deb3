import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readlinkSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import * as promises from "node:fs/promises";
import path from "node:path";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../../src/core/account.ts";
import type { Disk } from "../../../src/lib/replace-file.ts";
import { type Connection, openEmpty } from "../../../src/store/database.ts";
import { openForget } from "../../../src/store/forget.ts";
import type { Format } from "../../../src/target/file/options.ts";
import { textOf as firstOf, parseLdif, textsOf } from "../../support/ldif.ts";
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
	mirrorOf,
	never,
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

const bob: Account = { userName: "Bob@corp.example", active: false, manager: "1" as never };

/** Two people and two groups, of which one is empty. */
async function fill(format: Format, disk?: Disk) {
	const target = openState(db, file, format, disk);
	await target.apply([delivery("1", anna), delivery("2", bob)], never);
	await applyGroup(target, groupDelivery("g1", "Sales", ["1", "2"]));
	await applyGroup(target, groupDelivery("g2", "All", ["1"]));
	await applyGroup(target, groupDelivery("g3", "Empty", []));
	return target;
}

describe("a file of the whole state", () => {
	it("is read back from CSV as it is, accounts by userName, groups by name", async () => {
		const target = await fill(csv);
		await finish(target);
		const empty = Object.fromEntries(csv.kind === "csv" ? csv.columns.map(({ heading }) => [heading, ""]) : []);
		expect(parse(textOf(file), { columns: true })).toEqual([
			{
				...{ ...empty, anchor: "1", userName: "anna@corp.example", displayName: "Anna Åkesson", active: "true", department: "Research" },
				...{ "name.givenName": "Anna", "name.familyName": "Åkesson", groups: "All;Sales" },
				...{ "emails.primary": "anna@corp.example", "emails.other": "a.akesson@corp.example" },
			},
			{ ...empty, anchor: "2", userName: "Bob@corp.example", active: "false", manager: "1", groups: "Sales" },
		]);
	});

	it("has the columns of the configuration, in its order, under its headings", async () => {
		const target = await fill({
			kind: "csv",
			columns: [
				{ heading: "E-Mail", field: "emails.primary" },
				{ heading: "Block", field: "policies.external-mail" },
				{ heading: "userName", field: "userName" },
			],
		});
		await target.apply([delivery("2", { ...bob, policies: { "external-mail": "block" } })], never);
		await finish(target);
		expect(textOf(file)).toBe("E-Mail,Block,userName\r\nanna@corp.example,,anna@corp.example\r\n,block,Bob@corp.example\r\n");
	});

	it.each([
		{ value: "=HYPERLINK(A1)", cell: "'=HYPERLINK(A1)" },
		{ value: "+46 8 123", cell: "'+46 8 123" },
		{ value: "-1", cell: "'-1" },
		{ value: "@SUM(A1)", cell: "'@SUM(A1)" },
		{ value: "\t=1", cell: "'\t=1" },
		{ value: "\r=1", cell: "'\r=1" },
		{ value: '="a";"b"', cell: `'="a";"b"` },
		{ value: "a=1", cell: "a=1" },
		{ value: "a\nb", cell: "a\nb" },
		{ value: "a\rb", cell: "a\rb" },
		{ value: 'a "b", c', cell: 'a "b", c' },
		{ value: " a ", cell: " a " },
	])("is no formula to a spreadsheet: $value", async ({ value, cell }) => {
		const target = openState(db, file, {
			kind: "csv",
			columns: [
				{ heading: "A", field: "displayName" },
				{ heading: "B", field: "userName" },
			],
		});
		await target.apply([delivery("1", { ...anna, displayName: value })], never);
		await finish(target);
		expect(parse(textOf(file), { record_delimiter: "\r\n" })).toEqual([
			["A", "B"],
			[cell, "anna@corp.example"],
		]);
	});

	it("divides several values by semicolons, and tells one within a value by a backslash", async () => {
		const target = openState(db, file, {
			kind: "csv",
			columns: [
				{ heading: "groups", field: "groups" },
				{ heading: "features", field: "features" },
			],
		});
		await target.apply([delivery("1", { ...anna, features: ["a", "b"] })], never);
		await applyGroup(target, groupDelivery("g1", "A;B", ["1"]));
		await applyGroup(target, groupDelivery("g2", "C\\D", ["1"]));
		await finish(target);
		expect(textOf(file)).toBe("groups,features\r\nA\\;B;C\\\\D,a;b\r\n");
	});

	it("is read back from JSON Lines as it is", async () => {
		await finish(await fill(jsonl));
		const lines = textOf(file).trimEnd().split("\n");
		expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
			{ externalId: "1", ...anna, groups: ["All", "Sales"] },
			{ externalId: "2", ...bob, groups: ["Sales"] },
		]);
	});

	it("is read back from LDIF as people and groups of names, long values folded, others than ASCII in base64", async () => {
		const target = await fill(ldif);
		await target.apply([delivery("1", { ...anna, userName: " anna+1,\\ ", title: "x".repeat(300), department: ":b" })], never);
		await finish(target);
		expect(textOf(file)).toMatch(/^version: 1\n\n/);
		expect(
			textOf(file)
				.split("\n")
				.every((line) => line.length <= 76),
		).toBe(true);
		const records = parseLdif(textOf(file));
		const annaDn = "uid=\\ anna\\+1\\,\\\\\\ ,ou=people,dc=example,dc=test";
		expect(records.map(({ dn }) => dn)).toEqual([
			annaDn,
			"uid=Bob@corp.example,ou=people,dc=example,dc=test",
			...["Sales", "All", "Empty"].map((name) => `cn=${name},ou=people,dc=example,dc=test`),
		]);
		const [first, second, sales, , nobodys] = records as [(typeof records)[0], ...typeof records];
		expect([firstOf(first, "cn"), firstOf(first, "title"), firstOf(first, "uid"), firstOf(first, "departmentNumber")]).toEqual([
			...["Anna Åkesson", "x".repeat(300), " anna+1,\\ ", ":b"],
		]);
		expect(textsOf(first, "mail")).toEqual(["anna@corp.example", "a.akesson@corp.example"]);
		expect(textsOf(first, "description")).toEqual([]);
		expect(second && [firstOf(second, "sn"), firstOf(second, "description"), firstOf(second, "manager")]).toEqual([
			"Bob@corp.example",
			"disabled",
			annaDn,
		]);
		expect(sales && textsOf(sales, "member")).toEqual([annaDn, "uid=Bob@corp.example,ou=people,dc=example,dc=test"]);
		expect(nobodys && textsOf(nobodys, "member")).toEqual([""]);
	});

	it("in LDIF has one group of a name, and refuses a second", async () => {
		const target = await fill(ldif);
		expect(await applyGroup(target, groupDelivery("g9", "SALES", []))).toMatchObject({
			kind: "refused",
			error: expect.stringContaining("group of g1"),
		});
		expect(await applyGroup(target, groupDelivery("g1", "SALES", []))).toMatchObject({ kind: "applied" });
		expect(await applyGroup(openState(db, file, csv), groupDelivery("g9", "SALES", []))).toMatchObject({ kind: "applied" });
	});

	it.skipIf(process.platform === "win32")("is for its owner's eyes alone, whatever was there before", async () => {
		const target = await fill(jsonl);
		await finish(target);
		chmodSync(file, 0o666);
		await target.apply([delivery("1", { ...anna, title: "Dr." })], never);
		await finish(target);
		expect(statSync(file).mode & 0o777).toBe(0o600);
		expect(readdirSync(path.dirname(file))).toEqual(["accounts.out"]);
	});

	it("is not written before a pass has ended, and not again when nothing has changed", async () => {
		const target = await fill(jsonl);
		expect(existsSync(file)).toBe(false);
		await finish(target);
		const { ino } = statSync(file);
		await finish(target);
		await finish(openState(db, file, jsonl));
		expect(statSync(file).ino).toBe(ino);
	});

	it.each([
		{ what: "is gone", change: () => rmSync(file) },
		{ what: "was written to", change: () => writeFileSync(file, `${textOf(file)}more`) },
		{ what: "was touched", change: () => utimesSync(file, 1, 1) },
	])("is written again when it $what", async ({ change }) => {
		await finish(await fill(jsonl));
		const text = textOf(file);
		change();
		await finish(openState(db, file, jsonl));
		expect(textOf(file)).toBe(text);
		expect(statSync(file).mtimeMs).toBeGreaterThan(1000);
	});

	it("is written again when the configuration wants it otherwise", async () => {
		await finish(await fill(jsonl));
		await finish(openState(db, file, csv));
		expect(textOf(file)).toMatch(/^anchor,userName,/);
	});

	it("is not made of nothing: a database that was never delivered to writes no file", async () => {
		writeFileSync(file, "anchor\r\n1\r\n");
		await finish(openState(db, file, { kind: "csv", columns: [{ heading: "anchor", field: "anchor" }] }));
		expect(textOf(file)).toBe("anchor\r\n1\r\n");
	});

	it("of a target that was forgotten stays as it is until something is delivered again", async () => {
		await finish(await fill(jsonl));
		const text = textOf(file);
		openForget(db).target("nightly");
		await finish(openState(db, file, jsonl));
		expect(textOf(file)).toBe(text);
		const target = openState(db, file, jsonl);
		await target.apply([delivery("2", bob)], never);
		await finish(target);
		expect(textOf(file)).toBe(`${JSON.stringify({ externalId: "2", ...bob })}\n`);
	});

	it.each(formats)("takes over a file of its own form that another database wrote, in $kind", async (format) => {
		await finish(await fill(format));
		const text = textOf(file);
		db = openEmpty();
		await finish(await fill(format));
		expect(textOf(file)).toBe(text);
	});

	it.each(formats)("in $kind leaves a file alone that is none of ours: the path may be a mistake", async (format) => {
		writeFileSync(file, "database: ./data/dirsyncd.db\n");
		await expect(finish(await fill(format))).rejects.toMatchObject({ code: "TARGET_REFUSED", message: expect.stringContaining(file) });
		expect(textOf(file)).toBe("database: ./data/dirsyncd.db\n");
	});

	it("stays behind a link", async () => {
		const place = path.join(path.dirname(file), "elsewhere");
		writeFileSync(place, "");
		symlinkSync(place, file);
		await finish(await fill(jsonl));
		expect(textOf(place)).toContain("anna");
		expect(readlinkSync(file)).toBe(place);
	});

	it("goes on where it was cut between writing and renaming", async () => {
		await finish(await fill(jsonl));
		const old = textOf(file);
		const target = openState(db, file, jsonl, { ...promises, rename: () => new Promise(() => {}) });
		await target.apply([delivery("1", { ...anna, title: "Dr." })], never);
		void finish(target);
		while (!existsSync(`${file}.new`) || statSync(`${file}.new`).size === 0) await promises.stat(path.dirname(file));
		expect(textOf(file)).toBe(old);
		await finish(openState(db, file, jsonl));
		expect(textOf(file)).toContain('"title":"Dr."');
		expect(readdirSync(path.dirname(file))).toEqual(["accounts.out"]);
	});

	it("is on the disk before it takes the old one's place, and its place is after", async () => {
		const done: string[] = [];
		const noting = async (name: unknown, flags: unknown, mode: unknown): ReturnType<typeof promises.open> => {
			const handle = await promises.open(name as string, flags as string, mode as number);
			const sync = handle.sync.bind(handle);
			handle.sync = async () => {
				done.push(`sync ${path.basename(String(name))}`);
				await sync();
			};
			return handle;
		};
		const rename: Disk["rename"] = async (from, to) => {
			done.push("rename");
			await promises.rename(from, to);
		};
		await finish(await fill(jsonl, { ...promises, open: noting as Disk["open"], rename }));
		expect(done).toEqual(["sync accounts.out.new", "rename", `sync ${path.basename(path.dirname(file))}`]);
	});

	it.each([
		{ code: "ENOSPC", says: "no space is left on the disk" },
		{ code: "EROFS", says: "the disk may only be read" },
	])("stays as it was when the disk says $code, and is written later", async ({ code, says }) => {
		await finish(await fill(jsonl));
		const old = textOf(file);
		const target = openState(db, file, jsonl, { ...promises, open: (name, flags, mode) => failing(name, flags, mode, code) });
		await target.apply([delivery("1", undefined)], never);
		await expect(finish(target)).rejects.toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: `write ${file}: ${says}`,
			hint: expect.any(String),
		});
		expect(textOf(file)).toBe(old);
		expect(readdirSync(path.dirname(file))).toEqual(["accounts.out"]);
		await finish(openState(db, file, jsonl));
		expect(textOf(file)).not.toContain("anna");
	});

	it("says when its folder is not there, and is written when it is", async () => {
		file = path.join(file, "deep", "a.csv");
		const target = await fill(csv);
		await expect(finish(target)).rejects.toMatchObject({ code: "TARGET_UNREACHABLE", message: `write ${file}: its folder is not there` });
		mkdirSync(path.dirname(file), { recursive: true });
		await finish(target);
		expect(textOf(file)).toContain("anna");
	});

	it("stops when it is told to, and leaves nothing behind", async () => {
		const target = await fill(jsonl);
		await expect(target.finish?.(AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
		expect(readdirSync(path.dirname(file))).toEqual([]);
	});

	it("holds what is delivered while it is being written back until it is written", async () => {
		const target = await fill(jsonl);
		await target.apply(
			Array.from({ length: 3000 }, (_, index) => delivery(`n${index}`, { ...anna, userName: `n${index}` })),
			never,
		);
		const written = finish(target);
		await target.apply([delivery("n0", { ...anna, userName: "late" })], never);
		await written;
		const names = textOf(file)
			.trimEnd()
			.split("\n")
			.map((line) => (JSON.parse(line) as Account).userName);
		expect(names).toHaveLength(3002);
		expect(names).not.toContain("late");
		expect(mirrorOf(db).file.state().written).toBeLessThan(mirrorOf(db).file.state().version);
	});
});

/** A file that opens, and then cannot be written. */
async function failing(name: unknown, flags: unknown, mode: unknown, code: string): ReturnType<typeof promises.open> {
	const handle = await promises.open(name as string, flags as string, mode as number);
	if (flags !== "wx") return handle;
	handle.writeFile = async () => {
		throw Object.assign(new Error(code), { code, syscall: "write" });
	};
	return handle;
}
