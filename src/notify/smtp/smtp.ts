import { createTransport } from "nodemailer";
import { Failure } from "../../core/errors.ts";
import { digest } from "../../lib/digest.ts";
import { orAborted } from "../../lib/waiting.ts";
import type { Channel, Message } from "../channel.ts";
import { asHtml } from "../letter-html.ts";
import { asHeader, asText } from "../letter-text.ts";
import type { SmtpOptions } from "./options.ts";
import { smtpFailure } from "./smtp-failure.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** A virus scanner between us and the mailbox takes its time. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Sends letters as mails, each over a connection of its own: there are few of them. */
export function makeSmtpChannel(options: SmtpOptions): Channel {
	const { host, port, from, to } = options;
	const attempt = async <T>(work: (transport: ReturnType<typeof open>) => Promise<T>, signal: AbortSignal): Promise<T> => {
		const transport = open(options);
		try {
			return await orAborted(() => work(transport), signal);
		} catch (cause) {
			if (signal.aborted) throw signal.reason;
			throw smtpFailure(options, cause);
		} finally {
			transport.close();
		}
	};
	return {
		send: (message, signal) =>
			attempt(async (transport) => {
				const { rejected } = await transport.sendMail({
					from: { ...from },
					to: to.map((each) => ({ ...each })),
					...mailOf(message, options),
				});
				// Those who got it would get it once more if the others were tried again.
				return rejected;
			}, signal),
		probe: (signal) =>
			attempt(async (transport) => {
				await transport.verify();
				const secured = { tls: " over TLS", starttls: " by STARTTLS", none: ", in clear" }[options.tls];
				const who = options.auth === undefined ? "takes us without a password" : `takes ${options.auth.user}`;
				return `${host}:${port} ${who}${secured}; mails go to ${to.map(({ address }) => address).join(", ")}`;
			}, signal),
		close: async () => {},
	};
}

function open({ host, port, tls, ca, auth }: SmtpOptions) {
	if (auth !== undefined && auth.password() === "")
		throw new Failure("SECRET_UNREADABLE", `the password of ${auth.user} at ${host} is empty`);
	return createTransport({
		...{ host, port, secure: tls === "tls", requireTLS: tls === "starttls", ignoreTLS: tls === "none" },
		...(ca !== undefined && { tls: { ca } }),
		...(auth !== undefined && { auth: { user: auth.user, pass: auth.password() } }),
		...{ connectionTimeout: CONNECT_TIMEOUT_MS, greetingTimeout: CONNECT_TIMEOUT_MS, socketTimeout: ANSWER_TIMEOUT_MS },
		// Nothing of ours names a file or a URL to be sent along.
		...{ disableFileAccess: true, disableUrlAccess: true },
	});
}

function mailOf({ id, first, at, letter }: Message, { name, from }: SmtpOptions) {
	const domain = from.address.slice(from.address.lastIndexOf("@") + 1);
	const messageId = (of: string): string => `<${digest(of).toString("hex")}@${domain}>`;
	return {
		messageId: messageId(id),
		...(first !== undefined && { inReplyTo: messageId(first), references: [messageId(first)] }),
		date: new Date(at),
		subject: asHeader(letter.subject),
		text: asText(letter),
		html: asHtml(letter),
		headers: {
			// Nobody's holiday answers (RFC 3834), and a name by which mail readers file what we send (RFC 2919).
			"Auto-Submitted": "auto-generated",
			"X-Auto-Response-Suppress": "All",
			"List-Id": `dirsyncd ${name} <${name.toLowerCase()}.dirsyncd.${domain}>`,
		},
	};
}
