import path from "node:path";
import { describe, expect, it } from "vitest";
import { findConfig, requireOwnConfig } from "../../src/config/lookup.ts";
import { directoryWith } from "./configure.ts";

const empty = directoryWith({});
const own = directoryWith({ "dirsyncd.yaml": "" });
const demo = path.join(import.meta.dirname, "../../config/demo.yaml");

describe("the configuration is looked for", () => {
	it.each([
		{
			option: "a.yaml",
			environment: { DIRSYNCD_CONFIG: "b.yaml" },
			directory: own,
			file: path.join(own, "a.yaml"),
			where: "first by --config",
		},
		{
			option: undefined,
			environment: { DIRSYNCD_CONFIG: "b.yaml" },
			directory: own,
			file: path.join(own, "b.yaml"),
			where: "then by DIRSYNCD_CONFIG",
		},
		{
			option: undefined,
			environment: { DIRSYNCD_CONFIG: "" },
			directory: own,
			file: path.join(own, "dirsyncd.yaml"),
			where: "then as ./dirsyncd.yaml",
		},
		{ option: undefined, environment: {}, directory: empty, file: demo, where: "and else it is the demo's" },
	])("$where", ({ option, environment, directory, file }) => {
		expect(findConfig(option, environment, directory)).toEqual({ file, isDemo: file === demo });
	});

	it("and validating wants one of one's own", () => {
		expect(() => requireOwnConfig(undefined, {}, empty)).toThrow(/there is no configuration/);
	});
});
