import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { openAsking } from "../../src/cli/asking.ts";
import { draftText } from "../../src/cli/init-text.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { passwordIn } from "../support/configs.ts";
import { describeWith } from "../support/require.ts";
import { memory } from "./world.ts";

const launcher = path.join(import.meta.dirname, "../../src/launch.cjs");
let demo: Demo;
let certificates: Certificates;
let made: string;
let folder: string;

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-init-"));
	return () => rmSync(folder, { recursive: true });
});

/** The command in a process of its own; `answers` are lines of its standard input, which then ends. */
async function dirsyncd(argv: readonly string[], answers: readonly string[] = [], variables: Readonly<Record<string, string>> = {}) {
	const { DIRSYNCD_CONFIG: _, ...environment } = process.env;
	const child = spawn(process.execPath, [launcher, ...argv], { cwd: folder, env: { ...environment, ...variables }, stdio: "pipe" });
	const said = { out: "", err: "" };
	child.stdout.on("data", (chunk: Buffer) => (said.out += chunk.toString()));
	child.stderr.on("data", (chunk: Buffer) => (said.err += chunk.toString()));
	child.stdin.on("error", () => {}); // It may end without reading all of it.
	child.stdin.end(answers.map((line) => `${line}\n`).join(""));
	const [code] = (await once(child, "close")) as [number];
	return { ...said, code };
}

const at = (name: string) => path.join(folder, name);
const flags = () => {
	writeFileSync(at("password"), `${demo.bindPassword}\n`, { mode: 0o600 });
	return ["init", "--url", demo.secureUrl ?? "", "--ca", certificates.ca, "--user", demo.bindUser, "--password-file", "password"];
};

describeWith(["openssl"], "init", () => {
	beforeAll(async () => {
		made = mkdtempSync(path.join(tmpdir(), "dirsyncd-init-"));
		certificates = await makeCertificates(made, { dns: ["localhost"], ip: "127.0.0.1" });
		const tls = { key: readFileSync(certificates.key), cert: readFileSync(certificates.file("good")) };
		demo = await startDemo({ people: { kind: "company", count: 40 }, tls });
	});
	afterAll(async () => {
		await demo.close();
		rmSync(made, { recursive: true });
	});

	it("writes by options alone what loads without a warning and plans, with the password for its owner's eyes", async () => {
		const { code, out, err } = await dirsyncd([...flags(), "--groups", "--yes"]);
		expect(err).toBe("");
		expect(code).toBe(0);
		expect(out).toMatch(/people in DC=corp,DC=example,DC=com:\n {2}\d+ +OU=/);
		expect(out).toMatch(/A first run would read (\d+) people and create \d+/);
		const { config, warnings } = loadConfig(at("dirsyncd.yaml"), {});
		expect(warnings).toEqual([]);
		expect(config.sources).toMatchObject([{ name: "corp", urls: [demo.secureUrl], bases: [demo.baseDn], users: { exclude: [] } }]);
		expect(config.sources[0]?.groups).toBeDefined();
		expect(passwordIn(config)).toBe(demo.bindPassword);
		if (process.platform !== "win32") expect(statSync(at("secrets/corp")).mode & 0o777).toBe(0o600);
		expect(readFileSync(at("dirsyncd.yaml"), "utf8")).not.toContain(demo.bindPassword);
		const plan = await dirsyncd(["plan", "--json"]);
		expect(plan.code).toBe(0);
		const { summary, sealed } = JSON.parse(plan.out) as { summary: { create: number }; sealed: boolean };
		expect(sealed).toBe(true);
		expect(out).toContain(`create ${summary.create}`);
	});

	it("asks: another server when one does not answer, for the authority, and for a refused password again", async () => {
		const answers = [
			"ldaps://127.0.0.1:1",
			demo.secureUrl ?? "",
			certificates.ca,
			demo.bindUser,
			"wrong",
			"",
			demo.bindPassword,
			"",
			"none",
			"y",
		];
		const { code, out, err } = await dirsyncd(["init", "--output", "sub.yaml"], answers);
		expect(code, err).toBe(0);
		expect(out).toMatch(/failed.*127\.0\.0\.1:1/);
		expect(out).toMatch(/failed.*not (?:signed|trusted)|failed .*tls/i);
		expect(out).toMatch(new RegExp(`failed.*bind.*${demo.bindUser}`));
		expect(`${out}${err}`).not.toContain(demo.bindPassword);
		expect(err.match(/Password of/g)).toHaveLength(2);
		const { config, warnings } = loadConfig(at("sub.yaml"), {});
		expect(warnings).toEqual([]);
		expect(passwordIn(config)).toBe(demo.bindPassword);
		expect(out).toContain(`dirsyncd plan --config ${at("sub.yaml")}`);
	});

	it("writes for an installed service what its user can read: a credential, its own data, and a copy of the authority", async () => {
		const state = at("state");
		const variables = { DIRSYNCD_CONFIG: at("etc/dirsyncd.yaml"), CREDENTIALS_DIRECTORY: at("etc/secrets"), STATE_DIRECTORY: state };
		const { code, out, err } = await dirsyncd([...flags(), "--yes"], [], variables);
		expect({ code, err }).toEqual({ code: 0, err: "" });
		expect(out).toContain('"dirsyncd plan" shows each account and why; "systemctl enable --now dirsyncd" makes them');
		const text = readFileSync(at("etc/dirsyncd.yaml"), "utf8");
		expect(text).toContain('password: { credential: "corp" }');
		const { config } = loadConfig(at("etc/dirsyncd.yaml"), variables);
		expect(config.database).toBe(path.join(state, "dirsyncd.db"));
		expect(passwordIn(config)).toBe(demo.bindPassword);
		expect(config.sources[0]?.tls.ca).toBe(readFileSync(certificates.ca, "utf8"));
		expect(text).toContain('ca: "./corp-ca.pem"');
		if (process.platform !== "win32") {
			expect(statSync(at("etc/secrets/corp")).mode & 0o777).toBe(0o600);
			expect(statSync(at("etc/corp-ca.pem")).mode & 0o777).toBe(0o644);
		}
		const elsewhere = await dirsyncd([...flags(), "--yes", "--output", "mine/dirsyncd.yaml"], [], variables);
		expect(elsewhere.code).toBe(0);
		expect(readFileSync(at("mine/dirsyncd.yaml"), "utf8")).toContain('password: { file: "./secrets/corp" }');
	});

	it("leaves nothing behind when the configuration cannot be written, so that it can be run again", async () => {
		symlinkSync(at("nowhere/dirsyncd.yaml"), at("link.yaml"));
		const variables = { DIRSYNCD_CONFIG: at("link.yaml"), CREDENTIALS_DIRECTORY: at("secrets"), STATE_DIRECTORY: at("state") };
		const { code, err } = await dirsyncd([...flags(), "--yes"], [], variables);
		expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("cannot be written") });
		expect(existsSync(at("secrets/corp"))).toBe(false);
		expect(existsSync(at("corp-ca.pem"))).toBe(false);
	});

	it("says that a file for the password is empty, before anybody is asked for anything", async () => {
		writeFileSync(at("empty"), "\n");
		const { code, err } = await dirsyncd([...flags(), "--password-file", "empty", "--yes"]);
		expect(code).toBe(2);
		expect(err).toContain("the password in empty is empty");
	});

	it("takes base and what to leave out", async () => {
		const [place = ""] = /OU=Sales[^\n]*/.exec((await dirsyncd([...flags(), "--yes"])).out) ?? [];
		expect(place).not.toBe("");
		const argv = [...flags(), "--base", demo.baseDn, "--exclude", place, "--output", "other/dirsyncd.yaml", "--yes", "--json"];
		const { code, out } = await dirsyncd(argv);
		expect(code).toBe(0);
		expect(JSON.parse(out)).toMatchObject({ config: at("other/dirsyncd.yaml"), secret: at("other/secrets/corp"), plan: { sealed: true } });
		expect(loadConfig(at("other/dirsyncd.yaml"), {}).config.sources[0]?.users.exclude).toEqual([place]);
	});

	it.each([
		{ what: "the configuration", file: "dirsyncd.yaml" },
		{ what: "the secret", file: "secrets/corp" },
	])("never writes over a file that is there: $what", async ({ file }) => {
		mkdirSync(at("secrets"));
		writeFileSync(at(file), "mine", { mode: 0o600 });
		const { code, err } = await dirsyncd([...flags(), "--yes"]);
		expect(code).toBe(2);
		expect(err).toContain(`${at(file)} is there already`);
		expect(readFileSync(at(file), "utf8")).toBe("mine");
		expect(existsSync(at(file === "dirsyncd.yaml" ? "secrets/corp" : "dirsyncd.yaml"))).toBe(false);
	});

	it.each([
		{ what: "no server answers", argv: () => ["init", "--url", "ldaps://127.0.0.1:1", "--yes"], code: 1, says: "127.0.0.1:1" },
		{ what: "the certificate is not trusted", argv: () => ["init", "--url", demo.secureUrl ?? "", "--yes"], code: 1, says: "tls" },
		{
			what: "the password is wrong",
			argv: () => {
				writeFileSync(at("wrong"), "wrong", { mode: 0o600 });
				return [...flags().slice(0, -1), "wrong", "--yes"];
			},
			code: 1,
			says: "refused",
		},
		{ what: "an option is missing", argv: () => [...flags().slice(0, -2), "--yes"], code: 2, says: "--password-file is missing" },
		{ what: "nobody answers", argv: () => ["init"], code: 2, says: "nobody answers" },
	])("writes nothing when $what", async ({ argv, code, says }) => {
		const said = await dirsyncd(argv());
		expect(said.code).toBe(code);
		expect(`${said.out}${said.err}`).toContain(says);
		expect(existsSync(at("dirsyncd.yaml")) || existsSync(at("secrets"))).toBe(false);
	});
});

it("a password typed at a terminal is not shown, and what is typed otherwise is", async () => {
	const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
	const shown = memory(true);
	const asking = openAsking(input, shown, new AbortController().signal);
	const user = asking.ask("Account", "svc");
	input.write("ada@corp\r");
	expect(await user).toBe("ada@corp");
	const password = asking.askSecret("Password");
	input.write("hunter2\r");
	expect(await password).toBe("hunter2");
	asking.close();
	expect(shown.text()).toContain("Account [svc]: ");
	expect(shown.text()).toContain("ada@corp");
	expect(shown.text()).toContain("Password: ");
	expect(shown.text()).not.toMatch(/hu|unter|er2/);
});

it("a configuration that init writes has every answer as it was, also what YAML and the environment would read otherwise", () => {
	const odd = 'CORP\\ada "the \u0024{USER}": #1';
	const draft = {
		...{ name: "corp", servers: { kind: "domain", domain: "corp.example.com" } as const, security: "start-tls" as const, ca: undefined },
		...{ user: odd, password: { file: "./secrets/corp" }, bases: ["OU=A\\, B,DC=corp", "OU=C,DC=corp"], exclude: ["OU=D,OU=C,DC=corp"] },
		...{ hasGroups: false, database: "./data/dirsyncd.db" },
	};
	mkdirSync(at("secrets"));
	writeFileSync(at("secrets/corp"), "x", { mode: 0o600 });
	writeFileSync(at("odd.yaml"), draftText(draft, "2026-11-05"));
	const [source] = loadConfig(at("odd.yaml"), { USER: "eve" }).config.sources;
	expect(source).toMatchObject({ bind: { user: odd }, tls: { startTls: true }, bases: draft.bases, users: { exclude: draft.exclude } });
	expect(source?.domain).toMatchObject({ name: "corp.example.com" });
});
