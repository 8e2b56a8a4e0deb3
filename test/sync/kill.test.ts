import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Target } from "../../src/target/target.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const WHERE = [PEOPLE, `OU=Sales,${PEOPLE}`, "OU=Leavers,DC=corp,DC=example,DC=test"];

class Killed extends Error {}

/** What may happen to the directory, or to us. Numbers name people; a kill strikes at the n-th write from then on. */
const step = fc.oneof(
	fc.record({
		do: fc.constant("put" as const),
		who: fc.integer({ min: 1, max: 8 }),
		where: fc.nat(2),
		name: fc.nat(9),
		enabled: fc.boolean(),
		boss: fc.nat(8),
	}),
	fc.record({ do: fc.constant("remove" as const), who: fc.integer({ min: 1, max: 8 }) }),
	fc.record({ do: fc.constantFrom("full" as const, "delta" as const) }),
	fc.record({ do: fc.constantFrom("full" as const, "delta" as const), killAt: fc.nat(14) }),
	fc.record({ do: fc.constant("hours" as const), hours: fc.nat(30) }),
);

it.each([
	{ names: "of their own", shared: false },
	{ names: "that they contend for", shared: true },
])(
	"any sequence of changes to people with names $names, with kills between any two writes, ends as if nothing had happened",
	async ({ shared }) => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-kill-"));
				const file = path.join(folder, "dirsyncd.db");
				const fake = makeFakeSource();
				const remote = makeRemoteDouble();
				let writesLeft = Number.POSITIVE_INFINITY;
				const write = (): void => {
					if (writesLeft-- <= 0) throw new Killed();
				};
				const open = (now: number): Harness => {
					const harness = openHarness(fake, { file, targets: (local) => [mortal(local, write), mortal(remote.target, write)] });
					harness.time.now = now;
					const { session } = harness.context;
					const { transaction } = session;
					// Dies before a transaction (it never began) or right after its commit (nobody hears of it).
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
				try {
					// One stays for ever: a directory that is suddenly empty is another matter.
					put(fake, { who: 99, where: 0, name: 0, enabled: true, boss: 0 }, false);
					for (const each of steps) {
						if (each.do === "put") put(fake, each, shared);
						else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
						else if (each.do === "hours") harness.time.now += each.hours * 3_600_000;
						else {
							writesLeft = "killAt" in each ? each.killAt : Number.POSITIVE_INFINITY;
							try {
								await harness.sync(each.do);
							} catch (error) {
								if (!(error instanceof Killed)) throw error;
								const { now } = harness.time;
								harness.close();
								writesLeft = Number.POSITIVE_INFINITY;
								harness = open(now);
							}
						}
					}
					writesLeft = Number.POSITIVE_INFINITY;
					// Past every wait that a refusal may have set, twice, since the first may free a name for the second.
					for (let round = 0; round < 3; round++) {
						harness.time.now += 24 * 3_600_000;
						await harness.sync("full");
					}
					await expectSettled(harness, remote);
					if (!shared) await expectSameAsFresh(harness, fake);
				} finally {
					harness.close();
					rmSync(folder, { recursive: true, force: true });
				}
			}),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 60) },
		);
	},
	120_000,
);

type Fake = ReturnType<typeof makeFakeSource>;

function put(
	fake: Fake,
	{ who, where, name, enabled, boss }: { who: number; where: number; name: number; enabled: boolean; boss: number },
	shared: boolean,
): void {
	const leader = fake.people.get(fake.anchorOf(boss));
	const cn = `P${who}-${name % 3}`;
	fake.put({
		anchor: fake.anchorOf(who),
		cn,
		where: WHERE[where] as string,
		standing: enabled ? "enabled" : "disabled",
		attributes: {
			cn: [cn],
			upn: [shared ? `n${name}@corp` : `n${who}-${name}@corp`],
			mail: name % 2 ? [`m${who}@corp`] : [],
			...(leader && { manager: [fake.dnOf(leader)] }),
		},
	});
}

function mortal(target: Target, write: () => void): Target {
	return {
		...target,
		apply: async (deliveries, signal) => {
			write();
			const results = await target.apply(deliveries, signal);
			write();
			return results;
		},
	};
}

/** Nobody twice, the target as the ledger says, nothing left to do, the change log whole. */
async function expectSettled(harness: Harness, remote: ReturnType<typeof makeRemoteDouble>): Promise<void> {
	const remotes = [...remote.accounts.values()];
	expect(new Set(remotes.map(({ anchor }) => anchor)).size).toBe(remotes.length);
	expect(Object.fromEntries(remotes.map(({ anchor, account }) => [anchor, account]))).toEqual(await harness.accounts());
	expect(harness.views((views) => views.verifyChain())).toBeGreaterThan(0);
	expect((await harness.plan("full")).changes).toEqual([]);
}

/** Whoever a fresh database would have is here just so; whoever it would not have is not active here. */
async function expectSameAsFresh(harness: Harness, fake: Fake): Promise<void> {
	const fresh = openHarness(fake);
	try {
		fresh.time.now = harness.time.now;
		await fresh.sync("full");
		const kept = await harness.accounts();
		const wanted = await fresh.accounts();
		for (const [anchor, account] of Object.entries(wanted)) expect(kept[anchor]).toEqual(account);
		for (const [anchor, account] of Object.entries(kept)) if (!(anchor in wanted)) expect(account.active).toBe(false);
	} finally {
		fresh.close();
	}
}
