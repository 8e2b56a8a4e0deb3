import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { openMortal } from "../support/mortal.ts";
import type { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const WHERE = [PEOPLE, `OU=Sales,${PEOPLE}`, "OU=Leavers,DC=corp,DC=example,DC=test"];

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
	{ names: "of their own", shared: false, target: "one delivery at a time", lanes: 1, managerBy: "anchor" },
	{ names: "that they contend for", shared: true, target: "one delivery at a time", lanes: 1, managerBy: "anchor" },
	{ names: "of their own", shared: false, target: "four at a time, managers by its own ids", lanes: 4, managerBy: "remote-id" },
	{ names: "that they contend for", shared: true, target: "four at a time, managers by its own ids", lanes: 4, managerBy: "remote-id" },
] as const)(
	"any sequence of changes to people with names $names at a target that takes $target, with kills between any two writes, ends as if nothing had happened",
	async ({ shared, lanes, managerBy }) => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-kill-"));
				const file = path.join(folder, "dirsyncd.db");
				const fake = makeFakeSource();
				const mortal = openMortal(fake, file, { remote: { lanes, managerBy, batch: lanes === 1 ? 3 : 1 } });
				const { remote } = mortal;
				try {
					// One stays for ever: a directory that is suddenly empty is another matter.
					put(fake, { who: 99, where: 0, name: 0, enabled: true, boss: 0 }, false);
					for (const each of steps) {
						if (each.do === "put") put(fake, each, shared);
						else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
						else if (each.do === "hours") mortal.harness().time.now += each.hours * 3_600_000;
						else await mortal.sync(each.do, "killAt" in each ? each.killAt : undefined);
					}
					await mortal.settle();
					await expectSettled(mortal.harness(), remote, managerBy);
					if (!shared) await expectSameAsFresh(mortal.harness(), fake);
				} finally {
					mortal.close();
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

/** Nobody twice, the target as the ledger says, nothing left to do, the change log whole. */
async function expectSettled(
	harness: Harness,
	remote: ReturnType<typeof makeRemoteDouble>,
	managerBy: "anchor" | "remote-id",
): Promise<void> {
	const remotes = [...remote.accounts.values()];
	expect(new Set(remotes.map(({ anchor }) => anchor)).size).toBe(remotes.length);
	const anchorOf = (manager: string | undefined) => remote.accounts.get(manager ?? "")?.anchor ?? manager;
	const named = remotes.map(({ anchor, account }) => [
		anchor,
		{ ...account, ...(account.manager && { manager: anchorOf(account.manager) }) },
	]);
	const wanted = await harness.accounts();
	// A target with ids of its own cannot name who has no account.
	const nameable = Object.entries(wanted).map(([anchor, { manager, ...rest }]) => {
		const isThere = manager !== undefined && (managerBy === "anchor" || manager in wanted);
		return [anchor, isThere ? { ...rest, manager } : rest];
	});
	expect(Object.fromEntries(named)).toEqual(Object.fromEntries(nameable));
	expect(harness.views((views) => views.proveChain())).toMatchObject({ kind: "whole" });
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
