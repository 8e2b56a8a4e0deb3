import { afterEach, expect, it } from "vitest";
import type { DeliveryResult, Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
let harness: Harness;
let fake: FakeSource;
/** What was sent, in order: "account 3 active", "group". */
let sent: string[] = [];
let onSent: (count: number) => Promise<void> = async () => {};

function open(): void {
	fake = makeFakeSource();
	fake.settings.groups = "all";
	sent = [];
	onSent = async () => {};
	const remote = makeRemoteDouble({ batch: 1, lanes: 2, memberBatch: 1 });
	const { groups } = remote.target;
	if (groups === undefined) throw new Error("no groups");
	const target: Target = {
		...remote.target,
		apply: async (deliveries, signal) => {
			const [delivery] = deliveries;
			sent.push(`account ${Number.parseInt(delivery?.anchor.slice(0, 8) ?? "", 16)} ${delivery?.wanted?.active}`);
			await onSent(sent.length);
			return remote.target.apply(deliveries, signal);
		},
		groups: {
			...groups,
			apply: async (delivery, signal): Promise<DeliveryResult> => {
				sent.push("group");
				await onSent(sent.length);
				return groups.apply(delivery, signal);
			},
		},
	};
	harness = openHarness(fake, { targets: () => [target], patienceMs: 1 });
}
afterEach(() => harness.close());

function put(who: number, name: string, standing: "enabled" | "disabled" = "enabled"): void {
	const cn = `P${who}`;
	fake.put({ anchor: fake.anchorOf(who), cn, where: PEOPLE, standing, attributes: { cn: [cn], upn: [name] } });
}
const settle = () => harness.context.deliveries.settle(new AbortController().signal, () => {});
/** A run commits a leaver's disable while the tenth request is under way. */
const leaverAt = (who: number) => {
	sent = [];
	onSent = async (count) => {
		if (count !== 10) return;
		put(who, `p${who}@corp`, "disabled");
		await harness.sync("full");
	};
};

it("a leaver does not wait for the end of everybody's rename", async () => {
	open();
	for (let who = 1; who <= 400; who++) put(who, `p${who}@corp`);
	await harness.sync("full");
	await settle();
	for (let who = 1; who < 400; who++) put(who, `p${who}@corp.new`);
	leaverAt(400);
	await harness.sync("full");
	await settle();
	expect(sent).toHaveLength(400);
	expect(sent.indexOf("account 400 false")).toBeLessThan(100);
});

it("a leaver does not wait for the end of a first delivery of groups", async () => {
	open();
	for (let who = 1; who <= 20; who++) put(who, `p${who}@corp`);
	await harness.sync("full");
	await settle();
	for (let which = 0; which < 20; which++)
		fake.putGroup({
			anchor: fake.anchorOf(1001 + which),
			cn: `G${which}`,
			isInScope: true,
			members: Array.from({ length: 19 }, (_, index) => fake.anchorOf(index + 1)),
		});
	leaverAt(20);
	await harness.sync("full");
	await settle();
	expect(sent.length).toBeGreaterThan(380);
	expect(sent.indexOf("account 20 false")).toBeLessThan(100);
});
