import type { MatterKind } from "../core/matter.ts";
import type { Secret } from "./secret.ts";

/** A channel of the configuration by which people are told, checked and complete. */
export type ChannelConfig = SmtpChannel | WebhookChannel;

interface AnyChannel {
	readonly name: string;
	readonly on: readonly (MatterKind | "recovered")[];
	/** Undefined: no report. `at` is a cron expression. */
	readonly report: { readonly every: "daily" | "weekly"; readonly at: string } | undefined;
	/** Of the report's schedule, and of the times in what is sent. */
	readonly timezone: string;
	/** The page's URL as the readers reach it; undefined: where the daemon listens. */
	readonly page: string | undefined;
	/** The private CA's certificates as PEM text. */
	readonly ca: string | undefined;
}

export interface SmtpChannel extends AnyChannel {
	readonly type: "smtp";
	readonly host: string;
	readonly port: number;
	/** `starttls`: nothing is sent before the connection is secured. */
	readonly tls: "starttls" | "tls" | "none";
	readonly auth: { readonly user: string; readonly password: Secret } | undefined;
	readonly from: MailAddress;
	readonly to: readonly MailAddress[];
}

export interface MailAddress {
	readonly name: string;
	readonly address: string;
}

export interface WebhookChannel extends AnyChannel {
	readonly type: "webhook";
	readonly url: string;
	readonly secret: Secret;
}
