import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../core/errors.ts";
import { parseAddress } from "./address.ts";
import { type DialOptions, dial } from "./dial.ts";
import { openSession, type Session } from "./wire/session.ts";

export interface ConnectionOptions extends DialOptions {
	/** In order of preference. */
	readonly urls: readonly string[];
	/** 0 to below 1, for the jitter of the back-off. */
	readonly random: () => number;
	/** Pauses between rounds over all urls, in milliseconds; as many rounds more as there are pauses. */
	readonly pausesMs: readonly number[];
}

export interface Connection {
	/** For a person: "ldaps://dc1.corp.example.com". */
	readonly server: string;
	/** When the server's certificate expires, Unix milliseconds; undefined on a plain connection. */
	readonly certificateExpiresAt: number | undefined;
	/** What failed before a server answered. */
	readonly warnings: readonly string[];
	readonly session: Session;
}

/**
 * Connects to the first server that answers, and goes round again after a pause when none does. A refused account ends it at
 * once: the next server would refuse it too, and each try counts towards its lockout.
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
	const addresses = options.urls.map(parseAddress);
	let failures: Failure[] = [];
	for (let round = 0; round <= options.pausesMs.length; round++) {
		if (round > 0) await pause(options, round - 1, signal);
		failures = [];
		for (const address of addresses) {
			try {
				const { socket, certificateExpiresAt } = await dial(address, options, signal);
				const session = openSession({
					socket,
					server: address.url,
					requestMs: options.timeouts.requestMs,
					onRequest: options.onRequest,
					signal,
				});
				return { server: address.url, certificateExpiresAt, warnings: failures.map(({ message }) => message), session };
			} catch (cause) {
				if (!(cause instanceof Failure) || isFinal(cause)) throw cause;
				failures.push(cause);
			}
		}
		if (!failures.some(isPassing)) break;
	}
	throw together(failures);
}

/** No other server and no other time will make it better. */
function isFinal({ code }: Failure): boolean {
	return code === "SOURCE_REFUSED" || code === "CANCELLED" || code === "CONFIG_INVALID";
}

/** Worth another try in a moment: not a certificate. */
function isPassing({ code }: Failure): boolean {
	return code === "SOURCE_UNREACHABLE" || code === "SOURCE_BROKE";
}

function together(failures: readonly Failure[]): Failure {
	const [first] = failures;
	if (first === undefined) return new Failure("CONFIG_INVALID", "urls names no server");
	if (failures.length === 1) return first;
	// A certificate that is refused says more than a server that is down.
	const worst = failures.find(({ code }) => code === "SOURCE_UNTRUSTED") ?? first;
	return new Failure(worst.code, `no server can be used: ${failures.map(({ message }) => message).join("; ")}`, {
		cause: worst,
		...(worst.hint === undefined ? {} : { hint: worst.hint }),
	});
}

async function pause({ pausesMs, random }: ConnectionOptions, round: number, signal: AbortSignal): Promise<void> {
	const full = pausesMs[round] as number;
	try {
		// Half to all of it: many daemons that lost the same server do not come back in step.
		await sleep(full * (0.5 + random() / 2), undefined, { signal });
	} catch (cause) {
		throw new Failure("CANCELLED", "connecting was stopped", { cause });
	}
}
