import http from "node:http";
import https from "node:https";
import { Failure } from "../core/errors.ts";
import type { DaemonAnswer } from "./context.ts";

/** The daemon promises an answer within 50 ms; the rest is for a machine without breath. */
const ANSWER_MS = 3000;

/**
 * Asks a daemon on this machine how it is. No certificate is looked at: nothing secret is sent, and one that was renewed but not taken
 * up yet must not make a daemon that lives look dead. Throws DAEMON_UNREACHABLE when there is no answer within 3 s.
 */
export async function askHealth(url: string, signal: AbortSignal): Promise<DaemonAnswer> {
	const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
	try {
		return await get(url, limit);
	} catch (cause) {
		const because = limit.aborted ? "did not answer in time" : `does not answer: ${cause instanceof Error ? cause.message : String(cause)}`;
		throw new Failure("DAEMON_UNREACHABLE", `the daemon at ${new URL(url).origin} ${because}`, { cause });
	}
}

/** By Node's own client: for one question undici takes longer to load than the answer takes. */
function get(url: string, signal: AbortSignal): Promise<DaemonAnswer> {
	return new Promise((resolve, reject) => {
		const client = url.startsWith("https:") ? https : http;
		const request = client.get(url, { signal, agent: false, rejectUnauthorized: false }, (response) => {
			let text = "";
			response.setEncoding("utf8");
			response.on("data", (chunk: string) => {
				text += chunk;
			});
			response.on("error", reject);
			response.on("end", () => resolve({ status: response.statusCode ?? 0, body: parse(text) }));
		});
		request.on("error", reject);
	});
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined; // Not the daemon's answer, whoever gave it.
	}
}
