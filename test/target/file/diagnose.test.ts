import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { diagnoseFile } from "../../../src/target/file/diagnose.ts";
import { freshFile } from "./files.ts";

it.each([
	{ what: "not there yet", make: () => {}, state: "passed", says: "is not there yet, and its folder may be written to" },
	{ what: "there", make: (file: string) => writeFileSync(file, "12345"), state: "passed", says: "may be written; 5 octets now" },
	{ what: "a folder", make: (file: string) => mkdirSync(file), state: "failed", says: "is no file" },
	{
		what: "in a folder that is not there",
		make: (file: string) => rmSync(path.dirname(file), { recursive: true }),
		state: "failed",
		says: "its folder is not there",
	},
])("check says of a file that is $what: $says", async ({ make, state, says }) => {
	const file = freshFile();
	make(file);
	const findings = [];
	for await (const finding of diagnoseFile(file, "changes")) findings.push(finding);
	expect(findings).toEqual([expect.objectContaining({ step: "file", subject: file, state, detail: expect.stringContaining(says) })]);
	rmSync(path.dirname(file), { recursive: true, force: true });
});
