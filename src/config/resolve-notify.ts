import { matterKinds } from "../core/matter.ts";
import { parseMailAddress } from "./mail-formats.ts";
import type { ChannelConfig, MailAddress } from "./notify-config.ts";
import type { ValidConfig } from "./schema.ts";
import { makeSecret } from "./secret.ts";
import type { Semantics } from "./semantics.ts";

type ValidChannel = ValidConfig["notify"][number];

const USUAL_AT = { daily: "0 7 * * *", weekly: "0 7 * * 1" } as const;
/** Submission (RFC 6409), submission over TLS (RFC 8314 §3.3), and mail as servers hand it on. */
const USUAL_PORT = { starttls: 587, tls: 465, none: 25 } as const;

/** Makes a channel without problems complete. `at` is where it stands: the keys of its secrets begin with it. */
export function resolveChannel(channel: ValidChannel, at: string, { secrets, certificates }: Semantics): ChannelConfig {
	const { report, type } = channel;
	const secretAt = (place: string) => secrets.get(`${at}.${place}`) ?? makeSecret("");
	const any = {
		name: channel.name,
		on: channel.on ?? [...matterKinds, "recovered" as const],
		report: report === "none" ? undefined : { every: report, at: channel.at ?? USUAL_AT[report] },
		timezone: channel.timezone ?? "UTC",
		page: channel.page,
		ca: certificates.get(`${at}.ca`),
	};
	if (type === "webhook") return { ...any, type, url: channel.url ?? "", secret: secretAt("secret") };
	const tls = channel.tls ?? "starttls";
	return {
		...any,
		type,
		host: channel.host ?? "",
		port: channel.port ?? USUAL_PORT[tls],
		tls,
		auth: channel.auth === undefined ? undefined : { user: channel.auth.user, password: secretAt("auth.password") },
		from: addressOf(channel.from ?? ""),
		to: (channel.to ?? []).map(addressOf),
	};
}

function addressOf(text: string): MailAddress {
	const parsed = parseMailAddress(text);
	if (parsed === undefined) throw new Error(`not a mail address: ${text}`);
	return parsed;
}
