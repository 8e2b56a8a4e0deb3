import { afterAll, beforeAll, describe } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "../contract/demo.ts";
import { explainContract } from "./explain.ts";

describe("explaining people of the demo directory", () => {
	let demo: Demo;
	beforeAll(async () => {
		demo = await startDemo();
	});
	afterAll(() => demo.close());
	explainContract(() => directoryOnDemo(demo));
});
