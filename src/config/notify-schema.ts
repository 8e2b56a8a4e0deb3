import { z } from "zod";
import { matterKinds } from "../core/matter.ts";
import * as formats from "./formats.ts";
import { checkMailAddress, checkMailHost } from "./mail-formats.ts";
import { secret, text } from "./schema-parts.ts";
import { checkHttpUrl } from "./target-formats.ts";

export const channelTypes = ["smtp", "webhook"] as const;
export type ChannelType = (typeof channelTypes)[number];

/** All keys of both types: which of them belong to which, and which are required, says notify.ts in words of its own. */
export function channel() {
	return z.strictObject({
		name: text(formats.checkName).describe("What this channel is called in commands and logs."),
		type: z.enum(channelTypes).describe("smtp: mails; webhook: signed POSTs of JSON."),
		on: z
			.array(z.enum([...matterKinds, "recovered"]))
			.min(1)
			.optional()
			.describe("What is told. By default everything: held, failed, unsealed, target, quarantine, certificate, database, recovered."),
		report: z.enum(["none", "daily", "weekly"]).default("none").describe("A report of joiners, movers and leavers."),
		at: text(formats.checkCron)
			.optional()
			.describe('When the report is sent, a cron expression. By default "0 7 * * *", of a weekly one "0 7 * * 1".'),
		timezone: text(formats.checkTimeZone)
			.optional()
			.describe("The IANA time zone of at, and of the times in what is sent. By default UTC."),
		page: text(checkHttpUrl).optional().describe("The page's URL as the readers reach it. By default where http.listen is."),
		insecure: z.boolean().optional().describe("Allows tls: none, or http://, to another machine. By default false."),
		ca: text(formats.checkText).optional().describe("A PEM file with the private CA's certificate; without it, the public CAs."),
		...smtp(),
		...webhook(),
	});
}

function smtp() {
	return {
		host: text(checkMailHost).optional().describe("Type smtp, required: the mail server."),
		port: z.int().min(1).max(65_535).optional().describe("By default 587; with tls: tls 465, with tls: none 25."),
		tls: z.enum(["starttls", "tls", "none"]).optional().describe("Type smtp: by default starttls, without which nothing is sent."),
		auth: z
			.strictObject({ user: text(formats.checkText), password: secret() })
			.optional()
			.describe("Type smtp: how we sign in at the mail server. Without this: not at all."),
		from: text(checkMailAddress).optional().describe('Type smtp, required: the sender, as in "dirsyncd <dirsyncd@example.com>".'),
		to: z.array(text(checkMailAddress)).min(1).optional().describe("Type smtp, required: who gets the mails."),
	};
}

function webhook() {
	return {
		url: text(checkHttpUrl).optional().describe("Type webhook, required: where it is, as in https://…"),
		secret: secret().optional().describe("Type webhook, required: signs what is sent (Standard Webhooks)."),
	};
}
