import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openConnection } from "../../../src/source/ldap/connection.ts";
import { search } from "../../../src/source/ldap/wire/session.ts";
import { type Certificates, makeCertificates } from "../../support/certificates.ts";
import { connect, options, password } from "../../support/connecting.ts";
import { impatient } from "../../support/fake-directory.ts";
import { type FakeServer, type Script, startFakeServer } from "../../support/fake-server.ts";
import { describeWith } from "../../support/require.ts";
import { noTls } from "../../support/tls.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

const anything = { kind: "present", attribute: "objectClass" } as const;

async function serve(script: Script, secure?: { readonly key: string; readonly cert: string }): Promise<FakeServer> {
	const server = await startFakeServer(script, secure);
	closing.push(server.close);
	return server;
}

/** A server that takes connections and says nothing. */
async function silence(): Promise<number> {
	const sockets = new Set<net.Socket>();
	const server = net.createServer((socket) => sockets.add(socket.on("error", () => {})));
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	closing.push(async () => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	return (server.address() as net.AddressInfo).port;
}

describe("connecting", () => {
	it("goes to the next of the urls when one does not answer, and says which did not", async () => {
		const dead = await serve(() => {});
		await dead.close();
		closing.pop();
		const server = await serve(() => {});
		const connection = await openConnection(options([dead.url, server.url]), new AbortController().signal);
		connection.session.close();
		expect(connection.server).toBe(server.url);
		expect(connection.warnings).toEqual([expect.stringMatching(/cannot connect to .*ECONNREFUSED/)]);
	});

	it("names every server when none answers", async () => {
		const failure = await connect(options(["ldap://127.0.0.1:1", "ldap://no-such-host.invalid"]));
		expect(failure).toMatchObject({ code: "SOURCE_UNREACHABLE" });
		expect(`${failure}`).toMatch(/127\.0\.0\.1:1: port 1 refuses \(ECONNREFUSED\).*no-such-host\.invalid/);
	});

	it("goes round again as often as it may", async () => {
		let times = 0;
		const server = await serve((came, reply) => {
			if (came.kind === "bind" && ++times < 3) reply.done({ code: 51, message: "busy" });
		});
		expect(await connect(options([server.url], { pausesMs: [1] }))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
		times = 0;
		expect(await connect(options([server.url], { pausesMs: [1, 1] }))).toBeUndefined();
	});

	it("gives up at once when the process is ending, also between two rounds", async () => {
		const stop = new AbortController();
		const wait = connect(options(["ldap://127.0.0.1:1"], { pausesMs: [60_000] }), stop.signal);
		setImmediate(() => stop.abort());
		expect(await wait).toMatchObject({ code: "CANCELLED" });
	});

	it.each([
		["the TLS handshake", (port: number) => options([`ldaps://127.0.0.1:${port}`]), "no TLS with"],
		["the bind", (port: number) => options([`ldap://127.0.0.1:${port}`]), "to the bind as svc@corp.example.test"],
		["StartTLS", (port: number) => options([`ldap://127.0.0.1:${port}`], { tls: { ...noTls, startTls: true } }), "no StartTLS with"],
	])("does not hang when the server stalls in %s (D5)", async (_, given, says) => {
		const failure = await connect({ ...given(await silence()), timeouts: impatient });
		expect(failure).toMatchObject({ code: "SOURCE_UNREACHABLE", message: expect.stringContaining(says) });
		expect(`${failure}`).toContain("0.3 s");
	});

	it("does not hang when the server stalls in the handshake after it agreed to StartTLS (D5)", async () => {
		const server = await serve((came, reply) => {
			if (came.kind === "extended") reply.done();
		});
		const tls = { ...noTls, startTls: true };
		const failure = await connect(options([server.url], { tls, timeouts: impatient }));
		expect(failure).toMatchObject({ code: "SOURCE_UNREACHABLE", message: expect.stringContaining("no StartTLS") });
	});

	it("does not send a password in clear unless told to", async () => {
		const server = await serve(() => {});
		expect(await connect(options([server.url], { insecure: false }))).toMatchObject({ code: "SOURCE_UNTRUSTED" });
		expect(server.connections()).toBe(0);
	});

	it("does not go on in clear when the server refuses StartTLS", async () => {
		const server = await serve((came, reply) => {
			if (came.kind === "extended") reply.done({ code: 52, message: "no certificate" });
		});
		const failure = await connect(options([server.url], { tls: { ...noTls, startTls: true } }));
		expect(failure).toMatchObject({ code: "SOURCE_UNTRUSTED", message: expect.stringContaining("no certificate") });
		expect(server.came.map(({ kind }) => kind)).not.toContain("bind");
	});
});

describe("binding", () => {
	it.each([
		["52e", "wrong password"],
		["530", "at this time"],
		["531", "from this machine"],
		["532", "password has expired"],
		["533", "disabled"],
		["701", "account has expired"],
		["773", "must be changed"],
		["775", "locked"],
	])("says what data %s means, stops at once, and tries no other server", async (data, says) => {
		const message = `80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data ${data}, v4563\0`;
		const server = await serve((came, reply) => {
			if (came.kind === "bind") reply.done({ code: 49, message });
		});
		const other = await serve(() => {});
		const failure = await connect(options([server.url, other.url], { pausesMs: [1, 1] }));
		expect(failure).toMatchObject({ code: "SOURCE_REFUSED", message: expect.stringContaining(says), hint: expect.any(String) });
		expect(server.came.filter(({ kind }) => kind === "bind")).toHaveLength(1);
		expect(other.connections()).toBe(0);
		expect(`${failure} ${(failure as { hint: string }).hint} ${(failure as { cause: Error }).cause.stack}`).not.toContain(password);
	});

	it.each([
		[8, "strongerAuthRequired", /ldaps/],
		[13, "confidentialityRequired", /ldaps/],
		[53, "unwillingToPerform", /log/],
	])("says what to do about result %d", async (code, says, hint) => {
		const server = await serve((came, reply) => {
			if (came.kind === "bind") reply.done({ code, message: "no" });
		});
		expect(await connect(options([server.url]))).toMatchObject({
			code: "SOURCE_REFUSED",
			message: expect.stringContaining(says),
			hint: expect.stringMatching(hint),
		});
	});

	it("refuses an empty password by itself: servers would call it a success", async () => {
		const server = await serve(() => {});
		const failure = await connect(options([server.url], { bind: { user: "svc", password: "" } }));
		expect(failure).toMatchObject({ code: "SOURCE_REFUSED", message: expect.stringContaining("empty") });
		expect(server.connections()).toBe(0);
	});

	it("says that the connection broke when the server hangs up on it", async () => {
		const server = await serve((came, reply) => {
			if (came.kind === "bind") reply.cut();
		});
		expect(await connect(options([server.url]))).toMatchObject({ code: "SOURCE_BROKE", message: expect.stringContaining("bind as svc") });
	});
});

describeWith(["openssl"], "securing", () => {
	const folder = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-tls-"));
	let certificates: Certificates;
	beforeAll(async () => {
		certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.9" });
	});
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	const pem = (file: string): string => readFileSync(file, "utf8");
	const secure = (kind: "good" | "expired" | "wrong-host" = "good") => ({ key: pem(certificates.key), cert: pem(certificates.file(kind)) });
	const startTls = (servername?: string, ca = certificates.ca) => ({ tls: { ...noTls, ca: pem(ca), startTls: true, servername } });
	const answer: Script = (came, reply) => {
		if (came.kind === "search") reply.done();
	};

	it("binds and searches within TLS only, and knows when the certificate expires", async () => {
		const server = await serve(answer, secure());
		const given = options([server.url.replace("127.0.0.1", "localhost")], startTls());
		const { session, certificateExpiresAt } = await openConnection(given, new AbortController().signal);
		await search(session, { base: "", scope: "base", filter: anything, attributes: [] });
		session.close();
		expect(server.came.filter(({ isEncrypted }) => !isEncrypted).map(({ kind }) => kind)).toEqual(["extended"]);
		expect(server.came.filter(({ isEncrypted }) => isEncrypted).map(({ kind }) => kind)).toEqual(
			expect.arrayContaining(["bind", "search"]),
		);
		expect(certificateExpiresAt).toBeGreaterThan(Date.now());
	});

	it("checks the certificate of an IP address against that address, not against localhost (D6)", async () => {
		const server = await serve(answer, secure());
		expect(await connect(options([server.url], startTls()))).toMatchObject({
			code: "SOURCE_UNTRUSTED",
			message: expect.stringMatching(/it says localhost, 127\.0\.0\.9, but "127\.0\.0\.1" is expected/),
		});
		expect(await connect(options([server.url], startTls("127.0.0.9")))).toBeUndefined();
	});

	it.each([
		["of a name that is not the server's", "good", () => startTls("dc1.corp.example.test"), /for another name: it says localhost/],
		["for another host", "wrong-host", () => startTls("localhost"), /it says dc9\.elsewhere\.example\.test/],
		["that has expired", "expired", () => startTls("localhost"), /has expired/],
		[
			"of an authority that is not trusted",
			"good",
			() => startTls("localhost", certificates.otherCa),
			/not signed by a trusted authority|private authority/,
		],
	] as const)("refuses a certificate %s, before the password is sent", async (_, kind, more, says) => {
		const server = await serve(answer, secure(kind));
		const failure = await connect(options([server.url], more()));
		expect(failure).toMatchObject({ code: "SOURCE_UNTRUSTED", message: expect.stringMatching(says), hint: expect.any(String) });
		expect(server.came.map(({ kind }) => kind)).not.toContain("bind");
	});

	it("sends nothing in clear after the secured connection was lost (D3)", async () => {
		const server = await serve((came, reply) => {
			if (came.kind === "search") reply.reset();
		}, secure());
		const { session } = await openConnection(options([server.url], startTls("localhost")), new AbortController().signal);
		const ask = () => search(session, { base: "", scope: "base", filter: anything, attributes: [] });
		await expect(ask()).rejects.toMatchObject({ code: "SOURCE_BROKE" });
		await expect(ask()).rejects.toMatchObject({ code: "SOURCE_BROKE" });
		expect(server.connections()).toBe(1);
		expect(server.came.filter(({ kind, isEncrypted }) => kind === "search" && !isEncrypted)).toEqual([]);
	});
});
