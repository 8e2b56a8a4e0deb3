import { afterAll, beforeAll, describe } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "./demo.ts";
import { modelContract } from "./model.ts";

describe.each([
	{ by: "uSNChanged alone", rights: {}, changes: 200, catchUp: "full" },
	{ by: "uSNChanged and deleted objects", rights: { mayReadDeleted: true }, changes: 150, catchUp: "delta" },
	{ by: "DirSync", rights: { mayReplicate: true }, changes: 150, catchUp: "delta" },
] as const)("the engine on the demo directory, by $by", ({ rights, changes, catchUp }) => {
	let demo: Demo;
	beforeAll(async () => {
		demo = await startDemo();
		demo.directory.setRights(demo.bindUser, rights);
	});
	afterAll(() => demo.close());
	modelContract(() => directoryOnDemo(demo), changes, catchUp);
});
