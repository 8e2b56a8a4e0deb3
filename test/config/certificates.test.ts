import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import { configProblemsOf, type Problem } from "../../src/config/problem.ts";
import { makeCertificates } from "../support/certificates.ts";
import { command } from "../support/command.ts";
import { describeWith } from "../support/require.ts";
import { good, problemsIn } from "./configure.ts";

describeWith(["openssl"], "a client certificate", () => {
	let folder: string;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-client-"));
		const { file, key } = await makeCertificates(folder, { dns: ["reader"], ip: "127.0.0.1" });
		copyFileSync(file("good"), at("reader.pem"));
		copyFileSync(key, at("reader.key"));
		const locked = ["-in", key, "-aes256", "-passout", "pass:a", "-out", at("locked.key")];
		await command("openssl", ["pkey", ...locked]);
		for (const name of ["reader.key", "ca.key", "locked.key"]) chmodSync(at(name), 0o600);
		writeFileSync(at("both.pem"), readFileSync(key, "utf8") + readFileSync(file("good"), "utf8"), { mode: 0o600 });
		writeFileSync(at("text.key"), "hunter2\n", { mode: 0o600 });
		writeFileSync(at("broken.key"), "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n", { mode: 0o600 });
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	const at = (name: string) => path.join(folder, name);
	const textWith = (tls: string) => good({ bind: "    bind: { sasl: external }", base: `    tls: { ${tls} }\n    base: DC=b` });
	const loadWith = (tls: string, now = Date.now(), environment: Record<string, string> = {}): Loaded => {
		writeFileSync(at("dirsyncd.yaml"), textWith(tls));
		return loadConfig(at("dirsyncd.yaml"), environment, "required", now);
	};
	const problemsWith = (tls: string): readonly Problem[] => {
		try {
			loadWith(tls);
			return [];
		} catch (error) {
			return configProblemsOf(error)?.problems ?? [];
		}
	};

	it("is read with its key, which never shows", () => {
		const { config, warnings } = loadWith("cert: ./reader.pem, key: ./reader.key");
		const [source] = config.sources;
		expect(source?.bind).toEqual({ sasl: "external", authorizationId: undefined });
		expect(source?.tls).toMatchObject({ certFile: at("reader.pem"), keyFile: at("reader.key") });
		expect(source?.tls.cert).toContain("BEGIN CERTIFICATE");
		expect(source?.tls.key?.reveal()).toContain("PRIVATE KEY");
		expect(JSON.stringify(config)).not.toContain("PRIVATE KEY");
		expect(warnings).toEqual([]);
	});

	it("may have its key from the environment, or in the same file", () => {
		const { tls } = loadWith("cert: reader.pem, key: { env: KEY }", Date.now(), { KEY: readFileSync(at("reader.key"), "utf8") }).config
			.sources[0] as Loaded["config"]["sources"][number];
		expect(tls).toMatchObject({ keyFile: undefined });
		expect(tls.key?.reveal()).toContain("PRIVATE KEY");
		const { config } = loadWith("cert: both.pem, key: { file: both.pem }");
		expect(config.sources[0]?.tls.key?.reveal()).toContain("PRIVATE KEY");
		expect(JSON.stringify(config)).not.toContain("PRIVATE KEY");
	});

	it.skipIf(process.platform === "win32")("is warned of when other users may read its key, naming chmod", () => {
		copyFileSync(at("reader.key"), at("open.key"));
		chmodSync(at("open.key"), 0o640);
		expect(loadWith("cert: reader.pem, key: open.key").warnings).toMatchObject([
			{ path: "sources[0].tls.key", remedy: `chmod 600 ${at("open.key")}` },
		]);
	});

	it("is warned of when it is past its time, nearly so, or not in it yet", () => {
		const day = 86_400_000;
		const said = (days: number) => loadWith("cert: reader.pem, key: reader.key", Date.now() + days * day).warnings[0]?.message;
		expect(said(21)).toMatch(/^the client certificate expired on \d{4}-/);
		expect(said(15)).toMatch(/^the client certificate expires on \d{4}-/);
		expect(said(1)).toBeUndefined();
		expect(said(-1)).toMatch(/^the client certificate is not valid before \d{4}-/);
	});

	it.each([
		{ tls: "cert: reader.pem", path: "tls.key", says: "key is missing" },
		{ tls: "key: reader.key", path: "tls.cert", says: "cert is missing" },
		{ tls: "cert: reader.pem, keyfile: reader.key", path: "tls.keyfile", says: "write key" },
		{ tls: "cert: none.pem, key: reader.key", path: "tls.cert", says: "there is no such file" },
		{ tls: "cert: reader.key, key: reader.key", path: "tls.cert", says: "holds no certificate" },
		{ tls: "cert: reader.pem, key: none.key", path: "tls.key", says: "there is no such file" },
		{ tls: "cert: reader.pem, key: text.key", path: "tls.key", says: "no private key" },
		{ tls: "cert: reader.pem, key: broken.key", path: "tls.key", says: "cannot be read" },
		{ tls: "cert: reader.pem, key: locked.key", path: "tls.key", says: "passphrase" },
		{ tls: "cert: reader.pem, key: ca.key", path: "tls.key", says: "not the key of the certificate" },
		{ tls: "cert: reader.pem, key: '-----BEGIN PRIVATE KEY----- hunter2'", path: "tls.key", says: "the key itself" },
		{ tls: "cert: '-----BEGIN CERTIFICATE----- hunter2', key: reader.key", path: "tls.cert", says: "the certificate itself" },
	])("with { $tls } has one problem: $says", ({ tls, path: where, says }) => {
		const problems = problemsWith(tls);
		expect(problems.map((problem) => problem.path)).toEqual([`sources[0].${where}`]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
		expect(JSON.stringify(problems)).not.toContain("hunter2");
	});

	it("proves nothing on a connection without TLS", () => {
		const plain = good({ bind: "    bind: { sasl: external }", urls: "    urls: [ldap://a]\n    insecure: true" });
		const files = { "a.pem": readFileSync(at("reader.pem"), "utf8"), "a.key": readFileSync(at("reader.key"), "utf8") };
		const problems = problemsIn(plain.replace("    base", "    tls: { cert: a.pem, key: a.key }\n    base"), {}, files);
		expect(problems).toMatchObject([{ path: "sources[0].bind.sasl", message: expect.stringContaining("plain LDAP") }]);
	});
});
