import { createHmac } from "node:crypto";

/**
 * Headers by which the receiver knows who sent a body, when, and whether it came before: Standard Webhooks 1.0
 * (standardwebhooks.com). HMAC-SHA256 over `id.timestamp.body`; the timestamp is in Unix seconds, `at` in milliseconds.
 */
export function signed(secret: string, id: string, at: number, body: string): Readonly<Record<string, string>> {
	const timestamp = String(Math.floor(at / 1000));
	const signature = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
	return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

/** The standard's own secrets are base64 behind a prefix; all others are taken as they are. */
function keyOf(secret: string): Buffer {
	return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret, "utf8");
}
