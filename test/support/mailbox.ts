import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** A mail as it came. */
export interface Mail {
	/** As the envelope has them. */
	readonly from: string;
	readonly to: readonly string[];
	readonly isSecure: boolean;
	readonly user: string | undefined;
	/** In lower case; of several of one name the last. */
	readonly headers: Readonly<Record<string, string>>;
	/** How many headers there are of each name. */
	readonly counts: Readonly<Record<string, number>>;
	readonly subject: string;
	readonly text: string;
	readonly html: string;
	readonly raw: string;
}

export interface MailboxOptions {
	/** PEM files. */
	readonly cert: string;
	readonly key: string;
	readonly user: string;
	readonly password: string;
	/** By default any free one. */
	readonly port?: number;
	/** Readers whom it does not know. */
	readonly unknown?: readonly string[];
}

export type Mailbox = Awaited<ReturnType<typeof startMailbox>>;

/** A real mail server on this machine that wants STARTTLS and a password, and keeps what it gets. */
export async function startMailbox({ cert, key, user, password, port = 0, unknown = [] }: MailboxOptions) {
	const mails: Mail[] = [];
	const waiting = new Set<{ readonly is: (mail: Mail) => boolean; readonly found: PromiseWithResolvers<Mail> }>();
	const server = new SMTPServer({
		...{ cert: readFileSync(cert), key: readFileSync(key), authOptional: false },
		onAuth: (auth, _session, answer) => {
			if (auth.username === user && auth.password === password) answer(null, { user: auth.username });
			else answer(new Error("Invalid username or password"));
		},
		onRcptTo: ({ address }, _session, answer) => answer(unknown.includes(address) ? new Error("no such user here") : null),
		onData: (stream, session, answer) => {
			const chunks: Buffer[] = [];
			// Once it is answered, the session is ready for the next one.
			const { mailFrom, rcptTo } = session.envelope;
			const envelope = { from: mailFrom === false ? "" : mailFrom.address, to: rcptTo.map(({ address }) => address) };
			stream.on("data", (chunk: Buffer) => chunks.push(chunk));
			stream.on("end", () => {
				answer(null);
				const mail = { ...envelope, isSecure: session.secure, user: session.user?.toString(), ...parse(Buffer.concat(chunks).toString()) };
				mails.push(mail);
				for (const one of waiting) if (one.is(mail)) one.found.resolve(mail);
			});
		},
	});
	server.on("error", () => {}); // Of a client that hangs up: what did not come is what a test sees.
	await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
	return {
		port: (server.server.address() as AddressInfo).port,
		mails,
		/** The first mail, past or to come, of which `is` is true. */
		came: async (is: (mail: Mail) => boolean): Promise<Mail> => {
			const before = mails.find(is);
			if (before !== undefined) return before;
			const one = { is, found: Promise.withResolvers<Mail>() };
			waiting.add(one);
			return one.found.promise;
		},
		close: (): Promise<void> => new Promise((resolve) => server.close(() => resolve())),
	};
}

function parse(raw: string): Pick<Mail, "headers" | "counts" | "subject" | "text" | "html" | "raw"> {
	const { headers, counts, body } = split(raw);
	const boundary = /boundary="([^"]+)"/.exec(headers["content-type"] ?? "")?.[1];
	const parts =
		boundary === undefined
			? []
			: body
					.split(`--${boundary}`)
					.slice(1, -1)
					.map((part) => split(part.replace(/^\r\n/, "").replace(/\r\n$/, "")));
	const partOf = (type: string): string => {
		const part = parts.find((each) => each.headers["content-type"]?.startsWith(type));
		return part === undefined ? "" : decode(part.body, part.headers["content-transfer-encoding"] ?? "");
	};
	return { headers, counts, subject: unfold(headers["subject"] ?? ""), text: partOf("text/plain"), html: partOf("text/html"), raw };
}

function split(text: string) {
	const end = text.indexOf("\r\n\r\n");
	const headers: Record<string, string> = {};
	const counts: Record<string, number> = {};
	for (const line of text
		.slice(0, end)
		.replaceAll(/\r\n[ \t]+/g, " ")
		.split("\r\n")) {
		const colon = line.indexOf(":");
		const name = line.slice(0, colon).toLowerCase();
		headers[name] = line.slice(colon + 1).trim();
		counts[name] = (counts[name] ?? 0) + 1;
	}
	return { headers, counts, body: text.slice(end + 4) };
}

function decode(body: string, encoding: string): string {
	if (encoding === "base64") return Buffer.from(body, "base64").toString();
	if (encoding !== "quoted-printable") return body.replaceAll("\r\n", "\n");
	return octets(body.replaceAll(/=\r\n/g, "")).replaceAll("\r\n", "\n");
}

function octets(text: string): string {
	const latin = text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	return Buffer.from(latin, "latin1").toString();
}

/** Encoded words of a header (RFC 2047). */
function unfold(header: string): string {
	return header
		.replaceAll(/\?=\s+=\?/g, "?==?")
		.replaceAll(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
			kind.toUpperCase() === "B" ? Buffer.from(text, "base64").toString() : octets(text.replaceAll("_", " ")),
		);
}
