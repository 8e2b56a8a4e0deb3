import { afterEach, beforeEach, expect, it } from "vitest";
import type { TargetConfig } from "../../src/config/target-config.ts";
import { type Connection, openEmpty } from "../../src/store/database.ts";
import { diagnoseTarget, makeTarget } from "../../src/target/targets.ts";
import { good, load } from "../config/configure.ts";
import { mirrorOf, never } from "./file/files.ts";

let db: Connection;
beforeEach(() => {
	db = openEmpty();
});
afterEach(() => void db.close());

const keys = {
	local: "",
	scim: ", url: 'https://127.0.0.1:1', auth: { bearer: { env: WORD } }",
	file: ", path: ./none/a.csv, format: csv",
	webhook: ", url: 'https://127.0.0.1:1', secret: { env: WORD }",
};
const types = Object.keys(keys) as (keyof typeof keys)[];

function configOf(type: keyof typeof keys, more = ""): TargetConfig {
	const text = good({ "+": `targets:\n  - { name: one, type: ${type}${keys[type]}${more} }` });
	const [config] = load(text, { WORD: "a secret of 24 characters or more" }).config.targets;
	if (config === undefined) throw new Error("no target");
	return config;
}

function open(config: TargetConfig) {
	return makeTarget(config, { openMirror: () => mirrorOf(db), clock: () => 0, random: () => 0 });
}

it.each(types)("a configuration of type %s is a target of its name, which keeps groups unless it is told not to", async (type) => {
	const [target, without] = [open(configOf(type)), open(configOf(type, ", groups: false"))];
	expect(target.name).toBe("one");
	expect([target.groups === undefined, without.groups === undefined]).toEqual([false, true]);
	for (const each of [target, without]) await each.close();
});

it("takes what the configuration says of concurrency and batches", async () => {
	const target = open(configOf("webhook", ", batch: 7, concurrency: 3"));
	expect([target.batch, target.lanes]).toEqual([7, 3]);
	await target.close();
});

it.each([
	{ type: "local", steps: [] },
	{ type: "scim", steps: ["connect failed"] },
	{ type: "file", steps: ["file failed"] },
	{ type: "webhook", steps: ["network failed"] },
] as const)("check looks at a target of type $type: $steps", async ({ type, steps }) => {
	const found = [];
	for await (const { step, state } of diagnoseTarget(configOf(type), { clock: () => 0, random: () => 0 }, never))
		found.push(`${step} ${state}`);
	expect(found).toEqual(steps);
});
