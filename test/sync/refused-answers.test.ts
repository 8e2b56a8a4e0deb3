import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import type { Delivery, DeliveryResult, Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness, testMapping } from "../support/harness.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
let server: ScimDouble;
let fake: FakeSource;
let harness: Harness;
let around: (delivery: Delivery, work: () => Promise<DeliveryResult>) => Promise<DeliveryResult>;

beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
function makeTarget(concurrency: number): Target {
	const scim = makeScimTarget(scimOptions(server.url, { name: "remote", concurrency }), makeTime());
	return {
		...scim,
		apply: async (deliveries, signal) => {
			const results: DeliveryResult[] = [];
			for (const delivery of deliveries)
				results.push(await around(delivery, async () => (await scim.apply([delivery], signal))[0] as DeliveryResult));
			return results;
		},
	};
}
function open(concurrency = 4): void {
	harness?.close();
	const target = makeTarget(concurrency);
	harness = openHarness(fake, { targets: (local) => [local, target], mapping: { ...testMapping, title: "{title}" } });
}
beforeEach(() => {
	server.reset();
	around = (_, work) => work();
	fake = makeFakeSource();
	open();
});
afterEach(() => harness.close());

function put(who: number, standing: "enabled" | "disabled", title = "one", upn = `p${who}@corp`): void {
	const cn = `P${who}`;
	fake.put({ anchor: fake.anchorOf(who), cn, where: PEOPLE, standing, attributes: { cn: [cn], upn: [upn], title: [title] } });
}
const at = (who: number) => [...server.users.values()].find((user) => user["externalId"] === fake.anchorOf(who));
const later = async (rounds = 3): Promise<void> => {
	for (let round = 0; round < rounds; round++) {
		harness.time.now += 24 * 3_600_000;
		await harness.sync("full");
	}
};
const pending = () => harness.views((views) => views.targets().find(({ target }) => target === "remote"));
const lose = async (_: Delivery, work: () => Promise<DeliveryResult>): Promise<DeliveryResult> => {
	await work();
	throw new Failure("TARGET_UNREACHABLE", "died after doing the work");
};
/** The server refuses a title, not the rest. */
const refuseTitle = async (delivery: Delivery, work: () => Promise<DeliveryResult>): Promise<DeliveryResult> =>
	delivery.wanted?.title === "bad" && delivery.applied?.title !== "bad" ? { kind: "refused", error: "400 title" } : work();

it("an enable that was lost, then a leaver with a title that is refused: is disabled in the end", async () => {
	put(1, "disabled");
	put(2, "enabled");
	await harness.sync("full");
	around = lose;
	put(1, "enabled");
	await harness.sync("full");
	expect(at(1)?.["active"]).toBe(true);
	around = refuseTitle;
	put(1, "disabled", "bad");
	await later(8);
	expect(at(1)?.["active"]).toBe(false);
});

it("the same, and the title is mended: is disabled in the end", async () => {
	put(1, "disabled");
	put(2, "enabled");
	await harness.sync("full");
	around = lose;
	put(1, "enabled");
	await harness.sync("full");
	around = refuseTitle;
	put(1, "disabled", "bad");
	await later();
	put(1, "disabled", "one");
	around = (_, work) => work();
	await later();
	expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
	expect(at(1)?.["active"]).toBe(false);
});

it("the end alone was lost after it was done, and the person is back: is enabled in the end", async () => {
	put(1, "enabled");
	put(2, "enabled");
	await harness.sync("full");
	around = async (delivery, work) =>
		delivery.wanted?.title === "bad" ? refuseTitle(delivery, work) : delivery.wanted?.active === false ? lose(delivery, work) : work();
	put(1, "disabled", "bad");
	await harness.sync("full");
	expect(at(1)?.["active"]).toBe(false);
	around = (_, work) => work();
	put(1, "enabled", "one");
	await later();
	expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
	expect(at(1)?.["active"]).toBe(true);
});

it("the same with `later`", async () => {
	put(1, "enabled");
	put(2, "enabled");
	await harness.sync("full");
	around = async (delivery, work) => {
		if (delivery.wanted?.title === "bad") return refuseTitle(delivery, work);
		const result = await work();
		return delivery.wanted?.active === false ? { kind: "later", error: "500 after doing the work" } : result;
	};
	put(1, "disabled", "bad");
	await harness.sync("full");
	expect(at(1)?.["active"]).toBe(false);
	around = (_, work) => work();
	put(1, "enabled", "one");
	await later();
	expect(at(1)?.["active"]).toBe(true);
});

it("control: with four lanes", async () => {
	open(4);
	put(1, "disabled");
	put(2, "enabled");
	await harness.sync("full");
	around = async (delivery, work) => {
		const isOwn = delivery.anchor === fake.anchorOf(1) && delivery.wanted?.userName === "p2@corp";
		return isOwn ? lose(delivery, work) : work();
	};
	put(1, "enabled", "one", "p2@corp");
	put(2, "enabled", "one", "p1@corp");
	await harness.sync("full");
	around = (_, work) => work();
	put(1, "disabled", "one", "p2@corp");
	await later();
	expect(at(1)).toMatchObject({ active: false });
});

it("with a single lane: what was sent after parking and lost is not forgotten when the parking is written down", async () => {
	open(1);
	put(1, "disabled");
	put(2, "enabled");
	await harness.sync("full");
	around = async (delivery, work) => {
		const isOwn = delivery.anchor === fake.anchorOf(1) && delivery.wanted?.userName === "p2@corp";
		return isOwn ? lose(delivery, work) : work();
	};
	put(1, "enabled", "one", "p2@corp");
	put(2, "enabled", "one", "p1@corp");
	await harness.sync("full");
	expect(at(1)).toMatchObject({ active: true, userName: "p2@corp" });
	around = (_, work) => work();
	put(1, "disabled", "one", "p2@corp");
	await later();
	expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
	expect(at(1)).toMatchObject({ active: false });
});
