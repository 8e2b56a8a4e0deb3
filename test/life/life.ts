import { expect, it } from "vitest";
import type { Directory } from "../contract/directory.ts";
import { placesOf, populate } from "../contract/population.ts";
import { makeHappenings, makeRandom } from "./changes.ts";
import { type Keeper, type KeeperSettings, openKeeper } from "./engine.ts";

const noLimits = "limits: { disable: { count: none, percent: none }, update: { percent: none } }\n";

/**
 * The promise as a whole: whatever happens in a directory, following it change by change ends in the accounts that somebody would
 * get who reads it for the first time. DIRSYNCD_TEST_LIFE says how many changes, DIRSYNCD_TEST_SEED which.
 */
export function lifeContract(directory: () => Directory): void {
	const most = Number(process.env["DIRSYNCD_TEST_LIFE"] ?? 40);
	const seed = Number(process.env["DIRSYNCD_TEST_SEED"] ?? 7);

	it(`ends in the same accounts as a fresh database after each of ${most} random changes (seed ${seed})`, {
		timeout: 30_000 + most * 2_000,
	}, async () => {
		await populate(directory());
		const places = placesOf(directory());
		const settings = { base: places.people, exclude: [places.excluded], more: noLimits };
		const follower = openKeeper(directory(), settings);
		const happen = makeHappenings(directory(), places, makeRandom(seed));
		const told: string[] = [];
		try {
			expect((await follower.sync("full")).outcome).toBe("succeeded");
			for (let change = 0; change < most; change++) {
				const { what, isDeletion } = await happen();
				told.push(what);
				const report = await follower.sync(isDeletion ? "full" : "auto");
				const said = () => `after ${change + 1} changes, the last: ${told.slice(-3).join(" · ")} (${JSON.stringify(report)})`;
				expect(report.outcome, said()).toBe("succeeded");
				expect(report.mode, said()).toBe(isDeletion ? "full" : "delta");
				await expectLikeFresh(follower, directory(), settings, said);
			}
			const idle = await follower.sync("full");
			expect(idle, "a full reading after all that finds nothing left to do").toMatchObject({
				created: 0,
				updated: 0,
				disabled: 0,
				enabled: 0,
				deleted: 0,
			});
		} finally {
			await follower.close();
		}
	});
}

/** That what was followed change by change is what somebody has who reads for the first time; who is gone may be left, not active. */
export async function expectLikeFresh(follower: Keeper, directory: Directory, settings: KeeperSettings, said: () => string): Promise<void> {
	const newcomer = openKeeper(directory, settings);
	try {
		await newcomer.sync("full");
		const fresh = newcomer.accounts();
		const followed = follower.accounts();
		for (const [anchor, { account }] of fresh) expect(followed.get(anchor)?.account, said()).toEqual(account);
		const left = [...followed].filter(([anchor, { account }]) => !fresh.has(anchor) && account.active);
		expect(left, said()).toEqual([]);
	} finally {
		await newcomer.close();
	}
}
