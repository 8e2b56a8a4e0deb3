import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import type { Message } from "../../src/notify/channel.ts";
import type { SmtpOptions } from "../../src/notify/smtp/options.ts";
import { makeSmtpChannel } from "../../src/notify/smtp/smtp.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { type Mailbox, startMailbox } from "../support/mailbox.ts";

const PASSWORD = "the mail server's password";
const never = new AbortController().signal;

let folder: string;
let certificates: Certificates;
let mailbox: Mailbox;

beforeAll(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-smtp-"));
	certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
	mailbox = await startMailbox({
		...{ cert: certificates.file("good"), key: certificates.key, user: "dirsyncd", password: PASSWORD },
		unknown: ["gone@example.com"],
	});
});

afterEach(() => mailbox.close());

function channel(differences: Partial<SmtpOptions> = {}) {
	return makeSmtpChannel({
		...{ name: "admins", host: "127.0.0.1", port: mailbox.port, tls: "starttls", ca: readFileSync(certificates.ca, "utf8") },
		auth: { user: "dirsyncd", password: () => PASSWORD },
		from: { name: "dirsyncd", address: "dirsyncd@example.com" },
		to: [{ name: "", address: "admins@example.com" }],
		...differences,
	});
}

function message(differences: Partial<Message> = {}): Message {
	return {
		...{ id: "one", first: undefined, at: Date.UTC(2026, 10, 27, 9), facts: { kind: "test" } },
		letter: { subject: "dirsyncd corp: 62 disables are held, limit 50", blocks: [{ kind: "text", text: "Zoë & <Ada>" }] },
		...differences,
	};
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
	try {
		await work;
	} catch (error) {
		if (error instanceof Failure) return error;
		throw error;
	}
	throw new Error("it went well");
}

describe("a mail", () => {
	it("goes to a real mail server, secured and signed in, in text and HTML", async () => {
		expect(await channel().send(message(), never)).toEqual([]);
		expect(mailbox.mails).toMatchObject([
			{
				...{ from: "dirsyncd@example.com", to: ["admins@example.com"], isSecure: true, user: "dirsyncd" },
				subject: "dirsyncd corp: 62 disables are held, limit 50",
				text: "Zoë & <Ada>\n",
				html: expect.stringContaining("<p>Zoë &amp; &lt;Ada&gt;</p>"),
				headers: {
					"content-type": expect.stringContaining("multipart/alternative"),
					"auto-submitted": "auto-generated",
					"list-id": "dirsyncd admins <admins.dirsyncd.example.com>",
					date: "Fri, 27 Nov 2026 09:00:00 +0000",
				},
			},
		]);
		expect(mailbox.mails[0]?.raw).not.toContain(PASSWORD);
	});

	it("stands in one thread with the first of its matter, and is the same mail when it is sent again", async () => {
		await channel().send(message({ id: "first" }), never);
		await channel().send(message({ id: "second", first: "first" }), never);
		await channel().send(message({ id: "second", first: "first" }), never);
		const [first, second, again] = mailbox.mails.map(({ headers }) => headers);
		expect(first?.["message-id"]).toMatch(/^<[0-9a-f]+@example\.com>$/);
		expect(first?.["references"]).toBeUndefined();
		expect(second).toMatchObject({ references: first?.["message-id"], "in-reply-to": first?.["message-id"] });
		expect(again?.["message-id"]).toBe(second?.["message-id"]);
		expect(second?.["message-id"]).not.toBe(first?.["message-id"]);
	});

	it("has no header that a name of the directory made", async () => {
		const subject = "dirsyncd corp: Eve\r\nBcc: everybody@example.com\r\n\r\nbody\u2028 is held";
		await channel().send(message({ letter: { subject, blocks: [] } }), never);
		expect(mailbox.mails[0]?.to).toEqual(["admins@example.com"]);
		expect(mailbox.mails[0]?.headers["bcc"]).toBeUndefined();
		expect(mailbox.mails[0]?.subject).toBe("dirsyncd corp: Eve Bcc: everybody@example.com body is held");
		expect(Math.max(...Object.values(mailbox.mails[0]?.counts ?? {}))).toBe(1);
	});

	it("goes to those readers whom the server knows, and says whom not", async () => {
		const to = ["admins@example.com", "gone@example.com"].map((address) => ({ name: "", address }));
		expect(await channel({ to }).send(message(), never)).toEqual(["gone@example.com"]);
		expect(mailbox.mails).toHaveLength(1);
	});

	it.each([
		{
			what: "a wrong password",
			of: { auth: { user: "dirsyncd", password: () => "wrong" } },
			code: "CHANNEL_REFUSED",
			says: /refuses dirsyncd.*535/,
		},
		{ what: "no password where one is wanted", of: { auth: undefined }, code: "CHANNEL_REFUSED", says: /takes no mail|refuses us/ },
		{
			what: "readers whom nobody knows",
			of: { to: [{ name: "", address: "gone@example.com" }] },
			code: "CHANNEL_REFUSED",
			says: /no such user/,
		},
		{
			what: "an authority that nobody knows",
			of: { ca: undefined },
			code: "CHANNEL_UNREACHABLE",
			says: /the certificate of .* is not signed by a trusted authority/,
		},
		{ what: "nobody there", of: { port: 1 }, code: "CHANNEL_UNREACHABLE", says: /ECONNREFUSED/ },
		{ what: "a name that nobody knows", of: { host: "nobody.invalid" }, code: "CHANNEL_UNREACHABLE", says: /DNS/ },
		{ what: "TLS at a port without it", of: { tls: "tls" }, code: "CHANNEL_UNREACHABLE", says: /cannot be|does not/ },
	] as const)("is refused in words with a remedy: $what", async ({ of, code, says }) => {
		for (const work of [channel(of).send(message(), never), ...("to" in of || !("port" in of) ? [] : [channel(of).probe(never)])]) {
			const failure = await failureOf(work);
			expect(failure.code).toBe(code);
			expect(failure.message).toMatch(says);
			expect(failure.hint).toBeDefined();
			expect(`${failure.message} ${failure.hint}`).not.toContain(PASSWORD);
		}
		expect(mailbox.mails).toEqual([]);
	});

	it.each([
		{ kind: "expired", says: /the certificate of .* has expired/ },
		{ kind: "wrong-host", says: /the certificate of .* is for another name/ },
	] as const)("is not sent to a server whose certificate is $kind", async ({ kind, says }) => {
		await mailbox.close();
		mailbox = await startMailbox({ cert: certificates.file(kind), key: certificates.key, user: "dirsyncd", password: PASSWORD });
		const { code, message: said } = await failureOf(channel().send(message(), never));
		expect([code, said]).toEqual(["CHANNEL_UNREACHABLE", expect.stringMatching(says)]);
	});

	it("is never sent in clear, nor the password, where STARTTLS is asked for", async () => {
		// The server's certificate is one of others: the line cannot be trusted.
		const failure = await failureOf(channel({ ca: readFileSync(certificates.otherCa, "utf8") }).send(message(), never));
		expect(failure).toMatchObject({ code: "CHANNEL_UNREACHABLE", hint: expect.stringContaining("ca names") });
		expect(mailbox.mails).toEqual([]);
	});

	it("is tried as far as the password by check, without one being sent", async () => {
		expect(await channel().probe(never)).toContain("takes dirsyncd by STARTTLS; mails go to admins@example.com");
		expect((await failureOf(channel({ auth: { user: "dirsyncd", password: () => "wrong" } }).probe(never))).code).toBe("CHANNEL_REFUSED");
		expect(mailbox.mails).toEqual([]);
	});
});
