import type { ChannelConfig } from "../config/notify-config.ts";
import type { Channel } from "./channel.ts";
import { makeSmtpChannel } from "./smtp/smtp.ts";
import { makeWebhookChannel } from "./webhook/webhook.ts";

/** The channel that a configuration describes, by its type. Nothing is opened before something is sent. */
export function makeChannel(config: ChannelConfig, clock: () => number): Channel {
	if (config.type === "webhook") return makeWebhookChannel({ url: config.url, ca: config.ca, secret: () => config.secret.reveal(), clock });
	const { auth } = config;
	return makeSmtpChannel({ ...config, auth: auth && { user: auth.user, password: () => auth.password.reveal() } });
}
