import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openEngine } from "../../src/app/engine.ts";
import { runCommandLine } from "../../src/cli/cli.ts";
import { openDoors } from "../../src/cli/doors.ts";
import { loadConfig } from "../../src/config/load.ts";
import { sidText } from "../../src/core/syntax.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { startDaemon } from "../support/daemons.ts";
import { memory, say } from "./world.ts";

const searchForVpn = "features: [{ name: search, when: { group: VPN Users } }]";
let directory: Demo;
/** Where the first database is made, and where each test has its copy of it. */
let [made, folder] = ["", ""];
let vpn = { guid: "", sid: "", members: 0 };

beforeAll(async () => {
	directory = await startDemo({ people: { kind: "company", count: 40 } });
	made = mkdtempSync(path.join(tmpdir(), "dirsyncd-whatif-"));
	const group = directory.directory.get("VPN Users");
	vpn = { ...vpn, guid: group?.guid ?? "", sid: sidText(group?.attributes.get("objectSid")?.[0] as Buffer) ?? "" };
	writeFileSync(path.join(made, "secret"), directory.bindPassword, { mode: 0o600 });
	write(made, searchForVpn);
	const { config } = loadConfig(path.join(made, "dirsyncd.yaml"), {});
	const engine = openEngine(config, { check: "always", clock: Date.now, random: Math.random });
	const listener = { progress: () => {}, ldap: () => {}, certificate: () => {} };
	await engine.sync({ source: "corp", mode: "full", trigger: "command" }, listener, new AbortController().signal);
	engine.backUp(path.join(made, "backup.db"));
	await engine.close();
});

afterAll(async () => {
	await directory.close();
	rmSync(made, { recursive: true });
});

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-whatif-"));
	copyFileSync(path.join(made, "backup.db"), path.join(folder, "dirsyncd.db"));
	return () => rmSync(folder, { recursive: true });
});

/** A configuration whose password stands in a file that only the first folder has. */
function write(into: string, more: string, source = ""): void {
	writeFileSync(
		path.join(into, "dirsyncd.yaml"),
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
sources:
  - name: corp
    type: active-directory
    urls: [${directory.url}]
    insecure: true
    bind: { user: ${directory.bindUser}, password: { file: ${path.join(made, "secret")} } }
    base: ${directory.baseDn}
    groups: {}
${source}
${more}
`,
	);
}

async function whatif(...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
	const [out, err] = [memory(false), memory(false)];
	const clock = Date.now;
	const context = {
		...{ out, err, environment: {}, directory: folder, clock, user: "anna", version: "9.9.9", signal: new AbortController().signal },
		doors: openDoors(clock),
	};
	const code = await runCommandLine(context, ["whatif", ...argv]);
	return { code, out: out.text(), err: err.text() };
}

const digestOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

describe("whatif", () => {
	it("says that nothing changes by the configuration of the last run, and ends with 0", async () => {
		write(folder, searchForVpn);
		const { code, out } = await whatif("--expect-no-change");
		expect(code).toBe(0);
		expect(out).toMatch(/^corp: 43 people, as of 20\d\d-\d\d-\d\dT\S+Z\nno difference in rules or scope/);
		expect(out).toMatch(/features\[0\] +search +gives 10 +group VPN Users/);
		expect(out.trimEnd().split("\n").at(-1)).toBe("nothing would change");
	});

	it("prints the contract's object as JSON, and ends with 3 when something would be held", async () => {
		write(folder, "features: []\npolicies: [{ name: mail, value: allow }]\nlimits: { entitlement: { count: 5 } }");
		const { code, out } = await whatif("--json");
		expect([code, out.endsWith("\n"), out.trimEnd().includes("\n")]).toEqual([3, true, false]);
		const found = JSON.parse(out);
		expect(Object.keys(found)).toEqual(
			"source asOf people isSame verdict changes held quarantined rules entitlements unknown warnings notes".split(" "),
		);
		expect(found).toMatchObject({ source: "corp", people: 43, isSame: false, verdict: "held", unknown: [], notes: [] });
		expect(found.held).toEqual([{ subject: "account", target: null, kind: "entitlement", count: 43, limit: "limit 5" }]);
		expect(found.changes).toMatchObject([{ subject: "account", target: null, kind: "entitlement", count: 43, held: 43, waiting: 0 }]);
		expect(found.changes[0].examples).toHaveLength(10);
		expect(Object.keys(found.rules[0])).toEqual("place kind name through selects gives gains examples unknown value".split(" "));
		expect(found.rules[0]).toMatchObject({ place: "policies[0]", kind: "policy", name: "mail", value: "allow", selects: 43, gives: 43 });
		expect(found.entitlements).toMatchObject([
			{ kind: "feature", name: "search", value: null, gained: 0, lost: 10, gaining: [] },
			{ kind: "policy", name: "mail", value: "allow", gained: 43, lost: 0, losing: [] },
		]);
		expect(found.entitlements[0].losing[0].why).toBe("feature search off: no rule gives it any more");
	});

	it("shows who gains and loses what on a screen, with a few of them, and ends with 0 when nothing would be held", async () => {
		write(folder, "features: [{ name: archive, when: { group: VPN Users } }]\nlimits: { entitlement: { count: 1000, percent: 100 } }");
		const { code, out } = await whatif();
		expect(code).toBe(0);
		expect(out).toContain("entitlement 10\n");
		expect(out).toMatch(/features\[0\] +archive +gives 10 +\+10 +group VPN Users/);
		expect(out).toContain("feature archive  10 gain it\n");
		expect(out).toContain("feature search  10 lose it\n");
		expect(out).toMatch(/ {2}- \S+@corp\.example\.com: feature search off: no rule gives it any more\n/);
		expect(out).toContain("    and 7 more\n");
		expect(out.trimEnd().split("\n").at(-1)).toBe("nothing would be held");
		expect(out.split("\n").length).toBeLessThan(24);
	});

	it("ends with 4 with --expect-no-change when something changes, or when that cannot be told", async () => {
		write(folder, "features: [{ name: archive, when: { group: VPN Users } }]\nlimits: { entitlement: { count: 1000, percent: 100 } }");
		expect((await whatif("--expect-no-change")).code).toBe(4);
		write(folder, `features: [{ name: search, when: { any: [{ group: VPN Users }, { group: Nobody There }] } }]`);
		const { code, out } = await whatif("--expect-no-change");
		expect(code).toBe(4);
		expect(out).toContain(
			'? features[0]: the group "Nobody There" is not in the snapshot: who is in it is known only after the next reading',
		);
	});

	it("finds Active Directory's groups by GUID, SID, DN and name in the snapshot", async () => {
		const dn = directory.directory.get("VPN Users")?.dn;
		const names = [vpn.guid, vpn.sid, `"${dn}"`, "vpn users"];
		write(folder, `features:\n${names.map((name, index) => `  - { name: f${index}, when: { group: ${name} } }`).join("\n")}`);
		const found = JSON.parse((await whatif("--json")).out);
		expect(found.unknown).toEqual([]);
		expect(found.rules.map(({ gives }: { gives: number }) => gives)).toEqual([10, 10, 10, 10]);
	});

	it("judges another filter and other exclusions by the snapshot, and holds whoever they leave out", async () => {
		write(folder, searchForVpn, `    users: { filter: "(!(department=Sales))", exclude: ["OU=IT,OU=People,${directory.baseDn}"] }`);
		const { code, out } = await whatif("--json");
		expect(code).toBe(3);
		const found = JSON.parse(out);
		expect(found.held).toMatchObject([{ kind: "disable", limit: "the scope in the configuration is another than at the last reading" }]);
		const reasons = found.changes.flatMap(({ examples }: { examples: { why: string }[] }) => examples.map(({ why }) => why)).join("\n");
		expect(reasons).toContain(`beneath OU=IT,OU=People,${directory.baseDn}, which is excluded`);
		expect(reasons).toContain('left the scope: (!(department=Sales)) does not match: department is "Sales"');
	});

	it("knows the configuration's groups of users.groups, its protection, and the mappings of its targets", async () => {
		const dn = directory.directory.get("VPN Users")?.dn;
		const protect = `protect: ["${directory.directory.get("Administrator")?.dn}"]`;
		const targets = 'targets: [{ name: accounts, type: local, mapping: { title: "{physicalDeliveryOfficeName}" } }]';
		write(folder, `${searchForVpn}\n${protect}\n${targets}`, `    users: { groups: ["${dn}"] }`);
		const found = JSON.parse((await whatif("--json")).out);
		const ends = found.changes.find(({ kind }: { kind: string }) => kind === "disable");
		expect(ends.examples[0].why).toBe("left the scope: in none of the groups of users.groups");
		expect(found.unknown).toContain(
			"at target accounts: title is mapped from physicaldeliveryofficename, not read until now: it stays as it is until the next reading",
		);
		// By another scope everybody's end is held in any case; by the same one, who is under protection.
		write(folder, `${searchForVpn}\nprotect: ["CN=Nobody,DC=elsewhere"]`);
		expect((await whatif()).out).toContain('? protect: "CN=Nobody,DC=elsewhere" is not in the snapshot');
	});

	it("says how many accounts a new target gets", async () => {
		const other = '{ name: other, type: webhook, url: "https://127.0.0.1:9/", secret: { file: ./nowhere } }';
		write(folder, `${searchForVpn}\ntargets: [{ name: accounts, type: local }, ${other}]`);
		const { code, out } = await whatif("--expect-no-change");
		expect(code).toBe(4);
		expect(out).toContain("create at other 43\n");
		expect(out).not.toContain("no difference");
		write(
			folder,
			`${searchForVpn}\ntargets: [{ name: accounts, type: local }, ${other.replace("webhook,", "webhook, when: { group: VPN Users },")}]`,
		);
		expect((await whatif()).out).toContain("create at other 10\n");
	});

	it("ends with 0 when only that is held which waits already", async () => {
		const waiting = { subject: "account", target: undefined, kind: "disable", count: 2, held: 2, waiting: 2, examples: [] } as const;
		const held = [{ subject: "account", target: undefined, kind: "disable", count: 2, limit: "limit 1" }] as const;
		const empty = {
			source: "corp",
			asOf: 0,
			people: 9,
			isSame: false,
			quarantined: { count: 0, examples: [] },
			rules: [],
			entitlements: [],
		};
		const found = { ...empty, unknown: [], warnings: [], changes: [waiting], held };
		const said = await say(["whatif", "--expect-no-change"], { trial: { whatIf: async () => found } });
		expect(said.code).toBe(0);
		expect(said.out).toContain("disable 2  2 held, 2 of them waiting already");
		expect(said.out).toContain("held already: 2 disable (limit 1)");
		const more = { ...found, changes: [{ ...waiting, waiting: 1 }] };
		expect((await say(["whatif"], { trial: { whatIf: async () => more } })).code).toBe(3);
	});

	it("needs no secret, connects to nothing, and leaves the database as it was, also by another path", async () => {
		let connections = 0;
		const server = createServer((socket) => {
			connections++;
			socket.destroy();
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const { port } = server.address() as { port: number };
		try {
			write(folder, searchForVpn);
			const file = path.join(folder, "dirsyncd.yaml");
			const text = readFileSync(file, "utf8");
			const elsewhere = text.replace(directory.url, `ldap://127.0.0.1:${port}`).replace("dirsyncd.db", "elsewhere.db");
			writeFileSync(file, elsewhere.replace(path.join(made, "secret"), path.join(made, "nowhere")));
			const database = path.join(folder, "dirsyncd.db");
			const before = digestOf(database);
			const { code, out } = await whatif("--database", "dirsyncd.db", "--expect-no-change");
			expect(out).toContain("nothing would change");
			expect([code, connections, digestOf(database) === before]).toEqual([0, 0, true]);
		} finally {
			server.close();
		}
	});

	it("ends with 1 where there is no database, and with 2 when the configuration has problems", async () => {
		write(folder, searchForVpn);
		const missing = await whatif("--database", "nowhere.db");
		expect(missing.code).toBe(1);
		expect(missing.err).toContain(`there is no database ${path.join(folder, "nowhere.db")}`);
		write(folder, "features: [{ name: search, when: { group: VPN Users }, vlaue: 3 }]");
		expect((await whatif()).code).toBe(2);
		write(folder, searchForVpn);
		expect((await whatif("--source", "nobody")).code).toBe(2);
	});

	it("prints an array for several sources, says which the database does not know, and which the configuration does not", async () => {
		write(folder, searchForVpn);
		const file = path.join(folder, "dirsyncd.yaml");
		const text = readFileSync(file, "utf8");
		const source = text.slice(text.indexOf("  - name"), text.indexOf("features:"));
		writeFileSync(file, text.replace(source, source + source.replace("name: corp", "name: second")));
		const several = await whatif("--json");
		expect(several.code).toBe(0);
		expect(JSON.parse(several.out)).toMatchObject([
			{ source: "corp", verdict: "none" },
			{
				source: "second",
				asOf: null,
				unknown: ["source second is not in the database: who is in it is known only after its first reading"],
			},
		]);
		expect((await whatif("--expect-no-change")).code).toBe(4);
		expect((await whatif("--expect-no-change", "--source", "corp")).code).toBe(0);
		writeFileSync(file, `${text.replace("name: corp", "name: renamed")}\ntargets: [{ name: other, type: local }]\n`);
		expect((await whatif()).out).toContain(
			`note: source corp is not in the configuration any more: its accounts stay as they are, and nothing is read of it
note: target accounts is not in the configuration any more: its accounts stay there as they are
note: target other is new: what is there already is known only when something is delivered
`,
		);
	});

	it("goes beside a daemon that has the database", async () => {
		write(folder, searchForVpn);
		const daemon = startDaemon(path.join(folder, "dirsyncd.yaml"));
		try {
			await daemon.said(({ msg }) => msg === "run succeeded");
			const { code, out } = await whatif("--expect-no-change");
			expect(out).toContain("nothing would change");
			expect(code).toBe(0);
			expect(await daemon.end("SIGTERM")).toBe(0);
		} finally {
			daemon.child.kill("SIGKILL");
		}
	});
});
