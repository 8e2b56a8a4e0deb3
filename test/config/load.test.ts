import { chmodSync, chownSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { jsonSchemaText } from "../../src/config/json-schema.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configProblemsOf } from "../../src/config/problem.ts";
import { passwordIn } from "../support/configs.ts";
import { directoryWith, good, load, problemsIn } from "./configure.ts";

describe("a configuration", () => {
	it("has documented defaults for all that is left out", () => {
		const { config } = load(good());
		expect(config).toMatchObject({
			database: path.join(path.dirname(config.file), "data/dirsyncd.db"),
			http: { listen: { host: "127.0.0.1", port: 8640 } },
			log: { level: "info" },
			lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined },
			protect: [],
			targets: [{ name: "accounts", type: "local" }],
			retention: { runsMs: 90 * 86_400_000, changesMs: 730 * 86_400_000 },
			demo: undefined,
		});
		expect(config.sources[0]?.limits).toEqual({
			update: { percent: 50, floor: 10 },
			entitlement: { percent: 20, floor: 10 },
			disable: { count: 50, percent: 5, floor: 3 },
			delete: { count: 10, percent: 1, floor: 3 },
		});
		expect(config.sources[0]).toMatchObject({
			bases: ["DC=corp,DC=example,DC=com"],
			schedule: { delta: "*/5 * * * *", full: "0 2 * * *", timezone: "UTC" },
			timeouts: { connectMs: 10_000, bindMs: 10_000, requestMs: 60_000 },
			pageSize: 1000,
			insecure: false,
		});
	});

	it("replaces limits one by one, and takes one away by none", () => {
		const { config } = load(good({ "+": "limits: { disable: { count: 100 }, delete: { percent: none }, create: { count: 7 } }" }));
		expect(config.sources[0]?.limits).toEqual({
			create: { count: 7, floor: 0 },
			update: { percent: 50, floor: 10 },
			entitlement: { percent: 20, floor: 10 },
			disable: { count: 100, percent: 5, floor: 3 },
			delete: { count: 10, floor: 3 },
		});
	});

	it("lets a source have limits of its own, number by number", () => {
		const source = (name: string, more: string) =>
			`  - name: ${name}\n    type: active-directory\n    urls: [ldaps://dc.${name}.example]\n    bind: { user: a@b, password: x }\n    base: DC=${name}\n${more}`;
		const own = "    limits: { disable: { percent: 20 }, update: { percent: none }, groups: { count: 1 } }\n";
		const text = `sources:\n${source("big", "")}${source("small", own)}limits: { disable: { count: 100 }, groups: { floor: 0 } }\n`;
		const [big, small] = load(text).config.sources;
		expect([big?.limits.disable, small?.limits.disable]).toEqual([
			{ count: 100, percent: 5, floor: 3 },
			{ count: 100, percent: 20, floor: 3 },
		]);
		expect([big?.limits.update, small?.limits.update]).toEqual([{ percent: 50, floor: 10 }, undefined]);
		expect([big?.groupLimits.deleted?.count, small?.groupLimits.deleted]).toEqual([10, { count: 1, percent: 10, floor: 0 }]);
	});

	it("puts its own mapping on top of the defaults, and drops a field by an empty template", () => {
		const { config } = load(good({ "+": 'mapping: { userName: "{mail | lower}", title: "" }' }));
		expect(config.sources[0]?.mapping).toMatchObject({ userName: "{mail | lower}", displayName: "{displayName ?? cn}" });
		expect(config.sources[0]?.mapping.title).toBeUndefined();
	});

	it("takes values from the environment: text, numbers, and within braces without quotes", () => {
		const text = good({
			bind: `    bind: { user: \${USER}@corp, password: \${WORD} }`,
			base: `    base: DC=corp\n    pageSize: \${PAGE}\n    insecure: \${NO}`,
		});
		const { config, warnings } = load(text, { USER: "svc", WORD: "0123", PAGE: "500", NO: "false" });
		expect(config.sources[0]).toMatchObject({ bind: { user: "svc@corp" }, pageSize: 500, insecure: false });
		expect(passwordIn(config)).toBe("0123");
		expect(warnings).toEqual([]);
	});

	it("keeps a doubled dollar before a brace as it is", () => {
		const { config } = load(good({ bind: "    bind: { user: 'a$${b}', password: x }" }));
		expect(config.sources[0]?.bind).toMatchObject({ user: `a\${b}` });
	});

	it.each([
		{ place: "{ file: ./corp }", files: { corp: "p4ss word\n" }, environment: {}, secret: "p4ss word" },
		{ place: "{ env: AD }", files: {}, environment: { AD: "p4ss" }, secret: "p4ss" },
		{ place: "inline", files: {}, environment: {}, secret: "inline" },
	])("reads a secret from $place", ({ place, files, environment, secret }) => {
		const { config } = load(
			good({ bind: `    bind: { user: svc, password: ${place} }` }),
			environment as Record<string, string>,
			files as Record<string, string>,
		);
		expect(passwordIn(config)).toBe(secret);
	});

	it("reads a secret from systemd's credentials", () => {
		const directory = directoryWith({ corp: "from-systemd\n" });
		const { config } = load(good({ bind: "    bind: { user: svc, password: { credential: corp } }" }), {
			CREDENTIALS_DIRECTORY: directory,
		});
		expect(passwordIn(config)).toBe("from-systemd");
	});

	it("can do without a secret until it is used", () => {
		const file = path.join(
			directoryWith({ "dirsyncd.yaml": good({ bind: "    bind: { user: svc, password: { file: ./none } }" }) }),
			"dirsyncd.yaml",
		);
		const { config } = loadConfig(file, {}, "when-used");
		expect(() => passwordIn(config)).toThrow(/none cannot be read: there is no such file/);
		expect(() => loadConfig(file, {})).toThrow(/has 1 problem/);
	});

	it("never shows a secret, as text, as JSON or when inspected", () => {
		const { config } = load(good());
		const bind = config.sources[0]?.bind;
		const password = bind !== undefined && "password" in bind ? bind.password : undefined;
		const shown = [
			JSON.stringify(config),
			inspect(config, { depth: 9, showHidden: true }),
			String(password),
			`${password}`,
			inspect(password),
		].join("\n");
		expect(shown).toContain("[secret]");
		expect(shown).not.toContain("secret-of-svc");
	});

	it("warns of a password in the file itself, with its line", () => {
		const { warnings } = load(good());
		expect(warnings).toMatchObject([{ line: 5, path: "sources[0].bind.password", value: "[secret]" }]);
	});

	it.skipIf(process.platform === "win32").each([0o644, 0o602, 0o604])(
		"refuses a secret file that is open to everybody (mode %o), naming chmod",
		(mode) => {
			const directory = directoryWith({ "dirsyncd.yaml": good({ bind: "    bind: { user: svc, password: { file: corp } }" }), corp: "x" });
			const file = path.join(directory, "corp");
			chmodSync(file, mode);
			const problem = {
				path: "sources[0].bind.password",
				message: expect.stringContaining(`mode ${mode.toString(8)}`),
				remedy: `chmod 600 ${file}`,
			};
			const refusal = refused(() => loadConfig(path.join(directory, "dirsyncd.yaml"), {}));
			expect(configProblemsOf(refusal)?.problems).toMatchObject([problem]);
			// A command that never uses it goes on; one that does is told.
			const { config } = loadConfig(path.join(directory, "dirsyncd.yaml"), {}, "when-used");
			expect(() => passwordIn(config)).toThrow(expect.objectContaining({ code: "SECRET_UNREADABLE", hint: `chmod 600 ${file}` }));
			chmodSync(file, 0o600);
			expect(loadConfig(path.join(directory, "dirsyncd.yaml"), {}, "required").warnings).toEqual([]);
		},
	);

	it.skipIf(process.platform === "win32")("takes a systemd credential whatever its mode", () => {
		const directory = directoryWith({
			"dirsyncd.yaml": good({ bind: "    bind: { user: svc, password: { credential: corp } }" }),
			corp: "x",
		});
		chmodSync(path.join(directory, "corp"), 0o444);
		expect(loadConfig(path.join(directory, "dirsyncd.yaml"), { CREDENTIALS_DIRECTORY: directory }, "required").warnings).toEqual([]);
	});

	it.runIf(process.getuid?.() === 0)(
		"takes a secret that its group reads and somebody else owns, as Kubernetes mounts it, for closed",
		() => {
			const directory = directoryWith({
				"dirsyncd.yaml": good({ bind: "    bind: { user: svc, password: { file: corp } }" }),
				mounted: "x",
			});
			// By a link, which says nothing of itself: what it leads to is looked at.
			symlinkSync("mounted", path.join(directory, "corp"));
			const loaded = () => loadConfig(path.join(directory, "dirsyncd.yaml"), {}, "required");
			chownSync(path.join(directory, "mounted"), 65_534, 0);
			chmodSync(path.join(directory, "mounted"), 0o440);
			expect(loaded().warnings).toEqual([]);
			chmodSync(path.join(directory, "mounted"), 0o444);
			expect(loaded).toThrow();
		},
	);

	it.skipIf(process.platform === "win32")("warns of a secret file that others of its group may read, naming chmod", () => {
		const directory = directoryWith({ "dirsyncd.yaml": good({ bind: "    bind: { user: svc, password: { file: corp } }" }), corp: "x" });
		chmodSync(path.join(directory, "corp"), 0o640);
		expect(loadConfig(path.join(directory, "dirsyncd.yaml"), {}).warnings).toMatchObject([
			{ remedy: `chmod 600 ${path.join(directory, "corp")}` },
		]);
	});

	it("warns of plain LDAP that was allowed", () => {
		const { warnings } = load(good({ urls: "    urls: [ldap://dc1]\n    insecure: true" }));
		expect(warnings.map((warning) => warning.message).join()).toContain("in clear");
	});

	it("warns of an exclusion that excludes nothing", () => {
		const { warnings } = load(good({ base: 'base: "OU=Staff,DC=corp"\n    users: { exclude: ["OU=Old,DC=corp"] }'.replace(/^/, "    ") }));
		expect(warnings.map((warning) => warning.path)).toContain("sources[0].users.exclude[0]");
	});

	it("allows a file with a byte order mark and Windows line ends", () => {
		expect(load(`\uFEFF${good().replaceAll("\n", "\r\n")}`).config.sources[0]?.name).toBe("corp");
	});

	it("says that a file is not there", () => {
		expect(() => loadConfig("/nowhere/dirsyncd.yaml", {})).toThrow(/cannot be read: there is no such file/);
	});
});

interface Shape {
	readonly properties?: Readonly<Record<string, Shape>>;
	readonly items?: Shape;
	readonly anyOf?: readonly Shape[];
}

/** Every key of a JSON schema, at any depth. */
function keysOf({ properties = {}, items, anyOf = [] }: Shape): readonly string[] {
	const inner = [...Object.values(properties), ...(items === undefined ? [] : [items]), ...anyOf];
	return [...new Set([...Object.keys(properties), ...inner.flatMap(keysOf)])];
}

describe("the files that come with it", () => {
	const config = path.join(import.meta.dirname, "../../config");

	it("the example has no problem but the files that are not there", () => {
		const text = readFileSync(path.join(config, "dirsyncd.example.yaml"), "utf8");
		expect(problemsIn(text).map((problem) => problem.path)).toEqual(["sources[0].bind.password", "sources[0].tls.ca"]);
	});

	it("the example shows the defaults: what it says is what leaving it out gives", () => {
		const text = readFileSync(path.join(config, "dirsyncd.example.yaml"), "utf8").replace(/^ {6}ca: .*$/m, "");
		const { config: shown } = load(text.replace("./secrets/corp", "corp"), {}, { corp: "x" });
		const { config: bare } = load(good());
		expect(shown.match).toEqual(bare.match);
		expect(shown.retention).toEqual(bare.retention);
		expect(shown.settleMs).toEqual(bare.settleMs);
		expect(shown.lifecycle).toEqual(bare.lifecycle);
		expect(shown.targets).toEqual(bare.targets);
		const [source] = shown.sources;
		const [usual] = bare.sources;
		// What the example says of these is its own.
		const own = { urls: 0, users: 0, groups: 0, bind: 0, tls: 0 };
		expect({ ...source, ...own }).toEqual({ ...usual, ...own });
	});

	it("the example has every key there is, and its second source loads once its # are removed", () => {
		const text = readFileSync(path.join(config, "dirsyncd.example.yaml"), "utf8");
		const keys = keysOf(JSON.parse(jsonSchemaText()));
		expect(keys).toEqual(expect.arrayContaining(["preset", "authorizationId", "members", "site"]));
		expect(keys.filter((key) => !new RegExp(`[\\s{]${key}:`).test(text))).toEqual([]);

		const [start, end] = [text.indexOf("  # - name: lab"), text.indexOf("\n\n# From entry")];
		const second = text.slice(start, end).replaceAll(/^ {2}# /gm, "  ");
		const both = text.slice(0, start) + second + text.slice(end);
		const { config: loaded } = load(
			both
				.replace(/^ {6}ca: .*$/m, "")
				.replace("./secrets/corp", "x")
				.replace("./secrets/lab", "x"),
			{},
			{ x: "x" },
		);
		expect(loaded.sources[1]).toMatchObject({ name: "lab", type: "ldap", overrides: { anchor: "entryUUID" } });
	});

	it("the example's targets load once their # are removed, with the values that leaving them out gives", () => {
		const text = readFileSync(path.join(config, "dirsyncd.example.yaml"), "utf8");
		const [start, end] = [text.indexOf("  # - name: mail-gateway"), text.indexOf("# Who is told")];
		const whole = text.slice(0, start) + text.slice(start, end).replaceAll(/^ {2}# /gm, "  ") + text.slice(end);
		const [withFiles, files] = [whole.replace(/^ {6}ca: .*$/m, "").replaceAll(/\.\/secrets\/\w+/g, "x"), { x: "x".repeat(24) }];
		const [, scim, file, webhook] = load(withFiles, {}, files).config.targets;
		const bare = [
			"targets:",
			"  - { name: mail-gateway, type: scim, url: 'https://scim.example.com/v2', auth: { bearer: { file: x } } }",
			"  - { name: nightly, type: file, path: ./out/accounts.csv, format: csv }",
			"  - { name: hook, type: webhook, url: 'https://hooks.example.com/people', secret: { file: x } }",
		];
		const usual = load(good({ "+": bare.join("\n") }), {}, files).config.targets;
		// What the example says of these is its own.
		const own = { when: 0, mapping: 0, lifecycle: 0, limits: 0, features: 0, policies: 0, ratePerSecond: 0, readBack: 0, auth: 0 };
		expect({ ...scim, ...own }).toEqual({ ...usual[0], ...own });
		expect({ ...file, format: 0, path: 0 }).toEqual({ ...usual[1], format: 0, path: 0 });
		expect({ ...webhook, secret: 0 }).toEqual({ ...usual[2], secret: 0 });
	});

	it("the example's channels load once their # are removed, with the values that leaving them out gives", () => {
		const text = readFileSync(path.join(config, "dirsyncd.example.yaml"), "utf8");
		const section = text.slice(text.indexOf("# notify:"), text.indexOf("\n\n# How long what was told")).replaceAll(/^# /gm, "");
		const [withFiles, files] = [section.replaceAll(/\.\/secrets\/\w+/g, "x"), { x: "x".repeat(24) }];
		const [smtp, webhook] = load(good({ "+": withFiles }), {}, files).config.notify;
		const bare = [
			"notify:",
			"  - { name: admins, type: smtp, host: mail.example.com, from: dirsyncd <dirsyncd@example.com>, to: [admins@example.com], report: weekly }",
			"  - { name: chat, type: webhook, url: 'https://hooks.example.com/dirsyncd', secret: { file: x } }",
		];
		const usual = load(good({ "+": bare.join("\n") }), {}, files).config.notify;
		expect({ ...smtp, auth: 0 }).toEqual({ ...usual[0], auth: 0 });
		expect({ ...webhook, secret: 0 }).toEqual({ ...usual[1], secret: 0 });
	});

	it("the example's log file loads once its # is removed, with the values that leaving them out gives, beside the configuration", () => {
		const text = readFileSync(path.join(config, "dirsyncd.example.yaml"), "utf8");
		const line = /^ {2}# (file: \{ path: \.\/log.*)$/m.exec(text)?.[1] ?? "";
		const shown = load(good({ "+": `log: { ${line} }` }));
		const bare = load(good({ "+": "log: { file: { path: ./log/dirsyncd.log } }" })).config.log.file;
		const { path: place, ...usual } = bare ?? { path: "" };
		expect(shown.config.log.file).toMatchObject(usual);
		expect(usual).toEqual({ bytes: 20 * 1024 ** 2, frequency: "daily", keep: 14 });
		expect(shown.config.log.file?.path).toBe(path.join(path.dirname(shown.config.file), "log/dirsyncd.log"));
		expect(place).toMatch(/log.dirsyncd\.log$/);
	});

	it.each(["20", "20 MB", "0KB", "20mb", "1TB"])("a log file's size is not %s", (size) => {
		expect(problemsIn(good({ "+": `log: { file: { path: x.log, size: ${size} } }` }))).toMatchObject([{ path: "log.file.size" }]);
	});

	it("the demo's configuration loads", () => {
		expect(loadConfig(path.join(config, "demo.yaml"), {}).config.demo?.people).toBe(300);
	});
});

function refused(load: () => unknown): unknown {
	try {
		load();
	} catch (error) {
		return error;
	}
	throw new Error("was not refused");
}
