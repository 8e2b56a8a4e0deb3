import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificates } from "../support/certificates.ts";
import { describeWith } from "../support/require.ts";
import { good, load, placesOf, problemsIn } from "./configure.ts";

describe("a listener", () => {
	it.each(["127.0.0.1:8640", "127.1.2.3:8640", "[::1]:8640", "[0:0:0:0:0:0:0:1]:8640", "localhost:8640"])(
		"on this machine alone (%s) needs no TLS",
		(listen) => {
			expect(load(good({ "+": `http: { listen: "${listen}" }` })).warnings.filter(({ path }) => path.startsWith("http"))).toEqual([]);
		},
	);

	it.each([
		"0.0.0.0:8640",
		"[::]:8640",
		"10.1.2.3:8640",
		"[fe80::1]:8640",
		"[::11]:8640",
		"dirsyncd.example.com:8640",
		"127.example.com:8640",
	])("beyond this machine (%s) is refused without TLS, with all three remedies", (listen) => {
		const problems = problemsIn(good({ "+": `http: { listen: "${listen}" }` }));
		expect(placesOf(problems)).toEqual(["7:17 http.listen"]);
		expect(problems[0]?.message).toContain("in clear");
		for (const remedy of ["http.tls", "127.0.0.1", "http.insecure: true"]) expect(problems[0]?.remedy).toContain(remedy);
	});

	it("beyond this machine is warned of where that is wanted", () => {
		const { warnings, config } = load(good({ "+": 'http: { listen: "0.0.0.0:8640", insecure: true }' }));
		expect(warnings.filter(({ path }) => path.startsWith("http"))).toMatchObject([
			{ path: "http.listen", message: expect.stringContaining("in clear") },
		]);
		expect(config.http).toEqual({ listen: { host: "0.0.0.0", port: 8640 }, tls: undefined });
	});

	it.each([
		{ tls: "{}", path: "http.tls.cert", says: "cert is missing" },
		{ tls: "{ certificate: a.pem }", path: "http.tls.certificate", says: "write cert" },
	])("with tls: $tls has one problem: $says", ({ tls, path, says }) => {
		const problems = problemsIn(good({ "+": `http: { listen: "0.0.0.0:8640", tls: ${tls} }` }));
		expect(problems.map((problem) => problem.path)).toEqual([path]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});
});

describeWith(["openssl"], "a listener with a certificate", () => {
	let folder: string;
	let files: Readonly<Record<string, string>>;
	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-listener-"));
		const { file, key } = await makeCertificates(folder, { dns: ["dirsyncd"], ip: "127.0.0.1" });
		copyFileSync(key, path.join(folder, "a.key"));
		files = {
			"a.pem": readFileSync(file("good"), "utf8"),
			"old.pem": readFileSync(file("expired"), "utf8"),
			"a.key": readFileSync(key, "utf8"),
		};
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	const withTls = (tls: string): string => good({ "+": `http: { listen: "0.0.0.0:8640", tls: ${tls} }` });

	it("may listen everywhere; its key never shows", () => {
		const { config, warnings } = load(withTls("{ cert: a.pem, key: a.key }"), {}, files);
		expect(warnings.filter(({ path }) => path.startsWith("http"))).toEqual([]);
		expect(config.http.tls?.cert).toContain("BEGIN CERTIFICATE");
		expect(config.http.tls?.key.reveal()).toContain("PRIVATE KEY");
		expect(JSON.stringify(config)).not.toContain("PRIVATE KEY");
	});

	it("is warned of when its time is over", () => {
		const { warnings } = load(withTls("{ cert: old.pem, key: a.key }"), {}, files);
		expect(warnings.filter(({ path }) => path.startsWith("http"))).toMatchObject([
			{
				path: "http.tls.cert",
				message: expect.stringMatching(/^the server's certificate expired on/),
				remedy: expect.stringContaining("browsers"),
			},
		]);
	});

	it.each([
		{ tls: "{ cert: a.pem }", path: "http.tls.key", says: "key is missing" },
		{ tls: "{ key: a.key }", path: "http.tls.cert", says: "cert is missing" },
		{ tls: "{ cert: none.pem, key: a.key }", path: "http.tls.cert", says: "there is no such file" },
		{ tls: "{ cert: a.pem, key: { env: NOT_SET } }", path: "http.tls.key", says: "NOT_SET" },
	])("with tls: $tls has one problem: $says", ({ tls, path, says }) => {
		const problems = problemsIn(withTls(tls), {}, files);
		expect(problems.map((problem) => problem.path)).toEqual([path]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});
});
