import type { ChannelConfig } from "../config/notify-config.ts";
import { Failure } from "../core/errors.ts";
import type { Channel, Message } from "./channel.ts";
import type { Letter } from "./letter.ts";
import { makeSmtpChannel } from "./smtp/smtp.ts";
import { makeWebhookChannel } from "./webhook/webhook.ts";

/** The channel that a configuration describes, by its type. Nothing is opened before something is sent. */
export function makeChannel(config: ChannelConfig, clock: () => number): Channel {
	if (config.type === "webhook") return makeWebhookChannel({ url: config.url, ca: config.ca, secret: () => config.secret.reveal(), clock });
	const { auth } = config;
	return makeSmtpChannel({ ...config, auth: auth && { user: auth.user, password: () => auth.password.reveal() } });
}

/** One line of `check`. */
interface Step {
	readonly step: string;
	readonly subject: string;
	readonly state: "passed" | "warned" | "failed";
	readonly detail: string;
	readonly remedy?: string | undefined;
}

interface Trying {
	/** `probe`: goes the whole way but sends nothing; `test`: sends a message. */
	readonly how: "probe" | "test";
	/** The configuration's file. */
	readonly file: string;
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/** Tries a channel, as far as it can be tried without sending anything, or by sending a message. */
export async function diagnoseChannel(config: ChannelConfig, { how, file, clock }: Trying, signal: AbortSignal): Promise<Step> {
	const step = { step: "notify", subject: config.name };
	const channel = makeChannel(config, clock);
	try {
		if (how === "probe") return { ...step, state: "passed", detail: await channel.probe(signal) };
		const refused = await channel.send(testMessage(config, file, clock()), signal);
		if (refused.length === 0) return { ...step, state: "passed", detail: "a test message was taken: see whether it arrives" };
		const remedy = "Take them out of to, or correct them.";
		return { ...step, state: "warned", detail: `a test message was taken, but not for ${refused.join(", ")}`, remedy };
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		return { ...step, state: "failed", detail: error.message, remedy: error.hint };
	} finally {
		await channel.close();
	}
}

function testMessage({ name }: ChannelConfig, file: string, now: number): Message {
	const letter: Letter = {
		subject: `dirsyncd: a test of ${name}`,
		blocks: [
			{
				kind: "text",
				text: `Somebody tried by \`dirsyncd check --notify ${name}\` whether this arrives. It does. The configuration is ${file}.`,
			},
		],
	};
	return { id: `test ${name} ${now}`, first: undefined, at: now, letter, facts: { kind: "test" } };
}
