import type { Anchor } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Delivery, DeliveryResult, GroupDelivery, Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "./fake-source.ts";
import { type Harness, type HarnessOptions, openHarness } from "./harness.ts";
import { makeRemoteDouble, type RemoteDoubleOptions } from "./remote-double.ts";

/** One source, the embedded store, and one target with ids of its own: for tests of how deliveries to it go. Made anew by `begin`. */
export let fake: FakeSource;
export let remote: ReturnType<typeof makeRemoteDouble>;
export let harness: Harness;
/** What stands before the target, for accounts; a test may put its own there. */
export const way: { around: (delivery: Delivery, work: () => Promise<DeliveryResult>) => Promise<DeliveryResult> } = {
	around: (_, work) => work(),
};

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
export const never = new AbortController().signal;

export function begin(): void {
	fake = makeFakeSource();
	fake.settings.groups = "all";
	open({});
}

export function end(): void {
	harness.close();
}

/** The same source with another target; nothing of what was is left. */
export function open(
	options: RemoteDoubleOptions,
	more: Partial<HarnessOptions> = {},
	change: (target: Target) => Target = (target) => target,
): void {
	harness?.close();
	way.around = (_, work) => work();
	remote = makeRemoteDouble({ batch: 1, lanes: 2, memberBatch: 10, ...options });
	const target: Target = change({
		...remote.target,
		apply: async (deliveries, signal) => {
			const results: DeliveryResult[] = [];
			for (const delivery of deliveries)
				results.push(await way.around(delivery, async () => (await remote.target.apply([delivery], signal))[0] as DeliveryResult));
			return results;
		},
	});
	harness = openHarness(fake, { adopt: "report", ...more, targets: (local) => [local, target] });
}

/** What stands before the target, for groups. */
export function wrapGroups(change: (delivery: GroupDelivery, work: () => Promise<DeliveryResult>) => Promise<DeliveryResult>): void {
	const { groups } = remote.target;
	if (groups === undefined) throw new Error("no groups");
	const { apply } = groups;
	Object.assign(groups, { apply: (delivery: GroupDelivery, signal: AbortSignal) => change(delivery, () => apply(delivery, signal)) });
}

export const down = (words: string): Failure => new Failure("TARGET_UNREACHABLE", words);

interface Person {
	readonly standing?: "enabled" | "disabled";
	readonly cn?: string;
	readonly manager?: number;
	readonly upn?: string;
	readonly mail?: string;
}

export function put(who: number, { standing = "enabled", cn = `P${who}`, manager, upn = `p${who}@corp`, mail }: Person = {}): void {
	fake.put({
		...{ anchor: fake.anchorOf(who), cn, where: PEOPLE, standing },
		attributes: {
			...{ cn: [cn], upn: [upn] },
			...(mail !== undefined && { mail: [mail] }),
			...(manager !== undefined && { manager: [`CN=P${manager},${PEOPLE}`] }),
		},
	});
}

export function group(members: readonly number[], cn = "G", number = 1001): void {
	fake.putGroup({ anchor: fake.anchorOf(number), cn, isInScope: true, members: members.map(anchor) });
}

export const anchor = (who: number): Anchor => fake.anchorOf(who) as Anchor;
export const idOf = (who: number): string => [...remote.accounts].find(([, kept]) => kept.anchor === anchor(who))?.[0] ?? "";
export const at = (who: number) => remote.accounts.get(idOf(who))?.account;
export const stateOf = (who: number) => harness.views((views) => [...views.accounts(anchor(who))][0]?.targets["remote"]);
export const viewed = () => harness.views((views) => views.targets().find(({ target }) => target === "remote"));
export const membersAt = () => [...remote.groups.values()].map(({ members }) => [...members].sort());

/** Days go by, with a full reading each. */
export async function later(rounds = 3, ms = 24 * 3_600_000): Promise<void> {
	for (let round = 0; round < rounds; round++) {
		harness.time.now += ms;
		await harness.sync("full");
	}
}

/** As the daemon: looks every few seconds whether something is due. */
export async function daemon(seconds: number, every = 5): Promise<void> {
	for (let at = 0; at < seconds / every; at++) {
		harness.time.now += every * 1000;
		const due = harness.context.deliveries.nextDue();
		if (due !== undefined && due <= harness.time.now) await harness.context.deliveries.settle(never, () => {});
	}
}
