import { afterAll, beforeAll, describe } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "../contract/demo.ts";
import { deliveryContract } from "./delivery.ts";

describe("from the demo directory", () => {
	let demo: Demo;
	beforeAll(async () => {
		demo = await startDemo();
	});
	afterAll(() => demo.close());
	deliveryContract(() => directoryOnDemo(demo));
});
