import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { Agent, request } from "undici";
import { Failure } from "../../src/core/errors.ts";
import { eachAtMost } from "../../src/lib/window.ts";
import { makeDeliveries } from "../../src/sync/deliveries.ts";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";
import { scimOptions } from "../support/scim-options.ts";
import { median, table } from "./measure.ts";

/** Accounts created in a second: by us, and by a bare loop that sends the same requests and keeps no books. */
interface Rates {
	readonly ours: number;
	readonly bare: number;
}

const never = new AbortController().signal;

/**
 * A first delivery to a server that does next to nothing, beside a bare loop of the same client that asks and sends the same for each
 * account (by externalId, by userName, then the create), at 1, 8 and 32 in flight.
 */
export async function reportDelivery(accounts: number, rounds: number): Promise<string> {
	const rows: (readonly string[])[] = [];
	for (const inFlight of [1, 8, 32]) {
		const rates: Rates[] = [];
		for (let round = 0; round < rounds; round++) {
			const bare = await beside((url) => measureBare(url, accounts, inFlight));
			rates.push({ bare, ours: await beside((url) => measureOurs(url, accounts, inFlight)) });
		}
		const middle = (of: (rates: Rates) => number) => median(rates.map(of));
		const ratio = middle(({ ours, bare }) => ours / bare);
		rows.push([
			`first delivery, ${inFlight} in flight`,
			...[middle(({ ours }) => ours), middle(({ bare }) => bare)].map((rate) => Math.round(rate).toLocaleString("en")),
			...[ratio.toFixed(2), "≥ 0.7 ×"],
		]);
	}
	return table(["", "accounts/s", "bare loop", "×", "aim"], rows);
}

/** A server that is new: nobody is there yet. */
async function beside<T>(measure: (url: string) => Promise<T>): Promise<T> {
	const child = fork(path.join(import.meta.dirname, "scim-server.ts"), { execArgv: process.execArgv });
	try {
		const [url] = (await once(child, "message")) as [string];
		return await measure(url);
	} finally {
		child.disconnect();
	}
}

async function measureOurs(url: string, accounts: number, inFlight: number): Promise<number> {
	const fake = makeFakeSource();
	for (let who = 1; who <= accounts; who++) put(fake, who);
	const down = makeRemoteDouble({ name: "scim" });
	down.faults.down = new Failure("TARGET_UNREACHABLE", "not yet");
	const harness = openHarness(fake, { targets: () => [down.target] });
	const target = makeScimTarget(scimOptions(url, { concurrency: inFlight, groups: false }), { clock: Date.now, random: Math.random });
	try {
		await harness.sync("full");
		const deliveries = makeDeliveries({
			...{
				session: harness.context.session,
				targets: [{ target, adopt: "never" as const }],
				clock: Date.now,
				random: Math.random,
				waitsMs: 0,
			},
			onNews: () => {},
			onError: () => {},
		});
		const startedAt = performance.now();
		await deliveries.settle(never, () => {});
		const seconds = (performance.now() - startedAt) / 1000;
		if (deliveries.countPending() > 0) throw new Error(`${deliveries.countPending()} of ${accounts} were not delivered`);
		return accounts / seconds;
	} finally {
		await target.close();
		harness.close();
	}
}

function put(fake: ReturnType<typeof makeFakeSource>, who: number): void {
	const cn = `Person Number ${who}`;
	fake.put({
		...{ anchor: fake.anchorOf(who), cn, where: "OU=People,DC=corp,DC=example,DC=test", standing: "enabled" },
		attributes: { cn: [cn], upn: [`p${who}@corp.example.test`], mail: [`p${who}@corp.example.test`] },
	});
}

async function measureBare(url: string, accounts: number, inFlight: number): Promise<number> {
	const dispatcher = new Agent({ connections: inFlight, pipelining: 1 });
	const headers = { authorization: "Bearer scim-token", accept: "application/scim+json", "content-type": "application/scim+json" };
	const ask = async (method: "GET" | "POST", where: string, body?: object): Promise<void> => {
		const options = { method, headers, dispatcher, ...(body !== undefined && { body: JSON.stringify(body) }) };
		const response = await request(`${url}${where}`, options);
		await response.body.json();
	};
	const startedAt = performance.now();
	const numbers = Array.from({ length: accounts }, (_, index) => index + 1);
	await eachAtMost(inFlight, numbers, async (who) => {
		const name = `p${who}@corp.example.test`;
		const externalId = `00000000-0000-4000-8000-${String(who).padStart(12, "0")}`;
		await ask("GET", `/Users?filter=${encodeURIComponent(`externalId eq "${externalId}"`)}`);
		await ask("GET", `/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}`);
		await ask("POST", "/Users", {
			schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
			...{ externalId, userName: name, displayName: `Person Number ${who}`, active: true },
			emails: [{ value: name, type: "work", primary: true }],
		});
	});
	const seconds = (performance.now() - startedAt) / 1000;
	await dispatcher.close();
	return accounts / seconds;
}
