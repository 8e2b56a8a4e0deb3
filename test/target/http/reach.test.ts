import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Finding } from "../../../src/target/finding.ts";
import { diagnoseReach, type Reached } from "../../../src/target/http/reach.ts";
import {
	type CertificateKind,
	type Certificates,
	type ClientCertificates,
	makeCertificates,
	makeClientCertificates,
} from "../../support/certificates.ts";
import { freePort } from "../../support/loopback.ts";
import { startReceiver } from "../../support/receiver.ts";
import { describeWith } from "../../support/require.ts";
import { delivery, failureOf, kindsOf, makeTime, never, openWebhook, secret } from "../webhook/webhooks.ts";

describeWith(["openssl"], "the way to a server behind HTTPS", () => {
	let folder: string;
	let certificates: Certificates;
	let client: ClientCertificates;
	const closing: (() => Promise<unknown>)[] = [];
	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-reach-"));
		certificates = await makeCertificates(folder, { dns: ["receiver.test"], ip: "127.0.0.1" });
		client = await makeClientCertificates(folder);
	});
	afterAll(() => rmSync(folder, { recursive: true }));
	afterEach(async () => {
		for (const close of closing.splice(0)) await close();
	});

	const text = (file: string) => readFileSync(file, "utf8");
	const nothing = { ca: undefined, cert: undefined, key: undefined, servername: undefined };
	const start = async (kind: CertificateKind, more: object = {}) => {
		const receiver = await startReceiver(secret, Date.now, { key: text(certificates.key), cert: text(certificates.file(kind)), ...more });
		closing.push(receiver.close);
		return receiver;
	};
	const look = async (reached: Partial<Reached>): Promise<Finding[]> => {
		const findings: Finding[] = [];
		const whole = { url: "", tls: nothing, proxy: undefined, timeoutMs: 2000, ...reached };
		for await (const finding of diagnoseReach(whole, Date.now, never)) findings.push(finding);
		return findings;
	};
	/** A proxy that counts who asks for a way through. */
	const startProxy = async (status = 200) => {
		const asked: (string | undefined)[] = [];
		const proxy = createServer().on("connect", ({ url, headers }, socket) => {
			asked.push(`${url} ${headers["proxy-authorization"] ?? ""}`.trim());
			if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
			const [host, port] = String(url).split(":");
			const through = net.connect(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
			through.pipe(socket).pipe(through);
			socket.on("error", () => through.destroy());
			through.on("error", () => socket.destroy());
			return undefined;
		});
		proxy.listen(0, "127.0.0.1");
		await once(proxy, "listening");
		closing.push(async () => proxy.close());
		return { url: (user = "") => `http://${user}127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
	};

	it("is gone step by step, and no event is sent", async () => {
		const { url, came } = await start("good");
		const [network, tls, ...more] = await look({ url, tls: { ...nothing, ca: text(certificates.ca) } });
		expect(network).toMatchObject({ step: "network", state: "passed", subject: new URL(url).host });
		expect(tls).toMatchObject({ step: "tls", detail: expect.stringMatching(/^TLSv1\.3, the certificate is trusted until \d{4}-/) });
		expect([more, came]).toEqual([[], []]);
	});

	it.each([
		{
			what: "of a private authority that is not known",
			kind: "good",
			ca: false,
			says: "not signed by a trusted authority",
			hint: "tls.ca",
		},
		{ what: "that has expired", kind: "expired", ca: true, says: "has expired", hint: "renew" },
		{ what: "for another name", kind: "wrong-host", ca: true, says: "is for another name", hint: "tls.servername" },
	] as const)("ends at a certificate $what, for check and for changes alike", async ({ kind, ca, says, hint }) => {
		const { url, came } = await start(kind);
		const tls = { ...nothing, ca: ca ? text(certificates.ca) : undefined };
		const findings = await look({ url, tls });
		expect(findings.at(-1)).toMatchObject({
			step: "tls",
			state: "failed",
			detail: expect.stringContaining(says),
			remedy: expect.stringContaining(hint),
		});
		const { target } = openWebhook(url, { tls }, makeTime());
		expect(await failureOf(target.apply([delivery(1)], never))).toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: expect.stringContaining(says),
		});
		expect(came).toEqual([]);
		await target.close();
	});

	it("takes a certificate for the name that the configuration says", async () => {
		const { url } = await start("good");
		const tls = { ...nothing, ca: text(certificates.ca), servername: "receiver.test" };
		expect((await look({ url, tls })).map(({ state }) => state)).not.toContain("failed");
		expect((await look({ url, tls: { ...tls, servername: "other.test" } })).at(-1)).toMatchObject({ state: "failed" });
	});

	it("is gone by way of a proxy, with the password in its URL", async () => {
		const { url, came } = await start("good");
		const proxy = await startProxy();
		const tls = { ...nothing, ca: text(certificates.ca) };
		const findings = await look({ url, tls, proxy: proxy.url("me:a%20b@") });
		expect(findings[0]).toMatchObject({ state: "passed", detail: `answers by way of the proxy ${new URL(proxy.url()).host}` });
		expect(findings[1]).toMatchObject({ step: "tls" });
		const basic = `Basic ${Buffer.from("me:a b").toString("base64")}`;
		expect(proxy.asked).toEqual([`${new URL(url).host} ${basic}`]);
		const { target } = openWebhook(url, { tls, proxy: proxy.url("me:a%20b@") }, { ...makeTime(), clock: Date.now });
		expect(kindsOf(await target.apply([delivery(1)], never))).toEqual(["applied"]);
		expect(proxy.asked).toEqual([`${new URL(url).host} ${basic}`, `${new URL(url).host} ${basic}`]);
		expect(came).toHaveLength(1);
		await target.close();
	});

	it("ends at a proxy that lets nobody through", async () => {
		const { url } = await start("good");
		const proxy = await startProxy(403);
		expect(await look({ url, proxy: proxy.url() })).toEqual([
			expect.objectContaining({ step: "network", state: "failed", detail: expect.stringContaining("does not let us through: 403") }),
		]);
	});

	it("shows a client certificate to a server that wants one", async () => {
		const { url, came } = await start("good", { ca: text(certificates.ca), requestCert: true, rejectUnauthorized: true });
		const tls = { ...nothing, ca: text(certificates.ca), cert: text(client.file("good")), key: () => text(client.key) };
		const time = { ...makeTime(), clock: Date.now };
		const [known, unknown] = [openWebhook(url, { tls }, time), openWebhook(url, { tls: { ...nothing, ca: text(certificates.ca) } }, time)];
		expect(kindsOf(await known.target.apply([delivery(1)], never))).toEqual(["applied"]);
		// TLS 1.3 tells the client only after its handshake: sometimes the alert is seen, and sometimes the cut alone.
		const refused = await unknown.target.apply([delivery(2)], never).catch((error: unknown) => error);
		expect(refused).toMatchObject(refused instanceof Error ? { code: "TARGET_UNREACHABLE" } : [{ kind: "later" }]);
		expect(came).toHaveLength(1);
		for (const { target } of [known, unknown]) await target.close();
	});

	it("ends where nothing listens, and where nothing answers", async () => {
		expect(await look({ url: `https://127.0.0.1:${await freePort()}` })).toEqual([
			expect.objectContaining({ step: "network", state: "failed", detail: expect.stringContaining("ECONNREFUSED") }),
		]);
		const silent = net.createServer(() => {}).listen(0, "127.0.0.1");
		await once(silent, "listening");
		const { port } = silent.address() as AddressInfo;
		expect((await look({ url: `https://127.0.0.1:${port}`, timeoutMs: 100 })).at(-1)).toMatchObject({
			step: "tls",
			detail: "no answer within 0.1 s",
		});
		expect((await look({ url: `http://127.0.0.1:${port}` })).at(-1)).toMatchObject({ step: "tls", state: "warned" });
		silent.close();
	});
});
