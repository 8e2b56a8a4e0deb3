import { Failure, unreachable } from "../../core/errors.ts";
import { digest } from "../../lib/digest.ts";
import { printable } from "../../lib/table.ts";
import { signed } from "../../lib/webhook-signature.ts";
import { openWire } from "../../target/http/wire.ts";
import type { Channel, Message } from "../channel.ts";
import { asHeader, asText } from "../letter-text.ts";

export interface WebhookOptions {
	readonly url: string;
	/** PEM text of a private authority's certificates. */
	readonly ca: string | undefined;
	/** Signs what is sent. Asked for when it is needed. */
	readonly secret: () => string;
	/** Unix milliseconds. */
	readonly clock: () => number;
}

const TIMEOUT_MS = 30_000;

/** Posts letters as JSON, signed like the events of targets of type webhook. */
export function makeWebhookChannel({ url, ca, secret, clock }: WebhookOptions): Channel {
	const { origin, pathname, search } = new URL(url);
	const wire = openWire({
		tls: { ca, cert: undefined, key: undefined, servername: undefined },
		...{ proxy: undefined, timeoutMs: TIMEOUT_MS, concurrency: 1 },
	});
	return {
		send: async (message, signal) => {
			const body = JSON.stringify(eventOf(message));
			const id = digest(message.id).toString("hex");
			const headers = { "content-type": "application/json", "user-agent": "dirsyncd", ...signed(secret(), id, clock(), body) };
			const reply = await exchange(() => wire.exchange({ method: "POST", origin, path: `${pathname}${search}`, headers, body }, signal));
			if (reply.kind === "lost") throw new Failure("CHANNEL_UNREACHABLE", `${origin} did not answer: ${reply.why}`);
			if (reply.status >= 200 && reply.status < 300) return [];
			throw new Failure("CHANNEL_REFUSED", `${origin} answered with ${reply.status}: ${printable(reply.text).slice(0, 200)}`, {
				hint: "Check url, and that both sides have the same secret.",
			});
		},
		probe: async (signal) => {
			// Any answer says that somebody is there; an event that is none is nobody's business.
			const reply = await exchange(() =>
				wire.exchange(
					{ method: "GET", origin, path: `${pathname}${search}`, headers: { "user-agent": "dirsyncd" }, body: undefined },
					signal,
				),
			);
			if (reply.kind === "lost") throw new Failure("CHANNEL_UNREACHABLE", `${origin} did not answer: ${reply.why}`);
			return `${origin} answers`;
		},
		close: () => wire.close(),
	};
}

/** The connection is one of targets, and says so. */
async function exchange<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (cause) {
		if (!(cause instanceof Failure) || cause.code !== "TARGET_UNREACHABLE") throw cause;
		throw new Failure("CHANNEL_UNREACHABLE", cause.message, { cause, ...(cause.hint !== undefined && { hint: cause.hint }) });
	}
}

function eventOf({ at, letter, facts }: Message): object {
	const said = { at: new Date(at).toISOString(), subject: asHeader(letter.subject), text: asText(letter) };
	switch (facts.kind) {
		case "test":
			return { type: "dirsyncd.test", ...said };
		case "report":
			return { type: "dirsyncd.report", ...said };
		case "matter": {
			const { matter, state } = facts.notice;
			const since = new Date(matter.since).toISOString();
			return { type: "dirsyncd.matter", matter: matter.detail.kind, about: matter.about, state, since, ...said, detail: matter.detail };
		}
		default:
			return unreachable(facts);
	}
}
