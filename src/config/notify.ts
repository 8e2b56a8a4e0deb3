import { readAuthority } from "./certificates.ts";
import { checkSecret } from "./credentials.ts";
import { checkUrl, isLoopback } from "./endpoints.ts";
import { type Gathering, isOn, isThere, listAt, sayMissing, textAt } from "./gathering.ts";
import { type ChannelType, channelTypes } from "./notify-schema.ts";
import type { Path } from "./problem.ts";
import { shortSecretFlaw } from "./targets.ts";

/** What the channels have to be, each by itself. */
export function checkChannels(gathering: Gathering): void {
	for (const index of listAt(gathering, ["notify"]).keys()) {
		const channel = ["notify", index];
		readAuthority(gathering, [...channel, "ca"]);
		checkSecret(gathering, [...channel, "auth", "password"]);
		const secret = [...channel, "secret"];
		const flaw = shortSecretFlaw(checkSecret(gathering, secret));
		if (flaw !== undefined) gathering.warn(secret, flaw);
		checkUrl(gathering, channel, [...channel, "url"]);
		checkReport(gathering, channel);
		// What is missing in a type that nobody knows cannot be said, and what is wrong in it neither.
		const type = channelTypes.find((known) => known === textAt(gathering, [...channel, "type"]));
		if (type === undefined) continue;
		checkBelonging(gathering, channel, type);
		if (type === "smtp") checkTls(gathering, channel);
	}
}

const keys: readonly { readonly name: string; readonly type: ChannelType; readonly isRequired: boolean }[] = [
	{ name: "host", type: "smtp", isRequired: true },
	{ name: "from", type: "smtp", isRequired: true },
	{ name: "to", type: "smtp", isRequired: true },
	{ name: "port", type: "smtp", isRequired: false },
	{ name: "tls", type: "smtp", isRequired: false },
	{ name: "auth", type: "smtp", isRequired: false },
	{ name: "url", type: "webhook", isRequired: true },
	{ name: "secret", type: "webhook", isRequired: true },
];

function checkBelonging(gathering: Gathering, channel: Path, type: ChannelType): void {
	for (const { name, type: owner, isRequired } of keys) {
		const at = [...channel, name];
		if (owner === type) {
			if (isRequired) sayMissing(gathering, at);
		} else if (isThere(gathering, at)) {
			gathering.keyProblem(at, { message: `${name} is for channels of type ${owner}`, remedy: "remove it" });
		}
	}
}

/** Names of people, and a password if there is one, should not cross a network in clear. */
function checkTls(gathering: Gathering, channel: Path): void {
	const tls = [...channel, "tls"];
	if (textAt(gathering, tls) !== "none") return;
	if (isThere(gathering, [...channel, "ca"]))
		gathering.keyProblem([...channel, "ca"], { message: "ca beside tls: none, which does not use it", remedy: "remove one of the two" });
	if (isLoopback(textAt(gathering, [...channel, "host"]) ?? "")) return;
	const what = isThere(gathering, [...channel, "auth"]) ? "the mails, and what we sign in with," : "the mails";
	const message = `tls: none: ${what} cross the network in clear`;
	if (isOn(gathering, [...channel, "insecure"])) gathering.warn(tls, { message, remedy: "use starttls or tls" });
	else gathering.problem(tls, { message, remedy: "write starttls or tls (or set insecure: true where nobody else is on the line)" });
}

function checkReport(gathering: Gathering, channel: Path): void {
	const at = [...channel, "at"];
	const report = textAt(gathering, [...channel, "report"]);
	if (!isThere(gathering, at) || report === "daily" || report === "weekly") return;
	gathering.keyProblem(at, {
		message: "at is when the report is sent, and there is none",
		remedy: "add report: daily (or weekly), or remove it",
	});
}
