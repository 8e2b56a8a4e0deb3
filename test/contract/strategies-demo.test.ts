import { afterAll, beforeAll, describe } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "./demo.ts";
import { changesContract } from "./source.ts";

const both = { mayReadDeleted: true, mayReplicate: true };

describe.each([
	{ by: "uSNChanged alone", rights: {}, changes: "auto", strategy: "uSNChanged, deletions with full readings" },
	{ by: "uSNChanged and deleted objects", rights: { mayReadDeleted: true }, changes: "auto", strategy: "uSNChanged with deletions" },
	{ by: "uSNChanged, although the account may replicate", rights: both, changes: "usn", strategy: "uSNChanged with deletions" },
	{ by: "DirSync, because the account may replicate", rights: both, changes: "auto", strategy: "DirSync with deletions" },
	{
		by: "DirSync, without the right to replicate",
		rights: {},
		changes: "dirsync",
		strategy: "DirSync without the right to replicate, deletions with full readings",
	},
	{ by: "DirSync in rounds of three", rights: both, changes: "dirsync", maxPageSize: 3, strategy: "DirSync with deletions" },
] as const)("changes on the demo directory, by $by", ({ rights, changes, strategy, ...limits }) => {
	let demo: Demo;
	beforeAll(async () => {
		demo = await startDemo({ limits: "maxPageSize" in limits ? { maxPageSize: limits.maxPageSize } : {} });
		demo.directory.setRights(demo.bindUser, rights);
	});
	afterAll(() => demo.close());
	changesContract(() => directoryOnDemo(demo, changes), strategy);
});
