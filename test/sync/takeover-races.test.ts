import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness } from "../support/harness.ts";
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

/** Whom two lanes come to only after what they announce first. */
const LAST = 100;

let old: FakeSource;
let now: FakeSource;
let oldSide: Harness;
let newSide: Harness;
let gate: Promise<void> | undefined;
let onSend = (): void => {};

beforeEach(() => {
	server.reset();
	old = makeFakeSource(PEOPLE, "old-forest");
	now = makeFakeSource(PEOPLE, "new-forest");
	gate = undefined;
	onSend = () => {};
	const scim = makeScimTarget(scimOptions(server.url, { name: "remote", concurrency: 2 }), makeTime());
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
	oldSide = openHarness(old, options);
	newSide = openHarness(now, { ...options, beside: oldSide });
	// One loop a target, as in the daemon.
	Object.assign(newSide.context, { deliveries: oldSide.context.deliveries });
	for (let who = 1; who <= LAST; who++) put(old, who, `p${who}`, `E${who}`);
});
afterEach(() => {
	newSide.close();
	oldSide.close();
});

/** Nothing is sent from now on until it is opened. */
function shut(): { readonly sending: Promise<void>; readonly open: () => void } {
	const opened = Promise.withResolvers<void>();
	const sending = Promise.withResolvers<void>();
	gate = opened.promise;
	onSend = sending.resolve;
	return {
		sending: sending.promise,
		open: () => {
			gate = undefined;
			opened.resolve();
		},
	};
}

/** Waits until a run has committed what it says of somebody; its deliveries go on. */
const committed = (anchor: string, active: boolean): Promise<void> =>
	vi.waitFor(() => expect(oldSide.views((views) => [...views.accounts(anchor)])).toMatchObject([{ account: { active } }]), 5000);

async function settle(): Promise<void> {
	for (let round = 0; round < 2; round++)
		for (const side of [oldSide, newSide]) {
			side.time.now += 24 * 3_600_000;
			await side.sync("full");
		}
	expect(oldSide.views((views) => views.targets().find(({ target }) => target === "remote"))).toMatchObject({ pending: 0 });
	const found = [...server.users.values()].filter((user) => String(user["userName"]).startsWith(`p${LAST}`));
	expect(found).toMatchObject([{ userName: `p${LAST}.new@corp`, active: true }]);
}

it("who is taken over by another source while their disable waits in the page is enabled in the end", async () => {
	await oldSide.sync("full");
	const { sending, open } = shut();
	// All of them leave the old forest; the last one is in the new one already.
	for (let who = 1; who <= LAST; who++) put(old, who, `p${who}`, `E${who}`, "disabled");
	const first = oldSide.sync("full");
	await sending;
	put(now, 120, `p${LAST}.new`, `E${LAST}`);
	const second = newSide.sync("full");
	await committed(now.anchorOf(120), true);
	open();
	await Promise.all([first, second]);
	await settle();
});

it("who is taken over by another source while their create waits in the page has one account, and it is theirs", async () => {
	const { sending, open } = shut();
	const first = oldSide.sync("full");
	await sending;
	put(old, LAST, `p${LAST}`, `E${LAST}`, "disabled");
	// The first is still waiting for its deliveries: beside it, as a scheduled run.
	const second = oldSide.sync("full");
	await committed(old.anchorOf(LAST), false);
	put(now, 120, `p${LAST}.new`, `E${LAST}`);
	const third = newSide.sync("full");
	await committed(now.anchorOf(120), true);
	open();
	await Promise.all([first, second, third]);
	await settle();
});
