import { afterAll, beforeAll, expect, it } from "vitest";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type HarnessOptions, openHarness } from "../support/harness.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());

function put(fake: FakeSource, number: number, name: string, employee: string, standing: "enabled" | "disabled" = "enabled"): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: name,
		where: PEOPLE,
		standing,
		attributes: { cn: [name], upn: [`${name}@corp`], number: [employee] },
	});
}

it("who is taken over by another source while their disable waits in the page is enabled in the end", async () => {
	const old = makeFakeSource(PEOPLE, "old-forest");
	const now = makeFakeSource(PEOPLE, "new-forest");
	const scim = makeScimTarget(scimOptions(server.url, { name: "remote", concurrency: 2 }), makeTime());
	let gate: Promise<void> | undefined;
	let onSend = (): void => {};
	const target: Target = {
		...scim,
		apply: async (deliveries, signal) => {
			onSend();
			await gate;
			return scim.apply(deliveries, signal);
		},
	};
	const options: HarnessOptions = {
		mapping: { userName: "{upn}", displayName: "{cn}", employeeNumber: "{number}" },
		match: "employeeNumber",
		adopt: "report",
		targets: (local) => [local, target],
	};
	const oldSide = openHarness(old, options);
	const newSide = openHarness(now, { ...options, beside: oldSide });
	// One loop a target, as in the daemon.
	Object.assign(newSide.context, { deliveries: oldSide.context.deliveries });
	for (let who = 1; who <= 20; who++) put(old, who, `p${who}`, `E${who}`);
	await oldSide.sync("full");
	const opened = Promise.withResolvers<void>();
	const sending = Promise.withResolvers<void>();
	gate = opened.promise;
	onSend = sending.resolve;
	// All of them leave the old forest; the last one is in the new one already.
	for (let who = 1; who <= 20; who++) put(old, who, `p${who}`, `E${who}`, "disabled");
	const first = oldSide.sync("full");
	await sending.promise;
	put(now, 120, "p20.new", "E20");
	const second = newSide.sync("full");
	await new Promise((resolve) => setTimeout(resolve, 500));
	opened.resolve();
	gate = undefined;
	await Promise.all([first, second]);
	for (let round = 0; round < 2; round++)
		for (const side of [oldSide, newSide]) {
			side.time.now += 24 * 3_600_000;
			await side.sync("full");
		}
	const found = [...server.users.values()].filter((user) => String(user["userName"]).startsWith("p20"));
	const view = oldSide.views((views) => views.targets().find(({ target }) => target === "remote"));
	newSide.close();
	oldSide.close();
	expect(view).toMatchObject({ pending: 0 });
	expect(found).toMatchObject([{ userName: "p20.new@corp", active: true }]);
});

it("who is taken over by another source while their create waits in the page has one account, and it is theirs", async () => {
	server.reset();
	const old = makeFakeSource(PEOPLE, "old-forest");
	const now = makeFakeSource(PEOPLE, "new-forest");
	const scim = makeScimTarget(scimOptions(server.url, { name: "remote", concurrency: 2 }), makeTime());
	let gate: Promise<void> | undefined;
	let onSend = (): void => {};
	const target: Target = {
		...scim,
		apply: async (deliveries, signal) => {
			onSend();
			await gate;
			return scim.apply(deliveries, signal);
		},
	};
	const options: HarnessOptions = {
		mapping: { userName: "{upn}", displayName: "{cn}", employeeNumber: "{number}" },
		match: "employeeNumber",
		adopt: "report",
		targets: (local) => [local, target],
	};
	const oldSide = openHarness(old, options);
	const newSide = openHarness(now, { ...options, beside: oldSide });
	Object.assign(newSide.context, { deliveries: oldSide.context.deliveries });
	for (let who = 1; who <= 20; who++) put(old, who, `p${who}`, `E${who}`);
	const opened = Promise.withResolvers<void>();
	const sending = Promise.withResolvers<void>();
	gate = opened.promise;
	onSend = sending.resolve;
	const first = oldSide.sync("full");
	await sending.promise;
	const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 400));
	put(old, 20, "p20", "E20", "disabled");
	// The first is still waiting for its deliveries: beside it, as a scheduled run.
	const second = oldSide.sync("full");
	await pause();
	put(now, 120, "p20.new", "E20");
	const third = newSide.sync("full");
	await pause();
	opened.resolve();
	gate = undefined;
	await Promise.all([first, second, third]);
	for (let round = 0; round < 2; round++)
		for (const side of [oldSide, newSide]) {
			side.time.now += 24 * 3_600_000;
			await side.sync("full");
		}
	const found = [...server.users.values()].filter((user) => String(user["userName"]).startsWith("p20"));
	const view = oldSide.views((views) => views.targets().find(({ target }) => target === "remote"));
	newSide.close();
	oldSide.close();
	expect(view).toMatchObject({ pending: 0 });
	expect(found).toMatchObject([{ userName: "p20.new@corp", active: true }]);
});
