import { afterAll, beforeAll, describe } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "./demo.ts";
import { modelContract } from "./model.ts";

describe("the engine on the demo directory", () => {
	let demo: Demo;
	beforeAll(async () => {
		demo = await startDemo();
	});
	afterAll(() => demo.close());
	modelContract(() => directoryOnDemo(demo), 500);
});
