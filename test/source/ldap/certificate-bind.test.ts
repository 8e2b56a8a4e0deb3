import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Failure } from "../../../src/core/errors.ts";
import type { ActiveDirectoryOptions } from "../../../src/source/active-directory/options.ts";
import { readClientCertificate } from "../../../src/source/ldap/client-certificate.ts";
import { type ConnectionOptions, openConnection } from "../../../src/source/ldap/connection.ts";
import { diagnoseClientCertificate } from "../../../src/source/ldap/diagnose.ts";
import type { Tls } from "../../../src/source/ldap/dial.ts";
import { search } from "../../../src/source/ldap/wire/session.ts";
import { type Certificates, type ClientCertificates, makeCertificates, makeClientCertificates } from "../../support/certificates.ts";
import { command } from "../../support/command.ts";
import { connect, options } from "../../support/connecting.ts";
import { fakeSource } from "../../support/fake-directory.ts";
import { type Script, startFakeServer } from "../../support/fake-server.ts";
import { describeWith, serverPath } from "../../support/require.ts";
import { type SmallSlapd, startSmallSlapd } from "../../support/small-slapd.ts";
import { noTls } from "../../support/tls.ts";

const external = { sasl: "external", authorizationId: undefined } as const;
const subject = "CN=sync,O=Corp";

describeWith(["openssl"], "a client certificate", () => {
	const folder = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-client-"));
	let server: Certificates;
	let client: ClientCertificates;
	beforeAll(async () => {
		server = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
		client = await makeClientCertificates(folder);
	});
	afterAll(() => rmSync(folder, { recursive: true, force: true }));

	const pem = (file: string): string => readFileSync(file, "utf8");
	const trusting = (): Tls => ({ ...noTls, ca: pem(server.ca) });
	const showing = (kind: Parameters<ClientCertificates["file"]>[0]): Tls => ({
		...trusting(),
		cert: pem(client.file(kind)),
		key: pem(client.key),
	});

	describe("in the configuration", () => {
		it("must be one, with its own key, without a passphrase", async () => {
			const { cert, key } = showing("good");
			expect(readClientCertificate(noTls)).toBeUndefined();
			expect(readClientCertificate({ cert, key })?.subject).toBe(subject);
			const problem = (given: { cert: string | undefined; key: string | undefined }): string => {
				try {
					return String(readClientCertificate(given));
				} catch (failure) {
					expect(failure).toMatchObject({ code: "CONFIG_INVALID", hint: expect.any(String) });
					return (failure as Failure).message;
				}
			};
			expect(problem({ cert, key: undefined })).toBe("there is tls.cert without tls.key");
			expect(problem({ cert: undefined, key })).toBe("there is tls.key without tls.cert");
			expect(problem({ cert: "no PEM", key })).toBe("tls.cert is no certificate in PEM");
			expect(problem({ cert, key: "no PEM" })).toBe("tls.key is no private key in PEM");
			expect(problem({ cert, key: pem(server.key) })).toBe("tls.key is not the key of the certificate in tls.cert");
			const { stdout } = await command("openssl", ["pkey", "-in", client.key, "-aes-256-cbc", "-passout", "pass:secret"]);
			expect(problem({ cert, key: stdout.toString() })).toBe("tls.key is encrypted with a passphrase");
		});

		it("is shown by the doctor with its subject and its end, which is a warning when it is near and a failure when it is over", () => {
			const now = Date.now();
			expect(diagnoseClientCertificate(noTls, now)).toEqual([]);
			expect(diagnoseClientCertificate(showing("good"), now)).toMatchObject([
				{ state: "passed", subject: "client certificate", detail: expect.stringMatching(/^CN=sync,O=Corp, valid until \d{4}-\d\d-\d\d$/) },
			]);
			expect(diagnoseClientCertificate(showing("soon"), now)).toMatchObject([
				{ state: "warned", detail: expect.stringMatching(/: (?:9|10) days left$/), remedy: expect.stringContaining("tls.cert") },
			]);
			expect(diagnoseClientCertificate(showing("expired"), now)).toMatchObject([
				{ state: "failed", detail: `${subject}, valid until 2020-02-01: it has expired` },
			]);
		});
	});

	describe("at a server that judges it by alerts, as 389 Directory Server does", () => {
		let judge: ChildProcess;
		let url: string;
		beforeAll(async () => {
			const own = ["-cert", server.file("good"), "-key", server.key, "-CAfile", server.ca];
			const flags = ["s_server", "-accept", "127.0.0.1:0", ...own, "-Verify", "1", "-verify_return_error"];
			judge = spawn("openssl", flags, { stdio: ["pipe", "pipe", "ignore"], env: { ...process.env, PATH: serverPath } });
			let said = "";
			for await (const chunk of judge.stdout as NonNullable<typeof judge.stdout>) {
				said += String(chunk);
				const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
				if (port === undefined) continue;
				url = `ldaps://localhost:${port}`;
				break;
			}
		});
		afterAll(async () => {
			const ended = once(judge, "exit");
			judge.kill();
			await ended;
		});

		it.each([
			{ kind: "expired", says: /cut the connection: the client certificate CN=sync,O=Corp has expired on 2020-02-01/, hint: /Renew/ },
			{
				kind: "foreign",
				says: /refused the client certificate CN=sync,O=Corp: its authority is not trusted/,
				hint: /trusts the authority/,
			},
			{ kind: "missing", says: /wants a client certificate: none was shown/, hint: /tls\.cert and tls\.key/ },
		] as const)("$kind is refused, and the remedy named", async ({ kind, says, hint }) => {
			const failure = await connect(options([url], { tls: kind === "missing" ? trusting() : showing(kind) }));
			expect(failure).toMatchObject({
				code: "SOURCE_REFUSED",
				message: expect.stringMatching(says),
				hint: expect.stringMatching(hint),
			});
		});
	});

	describe("as the bind, SASL EXTERNAL", () => {
		const closing: (() => Promise<unknown>)[] = [];
		afterEach(async () => {
			for (const close of closing.splice(0)) await close();
		});
		const serve = async (script: Script, from: "StartTLS" | "the first octet") => {
			const fake = await startFakeServer(script, { key: pem(server.key), cert: pem(server.file("good")) }, from);
			closing.push(fake.close);
			return fake;
		};
		const bindless = (more: Partial<ConnectionOptions> = {}) => ({ bind: external, tls: showing("good"), ...more });

		it.each([
			["without TLS", () => showing("good"), "ldap://127.0.0.1:1", /is not secured/],
			["without a certificate", () => trusting(), "ldaps://127.0.0.1:1", /there is no client certificate/],
		] as const)("is not tried %s", async (_, tls, url, says) => {
			const failure = await connect(options([url], { bind: external, tls: tls() }));
			expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(says) });
		});

		it("is not sent to Active Directory's TLS port, which takes the certificate by itself and refuses a bind (MS-ADTS 5.1.1.2)", async () => {
			const fake = await serve((came, reply) => {
				if (came.kind === "extended") reply.done({ value: "u:CORP\\svc-dirsyncd" });
				if (came.kind === "bind") reply.done({ code: 49, message: "no EXTERNAL here" });
			}, "the first octet");
			expect(await connect(options([fake.url], bindless()))).toBeUndefined();
			expect(fake.came.map(({ kind }) => kind)).not.toContain("bind");
		});

		it("is an error when the server takes the certificate for nobody: never anonymous by accident", async () => {
			const fake = await serve((came, reply) => {
				if (came.kind === "extended") reply.done({ value: "" });
			}, "the first octet");
			const failure = await connect(options([fake.url], bindless()));
			expect(failure).toMatchObject({ code: "SOURCE_REFUSED", message: expect.stringContaining("the bind is anonymous") });
			expect(fake.came.map(({ kind }) => kind)).toEqual(["extended", "bind", "extended"]);
		});

		it("is enough where the server does not say who we are", async () => {
			const fake = await serve((came, reply) => {
				if (came.kind === "extended") reply.done({ code: 2, message: "no such operation" });
			}, "the first octet");
			expect(await connect(options([fake.url], bindless()))).toBeUndefined();
		});

		it("is an identity that outlives the certificate's renewal, and is another one than that of whom it acts for", () => {
			const identityOf = (more: Partial<ActiveDirectoryOptions>) => fakeSource("ldaps://dc1", { bind: external, ...more }).identity;
			expect(identityOf({ tls: showing("good") })).toBe("active-directory as certificate cn=sync,o=corp");
			expect(identityOf({ tls: showing("soon") })).toBe(identityOf({ tls: showing("good") }));
			const acting = { sasl: "external", authorizationId: "dn:cn=Other,dc=x" } as const;
			expect(identityOf({ tls: showing("good"), bind: acting })).toBe("active-directory as dn:cn=other,dc=x");
		});

		it("goes on to the next server when one refuses it: that locks nobody out", async () => {
			const refusing = await serve((came, reply) => {
				if (came.kind === "bind") reply.done({ code: 49, message: "unknown" });
				if (came.kind === "extended") reply.done({ value: "" });
			}, "the first octet");
			const taking = await serve((came, reply) => {
				if (came.kind === "extended") reply.done({ value: came.connection > 0 && taking.came.length > 1 ? "dn:cn=sync" : "" });
			}, "the first octet");
			const connection = await openConnection(options([refusing.url, taking.url], bindless()), new AbortController().signal);
			connection.session.close();
			expect(connection).toMatchObject({ server: taking.url, warnings: [expect.stringContaining("knows no account")] });
		});
	});

	describeWith(["slapd"], "at OpenLDAP", () => {
		let slapd: SmallSlapd;
		const asking = (verify: string, mapped = true) => [
			`TLSVerifyClient ${verify}`,
			...(mapped ? [`authz-regexp "cn=sync,o=Corp" "${slapd?.sync.user.replaceAll("\\", "\\\\")}"`] : []),
		];
		beforeAll(async () => {
			slapd = await startSmallSlapd({ certificates: server, entries: 1 });
			await slapd.restart({ settings: asking("demand") });
		}, 60_000);
		afterAll(() => slapd.close());

		const ways = [
			{ way: "ldaps", at: () => slapd.tlsUrl, startTls: false },
			{ way: "StartTLS", at: () => slapd.url, startTls: true },
		];
		const by = (startTls: boolean, tls: Tls, bind: ConnectionOptions["bind"] = external) => ({
			tls: { ...tls, startTls },
			bind,
			insecure: false,
		});

		it.each(ways)("is who we are, over $way", async ({ at, startTls }) => {
			const connection = await openConnection(options([at()], by(startTls, showing("good"))), new AbortController().signal);
			const { session } = connection;
			const request = { base: slapd.baseDn, scope: "sub", filter: { kind: "present", attribute: "cn" }, attributes: ["cn"] } as const;
			expect(await search(session, request)).toHaveLength(2);
			session.close();
			expect(session.account).toBe("cn=sync\\2C dirsyncd,dc=example,dc=org");
			expect(connection.warnings).toEqual([]);
		});

		it.each(ways)("goes with a password too, over $way", async ({ at, startTls }) => {
			expect(await connect(options([at()], by(startTls, showing("good"), slapd.sync)))).toBeUndefined();
		});

		it("that ends soon is warned of by every reading", async () => {
			const connection = await openConnection(options([slapd.tlsUrl], by(false, showing("soon"))), new AbortController().signal);
			connection.session.close();
			expect(connection.warnings).toEqual([
				expect.stringMatching(/^the client certificate CN=sync,O=Corp expires on \d{4}-\d\d-\d\d: (?:9|10) days left$/),
			]);
		});

		// Its GnuTLS ends the connection after the handshake without a word, and after StartTLS ldapts would not even notice.
		const cases = [
			{ kind: "expired", code: "SOURCE_REFUSED", says: /CN=sync,O=Corp has expired on 2020-02-01/, hint: /Renew/ },
			{ kind: "foreign", code: "SOURCE_BROKE", says: /after it was shown the client certificate CN=sync,O=Corp/, hint: /may not trust/ },
			{ kind: "missing", code: "SOURCE_BROKE", says: /broke during the bind/, hint: /may want a client certificate/ },
		] as const;
		it.each(ways.flatMap((way) => cases.map((one) => ({ ...way, ...one }))))(
			"that is $kind ends the connection over $way, and the failure says so",
			async ({ at, startTls, kind, code, says, hint }) => {
				const bind = kind === "missing" ? slapd.sync : external;
				const tls = kind === "missing" ? trusting() : showing(kind);
				const failure = await connect(options([at()], by(startTls, tls, bind)));
				expect(failure).toMatchObject({ code, message: expect.stringMatching(says), hint: expect.stringMatching(hint) });
			},
		);

		it("may not act for somebody else unless that is allowed", async () => {
			const bind = { sasl: "external", authorizationId: `dn:cn=p0,${slapd.baseDn}` } as const;
			expect(await connect(options([slapd.tlsUrl], by(false, showing("good"), bind)))).toMatchObject({
				code: "SOURCE_REFUSED",
				message: expect.stringContaining(`the bind as dn:cn=p0,${slapd.baseDn}: the client certificate may not act as that`),
				hint: expect.stringContaining("bind.authorizationId"),
			});
		});

		it("is refused with the remedy where the server does not ask for one", async () => {
			await slapd.restart({ settings: asking("never") });
			expect(await connect(options([slapd.url], by(true, showing("good"))))).toMatchObject({
				code: "SOURCE_REFUSED",
				message: expect.stringContaining("takes no client certificate for a bind here, authMethodNotSupported (7)"),
				hint: expect.stringContaining("TLSVerifyClient demand"),
			});
		});
	});
});
