import type { Target } from "../../src/target/target.ts";
import type { FakeSource } from "./fake-source.ts";
import { type Harness, type HarnessOptions, openHarness } from "./harness.ts";
import { makeRemoteDouble, type RemoteDoubleOptions } from "./remote-double.ts";

class Killed extends Error {}

type MortalOptions = HarnessOptions & {
	readonly remote?: RemoteDoubleOptions;
	/** In the place of the double: another target, made anew at every start. */
	readonly makeTarget?: () => Target;
};

/**
 * The engine on a fake source with two targets, that can be killed at any write: before a transaction (it never began) or right after
 * its commit (nobody hears of it), before a delivery or right after it. It comes back on the same database.
 */
export function openMortal(fake: FakeSource, file: string, options: MortalOptions = {}) {
	const remote = makeRemoteDouble(options.remote);
	const makeTarget = options.makeTarget ?? (() => remote.target);
	let writesLeft = Number.POSITIVE_INFINITY;
	const write = (): void => {
		if (writesLeft-- <= 0) throw new Killed();
	};
	let views = options.views;
	const open = (now: number): Harness => {
		const viewed = views === undefined ? {} : { views };
		const harness = openHarness(fake, {
			...options,
			...viewed,
			file,
			targets: (local) => [mortal(local, write), mortal(makeTarget(), write)],
		});
		harness.time.now = now;
		const { session } = harness.context;
		const { transaction } = session;
		Object.assign(session, {
			transaction: <T>(work: () => T): T => {
				write();
				const result = transaction(work);
				write();
				return result;
			},
		});
		return harness;
	};
	let harness = open(Date.UTC(2026, 10, 1));
	const live = async (work: () => Promise<unknown>, killAt: number): Promise<void> => {
		writesLeft = killAt;
		try {
			await work();
		} catch (error) {
			if (!(error instanceof Killed)) throw error;
			const { now } = harness.time;
			harness.close();
			writesLeft = Number.POSITIVE_INFINITY;
			harness = open(now);
		} finally {
			writesLeft = Number.POSITIVE_INFINITY;
		}
	};
	return {
		remote,
		harness: () => harness,
		/** One run; killed at the n-th write if `killAt` is given, and started anew then. */
		sync: (mode: "full" | "delta", killAt = Number.POSITIVE_INFINITY): Promise<void> => live(() => harness.sync(mode), killAt),
		/** The same of a run that takes another one back. */
		revert: (run: number, killAt = Number.POSITIVE_INFINITY): Promise<void> => live(() => harness.revert(run), killAt),
		/** The same under another configuration of targets. */
		configure: (anew: NonNullable<HarnessOptions["views"]>): void => {
			views = anew;
			const { now } = harness.time;
			harness.close();
			harness = open(now);
		},
		/** Past every wait that a refusal may have set, twice, since the first may free a name for the second. */
		settle: async (): Promise<void> => {
			for (let round = 0; round < 3; round++) {
				harness.time.now += 24 * 3_600_000;
				const { plan } = await harness.sync("full");
				if (plan !== undefined) await harness.approve(plan);
			}
		},
		close: () => harness.close(),
	};
}

function mortal(target: Target, write: () => void): Target {
	const around =
		<A extends readonly unknown[], T>(work: (...args: A) => Promise<T>) =>
		async (...args: A): Promise<T> => {
			write();
			const result = await work(...args);
			write();
			return result;
		};
	return {
		...target,
		apply: around(target.apply),
		...(target.finish !== undefined && { finish: around(target.finish) }),
		groups: target.groups && { ...target.groups, apply: around(target.groups.apply) },
	};
}
