import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import type { ScimOptions } from "../../src/target/scim/options.ts";
import { makeScimTarget, type ScimSurroundings } from "../../src/target/scim/scim.ts";
import type { Delivery, DeliveryResult } from "../../src/target/target.ts";

/** A target's options with nothing special; a test says what it is about. */
export function scimOptions(url: string, more: Partial<ScimOptions> = {}): ScimOptions {
	return {
		name: "scim",
		url,
		auth: { kind: "bearer", token: () => "scim-token" },
		tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined },
		proxy: undefined,
		match: "userName",
		dialect: "path",
		concurrency: 4,
		ratePerSecond: undefined,
		timeoutMs: 10_000,
		memberBatch: 100,
		features: "entitlements",
		policies: "roles",
		groups: true,
		...more,
	};
}

/** A clock that moves only when somebody waits, and who waited how long. */
export function makeTime(startMs = Date.UTC(2026, 0, 1)) {
	let now = startMs;
	const waits: number[] = [];
	const surroundings: Required<ScimSurroundings> = {
		clock: () => now,
		random: () => 0,
		wait: async (ms, signal) => {
			signal.throwIfAborted();
			waits.push(ms);
			now += ms;
		},
	};
	return {
		...surroundings,
		waits,
		pass: (ms: number): void => {
			now += ms;
		},
	};
}

export const never = new AbortController().signal;

export function anchorOf(number: number): Anchor {
	return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}` as Anchor;
}

export function accountOf(number: number, more: Partial<Account> = {}): Account {
	const userName = `p${number}@corp.example.test`;
	return { userName, displayName: `Person ${number}`, emails: [{ value: userName, type: "work", primary: true }], active: true, ...more };
}

/** A delivery of an account; without a remote id it is a create. */
export function deliveryOf(number: number, more: Partial<Delivery> = {}): Delivery {
	return {
		anchor: anchorOf(number),
		kind: more.remoteId === undefined ? "create" : "update",
		remoteId: undefined,
		wanted: accountOf(number),
		applied: undefined,
		appliedAnchor: undefined,
		managerId: undefined,
		key: String(number),
		...more,
	};
}

/** A target over the double, and a way to apply one delivery after the other. */
export function openTarget(url: string, more: Partial<ScimOptions> = {}, time = makeTime()) {
	const target = makeScimTarget(scimOptions(url, more), time);
	const apply = async (delivery: Delivery, signal = never): Promise<DeliveryResult> => {
		const [result] = await target.apply([delivery], signal);
		if (result === undefined) throw new Error("no result");
		return result;
	};
	/** Creates an account and returns its remote id. */
	const create = async (number: number, account = accountOf(number)): Promise<string> => {
		const result = await apply(deliveryOf(number, { wanted: account }));
		if (result.kind !== "applied") throw new Error(`${result.kind}: ${result.error}`);
		return result.remoteId;
	};
	return { target, apply, create, time };
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
