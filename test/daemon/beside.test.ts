import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { HttpConfig } from "../../src/config/config.ts";
import { makeSecret } from "../../src/config/secret.ts";
import { certificateOfPage, expiryOfPage } from "../../src/daemon/beside.ts";
import { judgeHealth } from "../../src/http/health.ts";
import { makeCertificates } from "../support/certificates.ts";
import { describeWith } from "../support/require.ts";

const DAY = 86_400_000;
let folder: string;
let http: HttpConfig;
let expiresAt: number;

describeWith(["openssl"], "the page's certificate", () => {
	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-beside-"));
		const certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
		const cert = readFileSync(certificates.file("good"), "utf8");
		http = { listen: { host: "127.0.0.1", port: 0 }, tls: { cert, key: makeSecret(readFileSync(certificates.key, "utf8")) } };
		expiresAt = expiryOfPage(http) as number;
	});

	afterAll(() => rmSync(folder, { recursive: true }));

	const health = (now: number) => {
		const facts = { version: "1", startedAt: now, now, phase: "running", sources: [], targets: [], database: undefined } as const;
		return judgeHealth({ ...facts, engine: undefined, beside: certificateOfPage(http, now) });
	};

	it.each([
		{ when: "22 days before its end", daysBefore: 22, status: "pass", says: undefined },
		{ when: "21 days before its end", daysBefore: 21, status: "warn", says: /^page: the page's certificate expires at .*http\.tls\.cert/ },
		{ when: "when it is over", daysBefore: 0, status: "warn", says: /^page: the page's certificate expired at / },
	] as const)("is $status in health $when, with the remedy", ({ daysBefore, status, says }) => {
		const judged = health(expiresAt - daysBefore * DAY);
		expect(judged.status).toBe(status);
		expect(judged.checks["certificate:page"]).toMatchObject([{ status }]);
		if (says === undefined) expect(judged.notes).toEqual([]);
		else expect(judged.notes).toEqual([expect.stringMatching(says)]);
	});

	it("is nothing where the page is plain HTTP", () => {
		expect(certificateOfPage({ ...http, tls: undefined }, 0)).toEqual([]);
		expect(expiryOfPage({ ...http, tls: undefined })).toBeUndefined();
	});

	it("is taken as that of the first in its file, the server's own", () => {
		const authority = readFileSync(path.join(folder, "ca.pem"), "utf8");
		expect(expiryOfPage({ ...http, tls: { key: makeSecret(""), cert: `${http.tls?.cert}\n${authority}` } })).toBe(expiresAt);
	});
});
