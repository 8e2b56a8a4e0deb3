import type { Account } from "../../../src/core/account.ts";
import type { Anchor } from "../../../src/core/entry.ts";
import { Failure } from "../../../src/core/errors.ts";
import type { Delivery, DeliveryResult } from "../../../src/target/target.ts";
import type { WebhookOptions } from "../../../src/target/webhook/options.ts";
import { makeWebhookTarget } from "../../../src/target/webhook/webhook.ts";

export const never = new AbortController().signal;
export const secret = "a secret of 24 characters or more";

/** Time that passes only where somebody waits. */
export function makeTime() {
	let now = Date.UTC(2026, 0, 1);
	const waits: number[] = [];
	return {
		waits,
		clock: () => now,
		random: () => 0,
		wait: async (ms: number, signal: AbortSignal) => {
			signal.throwIfAborted();
			waits.push(ms);
			now += ms;
		},
	};
}

export function openWebhook(url: string, more: Partial<WebhookOptions> = {}, time = makeTime()) {
	const tls = { ca: undefined, cert: undefined, key: undefined, servername: undefined };
	const options = { name: "hook", url, secret: () => secret, tls, proxy: undefined, batch: 1, concurrency: 4, timeoutMs: 2000, ...more };
	return { target: makeWebhookTarget(options, time), time };
}

export function accountOf(number: number, more: Partial<Account> = {}): Account {
	return { userName: `p${number}@corp.example`, displayName: `Łukasz ${number}`, active: true, ...more };
}

export function delivery(number: number, wanted: Account | undefined = accountOf(number), more: Partial<Delivery> = {}): Delivery {
	const unknown = { remoteId: undefined, applied: undefined, appliedAnchor: undefined, managerId: undefined };
	return { anchor: `a${number}` as Anchor, kind: "create", wanted, ...unknown, key: `key-${number}`, ...more };
}

export function kindsOf(results: readonly DeliveryResult[]): readonly string[] {
	return results.map(({ kind }) => kind);
}

/** What was thrown, to be looked at. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
	try {
		await work;
	} catch (error) {
		if (error instanceof Failure) return error;
		throw error;
	}
	throw new Error("nothing was thrown");
}
