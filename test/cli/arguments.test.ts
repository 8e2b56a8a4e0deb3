import { describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { say } from "./world.ts";

describe("the command line", () => {
	it.each([
		{ argv: ["snyc"], says: "did you mean sync?" },
		{ argv: ["sync", "--ful"], says: "did you mean --full?" },
		{ argv: ["sync", "--limit", "3"], says: "sync has no option --limit" },
		{ argv: ["sync", "-x"], says: "sync has no option -x" },
		{ argv: ["sync", "--source"], says: "--source wants a value" },
		{ argv: ["sync", "--source", "--full"], says: "--source wants a value" },
		{ argv: ["sync", "--full=yes"], says: "--full takes no value" },
		{ argv: ["sync", "corp"], says: 'does not know what to do with "corp"' },
		{ argv: ["approve"], says: "usage: dirsyncd approve PLAN" },
		{ argv: ["approve", "sha256:12"], says: "not the hash of a plan" },
		{ argv: ["reject", "all"], says: "not the hash of a plan" },
		{ argv: ["sync", "--source", "crop"], says: "did you mean corp?" },
		{ argv: ["config", "vlidate"], says: "did you mean dirsyncd config validate?" },
		{ argv: ["runs", "last"], says: "a whole number" },
		{ argv: ["toString"], says: "there is no command" },
		{ argv: ["sync", "--constructor"], says: "no option --constructor" },
		{ argv: [], says: "no command was given" },
	])("$argv ends with 2 and says: $says", async ({ argv, says }) => {
		const said = await say(argv);
		expect(said.code).toBe(2);
		expect(said.out).toBe("");
		expect(said.err).toContain(says);
	});

	it("says errors as JSON on standard output, and nothing else, when JSON was asked for", async () => {
		const said = await say(["snyc", "--json"]);
		expect(said.code).toBe(2);
		expect(said.err).toBe("");
		expect(JSON.parse(said.out)).toEqual({
			error: { code: "USAGE", message: 'there is no command "snyc"', hint: "did you mean sync? dirsyncd --help lists the commands" },
		});
	});

	it("has help for the whole and for every command", async () => {
		const overall = await say(["--help"]);
		expect(overall).toMatchObject({ code: 0, err: "" });
		for (const { name, usage } of commands) {
			expect(overall.out).toContain(`  ${`${name} ${usage}`.trimEnd()}`);
			for (const argv of [
				[name, "--help"],
				["help", name],
				[name, "-h"],
			]) {
				const said = await say(argv);
				expect(said).toMatchObject({ code: 0, err: "" });
				expect(said.out).toContain(`Usage: dirsyncd ${name}`);
			}
		}
	});

	it("prints the version", async () => {
		expect(await say(["--version"])).toMatchObject({ code: 0, out: "dirsyncd 9.9.9\n" });
	});

	it("takes options before the command, too", async () => {
		expect((await say(["--json", "runs", "--limit", "3"], { views: { runs: () => [] } })).out).toBe("[]\n");
	});
});
