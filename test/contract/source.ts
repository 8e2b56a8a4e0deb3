import { beforeAll, describe } from "vitest";
import type { Directory } from "./directory.ts";
import { populate } from "./population.ts";
import { deltaContract } from "./source-delta.ts";
import { lookupContract } from "./source-lookup.ts";
import { readingContract } from "./source-reading.ts";

/**
 * What every directory of Active Directory's kind must give through our source, whoever serves it: tried on Samba's domain
 * controller and on the demo directory. Call it inside a `describe` that has the directory up before its tests.
 */
export function sourceContract(directory: () => Directory): void {
	describe("the source", () => {
		beforeAll(() => populate(directory()), 120_000);
		readingContract(directory);
		lookupContract(directory);
		deltaContract(directory);
	});
}
