import { beforeAll, describe, expect, it } from "vitest";
import type { ActiveDirectoryOptions } from "../../src/source/active-directory/options.ts";
import type { Directory } from "./directory.ts";
import { populate } from "./population.ts";
import { read, sourceOn } from "./reader.ts";
import { deltaContract } from "./source-delta.ts";
import { findContract } from "./source-find.ts";
import { groupDeltaContract } from "./source-group-delta.ts";
import { groupsContract } from "./source-groups.ts";
import { lookupContract } from "./source-lookup.ts";
import { readingContract } from "./source-reading.ts";
import { ruleGroupsContract } from "./source-rule-groups.ts";
import { watchContract } from "./source-watch.ts";

/**
 * What every directory of Active Directory's kind must give through our source, whoever serves it: tried on Samba's domain
 * controller and on the demo directory; `seesDeleted` is an account that may read deleted objects. Call it inside a `describe` that has the directory up before its tests.
 */
export function sourceContract(directory: () => Directory, seesDeleted: () => ActiveDirectoryOptions["bind"]): void {
	describe("the source", () => {
		beforeAll(() => populate(directory()), 120_000);
		readingContract(directory);
		lookupContract(directory);
		findContract(directory, seesDeleted);
		deltaContract(directory);
		groupsContract(directory);
		ruleGroupsContract(directory);
		groupDeltaContract(directory);
		watchContract(directory, seesDeleted);
	});
}

/** How changes are found: all of it for each way there is. `strategy`: how the source calls it. */
export function changesContract(directory: () => Directory, strategy: string): void {
	beforeAll(() => populate(directory(), "few"), 120_000);
	it("says so", async () => {
		const all = await read(sourceOn(directory()));
		expect(all.end.strategy).toBe(strategy);
		expect((await read(sourceOn(directory()), all.end.cursor)).end.strategy).toBe(strategy);
	});
	deltaContract(directory);
	groupDeltaContract(directory);
}
