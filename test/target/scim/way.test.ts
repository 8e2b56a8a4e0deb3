import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Failure } from "../../../src/core/errors.ts";
import type { ScimOptions, ScimTls } from "../../../src/target/scim/options.ts";
import { type Certificates, type ClientCertificates, makeCertificates, makeClientCertificates } from "../../support/certificates.ts";
import { startScimDouble } from "../../support/scim-double.ts";
import { deliveryOf, failureOf, openTarget } from "../../support/scim-options.ts";

let folder: string;
let certificates: Certificates;
let clients: ClientCertificates;
beforeAll(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "scim-way-"));
	certificates = await makeCertificates(folder, { dns: ["scim.corp.example.test"], ip: "127.0.0.1" });
	clients = await makeClientCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (file: string): string => readFileSync(file, "utf8");
const noTls: ScimTls = { ca: undefined, cert: undefined, key: undefined, servername: undefined };

/** What becomes of a create at a server with this certificate. */
async function tried(kind: "good" | "expired" | "wrong-host", tls: Partial<ScimTls>, more = {}, options: Partial<ScimOptions> = {}) {
	const server = await startScimDouble({}, { key: read(certificates.key), cert: read(certificates.file(kind)), ...more });
	try {
		const { apply, target } = openTarget(server.url, { tls: { ...noTls, ...tls }, ...options });
		try {
			return await apply(deliveryOf(1));
		} finally {
			await target.close();
		}
	} finally {
		await server.close();
	}
}

describe("TLS", () => {
	it("trusts a private authority that is configured", async () => {
		expect(await tried("good", { ca: read(certificates.ca) })).toMatchObject({ kind: "applied" });
	});

	it.each([
		{
			what: "an authority that is not known",
			kind: "good",
			ca: () => undefined,
			says: /certificate of https:.*(trusted|authority)/,
			hint: /tls\.ca/,
		},
		{ what: "another authority", kind: "good", ca: () => read(certificates.otherCa), says: /trusted/, hint: /tls\.ca/ },
		{ what: "a certificate that has expired", kind: "expired", ca: () => read(certificates.ca), says: /has expired/, hint: /renew/ },
		{
			what: "a certificate for another name",
			kind: "wrong-host",
			ca: () => read(certificates.ca),
			says: /for another name: it says dc9\.elsewhere\.example\.test/,
			hint: /servername/,
		},
	] as const)("does not trust $what, and names the remedy", async ({ kind, ca, says, hint }) => {
		const failure = await failureOf(tried(kind, { ca: ca() }));
		expect(failure).toMatchObject({ code: "TARGET_UNREACHABLE", message: expect.stringMatching(says), hint: expect.stringMatching(hint) });
	});

	it("trusts a certificate for another name when that is the one it is told to expect", async () => {
		const tls = { ca: read(certificates.ca), servername: "dc9.elsewhere.example.test" };
		expect(await tried("wrong-host", tls)).toMatchObject({ kind: "applied" });
	});

	it("shows the client's certificate to who asks for it", async () => {
		const asking = { ca: read(certificates.ca), requestCert: true, rejectUnauthorized: true };
		const identity = { ca: read(certificates.ca), cert: read(clients.file("good")), key: () => read(clients.key) };
		expect(await tried("good", identity, asking)).toMatchObject({ kind: "applied" });
		const none = await failureOf(tried("good", { ca: read(certificates.ca) }, asking));
		expect(none).toMatchObject({ code: "TARGET_UNREACHABLE", message: expect.stringContaining("client certificate") });
		const foreign = { ...identity, cert: read(clients.file("foreign")) };
		expect(await failureOf(tried("good", foreign, asking))).toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: expect.stringContaining("client certificate"),
		});
	});

	it("with a key that is not the certificate's fails in words", async () => {
		const identity = { ca: read(certificates.ca), cert: read(clients.file("good")), key: () => read(certificates.key) };
		expect(await failureOf(tried("good", identity))).toMatchObject({
			code: "TARGET_UNREACHABLE",
			hint: expect.stringContaining("tls.key"),
		});
	});

	it("spoken to a plain port fails in words", async () => {
		const server = await startScimDouble();
		const { apply } = openTarget(server.url.replace("http:", "https:"));
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_UNREACHABLE", message: expect.stringContaining("TLS") });
		await server.close();
	});
});

/** A proxy that lets through who says the password: CONNECT for TLS, the request itself else. */
async function startProxy(password: string | undefined) {
	const through: string[] = [];
	const wanted = password && `Basic ${Buffer.from(`sync:${password}`).toString("base64")}`;
	const proxy = http.createServer((request, response) => {
		through.push(`${request.method} ${request.url}`);
		if (request.headers["proxy-authorization"] !== wanted) return void response.writeHead(407).end();
		const onward = http.request(request.url ?? "", { method: request.method ?? "GET", headers: request.headers }, (answer) => {
			response.writeHead(answer.statusCode ?? 500, answer.headers);
			answer.pipe(response);
		});
		request.pipe(onward);
	});
	proxy.on("connect", (request: http.IncomingMessage, socket: net.Socket) => {
		through.push(`CONNECT ${request.url}`);
		if (request.headers["proxy-authorization"] !== wanted) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
		const [host = "", port] = (request.url ?? "").split(":");
		const onward = net.connect(Number(port), host, () => {
			socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
			onward.pipe(socket).pipe(onward);
		});
		for (const one of [socket, onward]) one.on("error", () => void [socket, onward].forEach((other) => void other.destroy()));
	});
	proxy.listen(0, "127.0.0.1");
	await once(proxy, "listening");
	const host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
	return {
		host,
		through,
		close: async (): Promise<void> => {
			proxy.closeAllConnections();
			proxy.close();
			await once(proxy, "close");
		},
	};
}

describe("a proxy", () => {
	it("is gone through to a server with TLS, which stays a matter between the two ends", async () => {
		const proxy = await startProxy("pr0xy");
		const ca = read(certificates.ca);
		expect(await tried("good", { ca }, {}, { proxy: `http://sync:pr0xy@${proxy.host}` })).toMatchObject({ kind: "applied" });
		expect(proxy.through[0]).toMatch(/^CONNECT 127\.0\.0\.1:/);
		await proxy.close();
	});

	it("is gone through to a server without", async () => {
		const proxy = await startProxy(undefined);
		const server = await startScimDouble();
		const { create, target } = openTarget(server.url, { proxy: `http://${proxy.host}` });
		await create(1);
		expect(proxy.through.length).toBe(server.came.length);
		await target.close();
		await server.close();
		await proxy.close();
	});

	it("that does not let us through is told as such, without its password", async () => {
		const proxy = await startProxy("pr0xy");
		const failure = await failureOf(tried("good", { ca: read(certificates.ca) }, {}, { proxy: `http://sync:wr0ng@${proxy.host}` }));
		expect(failure).toMatchObject({ code: "TARGET_UNREACHABLE", message: expect.stringContaining(`by way of the proxy ${proxy.host}`) });
		expect(`${failure.message} ${failure.hint}`).not.toContain("wr0ng");
		await proxy.close();
	});

	it("that is not there is told as such", async () => {
		const proxy = await startProxy(undefined);
		await proxy.close();
		const failure = await failureOf(tried("good", {}, {}, { proxy: `http://${proxy.host}` }));
		expect(failure).toMatchObject({
			code: "TARGET_UNREACHABLE",
			message: expect.stringContaining(`proxy ${proxy.host}: ${proxy.host} refuses`),
		});
	});
});

describe("a URL", () => {
	it("that leads elsewhere is not followed with our credentials", async () => {
		const elsewhere = await startScimDouble();
		const server = http.createServer((_, response) => response.writeHead(307, { location: elsewhere.url }).end());
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { apply, target } = openTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_REFUSED", message: expect.stringContaining("redirect") });
		expect(elsewhere.came).toEqual([]);
		await target.close();
		server.closeAllConnections();
		server.close();
		await elsewhere.close();
	});

	it("whose secrets cannot be read harms nobody but its own target, when that is used", async () => {
		const unreadable = (): string => {
			throw new Failure("SECRET_UNREADABLE", "the key cannot be read");
		};
		const { apply, target } = openTarget("https://127.0.0.1:1", { tls: { ...noTls, cert: "PEM", key: unreadable } });
		expect(await failureOf(apply(deliveryOf(1)))).toMatchObject({ code: "TARGET_REFUSED", message: "the key cannot be read" });
		await target.close();
	});
});
