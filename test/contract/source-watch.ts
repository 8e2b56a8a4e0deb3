import { describe, expect, it } from "vitest";
import type { ActiveDirectoryOptions } from "../../src/source/active-directory/options.ts";
import { openWatch } from "../support/watches.ts";
import type { Directory } from "./directory.ts";
import { addPerson, placesOf } from "./population.ts";
import { sourceOn } from "./reader.ts";

/** `seesDeleted`: an account that may read deleted objects; others are not told of deletions, as they do not read them. */
export function watchContract(directory: () => Directory, seesDeleted: () => ActiveDirectoryOptions["bind"]): void {
	describe("a watch", () => {
		it("is woken as soon as it stands, when a person is disabled, and when one is deleted", async () => {
			const dn = await addPerson(directory(), "Watch leaver", placesOf(directory()).people, "w-leaver");
			const watch = await openWatch(sourceOn(directory(), { watch: true, bind: seesDeleted() }));
			await woken(watch.next, () => directory().modify(dn, { userAccountControl: "514" }));
			await woken(watch.next, () => directory().remove(dn));
			watch.stop();
			expect(await watch.ended).toMatchObject({ code: "CANCELLED" });
		}, 60_000);

		it("is not there unless it is asked for", () => {
			expect(sourceOn(directory()).watch).toBeUndefined();
		});
	});
}

async function woken(next: () => Promise<void>, change: () => Promise<void>): Promise<void> {
	const told = next();
	await change();
	await told;
}
