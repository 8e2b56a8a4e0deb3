import { X509Certificate } from "node:crypto";
import type { HttpConfig } from "../config/config.ts";
import type { BesideFacts } from "../http/health.ts";
import type { Notices } from "../store/notices.ts";
import type { Notifying } from "./notifying.ts";
import type { ChannelState } from "./postman.ts";

const DAY_MS = 86_400_000;
/** So long before its end the page's certificate is a warning: three weeks are enough for any authority. */
const WARN_DAYS = 21;

/** When the certificate expires that the page shows, Unix milliseconds; undefined: it shows none. */
export function expiryOfPage({ tls }: HttpConfig): number | undefined {
	// The first of the file is the server's own (RFC 8446 §4.4.2), and the configuration was refused unless it can be read.
	return tls === undefined ? undefined : new X509Certificate(tls.cert).validToDate.getTime();
}

/** Health's view of the page's certificate: nothing where there is none. */
export function certificateOfPage(http: HttpConfig, now: number): readonly BesideFacts[] {
	const expiresAt = expiryOfPage(http);
	if (expiresAt === undefined) return [];
	const at = new Date(expiresAt).toISOString();
	const isOver = expiresAt <= now;
	const because = isOver ? `the page's certificate expired at ${at}` : `the page's certificate expires at ${at}`;
	const hint = "Put a new one into the file of http.tls.cert, and have dirsyncd read its configuration again (SIGHUP, or a restart).";
	const isNear = expiresAt - now <= WARN_DAYS * DAY_MS;
	return [{ part: "certificate", name: "page", trouble: isNear ? { because, since: undefined, hint } : undefined }];
}

/** Health's view of a channel. */
export function channelFacts({ channel, trouble }: ChannelState): BesideFacts {
	// Not with the words of the other side: they may name readers, and health is open to everybody.
	const because = "nobody can be told anything by it (dirsyncd check says why)";
	const hint = trouble?.hint ?? "Check that the other side runs and can be reached from here.";
	const found = trouble && {
		because,
		since: trouble.since,
		hint: `${hint} It is tried again by itself, and nothing is forgotten for a week.`,
	};
	return { part: "channel", name: channel, trouble: found };
}

/** What is not sent yet, by channel. */
export function countPending(notifying: Pick<Notifying, "channels">, notices: Pick<Notices, "pending">) {
	let kept: ReturnType<typeof notices.pending>;
	try {
		kept = notices.pending();
	} catch {
		return []; // Not known, and not shown. That the database cannot be read is said by health.
	}
	return notifying.channels().map(({ channel, unkept }) => ({ channel, pending: (kept.get(channel) ?? 0) + unkept }));
}
