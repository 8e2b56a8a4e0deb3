import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness, testMapping } from "../support/harness.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";

/** What was sent and never settled may have arrived, and the directory changes its mind before it is sent again. */

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
let server: ScimDouble;
let fake: FakeSource;
let harness: Harness;
/** What is said after the work is done: that the target is out of reach, or that nobody knows. */
let isLosing: "throw" | "later" | "refuse" | undefined;

beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => {
	server.reset();
	isLosing = undefined;
	fake = makeFakeSource();
	const scim = makeScimTarget(scimOptions(server.url, { name: "remote" }), makeTime());
	const target: Target = {
		...scim,
		apply: async (deliveries, signal) => {
			if (isLosing === "refuse") return deliveries.map(() => ({ kind: "refused", error: "400 not this one" }));
			const results = await scim.apply(deliveries, signal);
			if (isLosing === "later") return results.map(() => ({ kind: "later", error: "500 after doing the work" }));
			if (isLosing === "throw") throw new Failure("TARGET_UNREACHABLE", "died after doing the work");
			return results;
		},
	};
	harness = openHarness(fake, {
		targets: (local) => [local, target],
		mapping: { ...testMapping, title: "{title}" },
		lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "delete", deleteAfterMs: undefined },
	});
});
afterEach(() => harness.close());

function put(who: number, standing: "enabled" | "disabled", title = "one"): void {
	const cn = `P${who}`;
	fake.put({ anchor: fake.anchorOf(who), cn, where: PEOPLE, standing, attributes: { cn: [cn], upn: [`p${who}@corp`], title: [title] } });
}
const at = (who: number) => [...server.users.values()].find((user) => user["externalId"] === fake.anchorOf(who));
const later = async (): Promise<void> => {
	for (let round = 0; round < 3; round++) {
		harness.time.now += 24 * 3_600_000;
		await harness.sync("full");
	}
};
const pending = () => harness.views((views) => views.targets().find(({ target }) => target === "remote"));

describe("an answer that was lost before the directory changed its mind", () => {
	it("an enable: the leaver is disabled in the end", async () => {
		put(1, "disabled");
		put(2, "enabled");
		await harness.sync("full");
		expect(at(1)?.["active"]).toBe(false);
		put(1, "enabled");
		isLosing = "throw";
		await harness.sync("full");
		expect(at(1)?.["active"]).toBe(true);
		put(1, "disabled");
		isLosing = undefined;
		await later();
		expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
		expect(at(1)?.["active"]).toBe(false);
	});

	it("an enable, known to be lost (later): the leaver is disabled in the end", async () => {
		put(1, "disabled");
		put(2, "enabled");
		await harness.sync("full");
		put(1, "enabled");
		isLosing = "later";
		await harness.sync("full");
		isLosing = undefined;
		expect(at(1)?.["active"]).toBe(true);
		put(1, "disabled");
		await later();
		expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
		expect(at(1)?.["active"]).toBe(false);
	});

	it("an enable, then a leaver with a new title: the leaver is disabled in the end", async () => {
		put(1, "disabled");
		put(2, "enabled");
		await harness.sync("full");
		put(1, "enabled");
		isLosing = "throw";
		await harness.sync("full");
		put(1, "disabled", "two");
		isLosing = undefined;
		await later();
		expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
		expect(at(1)).toMatchObject({ active: false, title: "two" });
	});

	it("a title, then another one that is refused, then the first again: the first is there in the end", async () => {
		put(1, "enabled");
		await harness.sync("full");
		isLosing = "throw";
		put(1, "enabled", "two");
		await harness.sync("full");
		expect(at(1)?.["title"]).toBe("two");
		isLosing = "refuse";
		put(1, "enabled", "three");
		await later();
		isLosing = undefined;
		put(1, "enabled", "one");
		await later();
		expect(pending()).toMatchObject({ pending: 0 });
		expect(at(1)?.["title"]).toBe("one");
	});

	it("a delete: who is back has an account", async () => {
		put(1, "enabled");
		put(2, "enabled");
		await harness.sync("full");
		fake.remove(fake.anchorOf(1), true);
		isLosing = "throw";
		await harness.sync("full");
		expect(at(1)).toBeUndefined();
		put(1, "enabled");
		isLosing = undefined;
		await later();
		expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
		expect(at(1)).toMatchObject({ active: true });
	});

	it("a create: who is deleted before it is tried again has no account", async () => {
		put(2, "enabled");
		await harness.sync("full");
		put(1, "enabled");
		isLosing = "throw";
		await harness.sync("full");
		expect(at(1)).toMatchObject({ active: true });
		fake.remove(fake.anchorOf(1), true);
		isLosing = undefined;
		await later();
		expect(pending()).toMatchObject({ pending: 0, trouble: undefined });
		expect(at(1)).toBeUndefined();
	});
});
