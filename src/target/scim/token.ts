import { Failure } from "../../core/errors.ts";
import { retryAfter } from "../../lib/retry-after.ts";
import type { Answer, Wire } from "../http/wire.ts";
import { isObject, parseObject } from "./json.ts";
import type { ClientCredentials } from "./options.ts";
import { wordsOf } from "./words.ts";

export interface Token {
	readonly text: string;
	/** Unix milliseconds from when on another one is fetched; undefined: it lasts until it is refused. */
	readonly renewAt: number | undefined;
}

/** Renewed so long before it ends, or a tenth of its life if that is less, so that no request arrives with one that has just ended. */
const RENEW_BEFORE_MS = 60_000;

/** Asks for an access token (RFC 6749 §4.4.2). Throws TARGET_REFUSED or TARGET_UNREACHABLE. */
export async function fetchToken(
	credentials: ClientCredentials,
	wire: Pick<Wire, "exchange">,
	clock: () => number,
	signal: AbortSignal,
): Promise<Token> {
	const { tokenUrl } = credentials;
	const { headers, body } = tokenRequest(credentials);
	const { origin, pathname, search } = new URL(tokenUrl);
	const sentAt = clock();
	const reply = await wire.exchange({ method: "POST", origin, path: `${pathname}${search}`, headers, body }, signal);
	if (reply.kind === "lost")
		throw new Failure("TARGET_UNREACHABLE", `the token could not be fetched from ${shown(tokenUrl)}: ${reply.why}`);
	if (reply.status !== 200) throw refusal(credentials, reply, clock());
	const granted = parseObject(reply.text) ?? {};
	const text = granted["access_token"];
	if (typeof text !== "string" || text === "") {
		throw new Failure("TARGET_REFUSED", `${shown(tokenUrl)} gave no access token`, {
			hint: "Check that auth.tokenUrl is the token endpoint.",
		});
	}
	const lifetimeMs = Number(granted["expires_in"]) * 1000;
	const renewAt = lifetimeMs > 0 ? sentAt + lifetimeMs - Math.min(RENEW_BEFORE_MS, lifetimeMs / 10) : undefined;
	return { text, renewAt };
}

function tokenRequest({ clientId, clientSecret, clientAuth, scope }: ClientCredentials) {
	const form = new URLSearchParams({ grant_type: "client_credentials" });
	if (scope !== undefined) form.set("scope", scope);
	const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
	if (clientAuth === "basic") {
		// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
		const encode = (text: string): string => new URLSearchParams({ a: text }).toString().slice(2);
		headers["authorization"] = `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret())}`).toString("base64")}`;
	} else {
		form.set("client_id", clientId);
		form.set("client_secret", clientSecret());
	}
	return { headers, body: form.toString() };
}

function refusal({ tokenUrl, clientSecret }: ClientCredentials, answer: Answer, now: number): Failure {
	const hide = (text: string): string => text.replaceAll(clientSecret(), "[secret]");
	const body = parseObject(answer.text);
	// The code, such as invalid_client (RFC 6749 §5.2), beside whatever words there are.
	const code = isObject(body) && typeof body["error"] === "string" ? `${body["error"].slice(0, 100)} ` : "";
	const message = `no token from ${shown(tokenUrl)}: ${hide(code)}${wordsOf(answer, hide)}`;
	if (answer.status === 429 || answer.status >= 500) {
		const retryAfterMs = retryAfter(answer.header("retry-after"), now);
		return new Failure("TARGET_UNREACHABLE", message, retryAfterMs === undefined ? {} : { retryAfterMs });
	}
	return new Failure("TARGET_REFUSED", message, { hint: "Check auth.clientId, auth.clientSecret, auth.scope and auth.tokenUrl." });
}

/** Without a query, in which somebody may have put a secret. */
function shown(url: string): string {
	const { origin, pathname } = new URL(url);
	return `${origin}${pathname}`;
}
