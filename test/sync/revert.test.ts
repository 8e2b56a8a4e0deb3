import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, type HarnessOptions, openHarness, testLifecycle, testMapping } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const LEAVERS = "OU=Leavers,DC=corp,DC=example,DC=test";
const HOUR = 3_600_000;

let fake: FakeSource;
let harness: Harness;
beforeEach(() => {
	fake = makeFakeSource();
	fake.settings.attributes = ["cn", "department", "mail", "manager", "title", "upn"];
});
afterEach(() => harness.close());

const mapping = { ...testMapping, department: "{department}", title: "{title}" };

interface Look {
	readonly where?: string;
	readonly isEnabled?: boolean;
	readonly expiresAt?: number;
	readonly department?: string;
	readonly title?: string;
	readonly upn?: string;
}

function put(number: number, { where = PEOPLE, isEnabled = true, expiresAt, department, title, upn }: Look = {}): void {
	fake.put({
		anchor: fake.anchorOf(number),
		cn: `P${number}`,
		where,
		standing: isEnabled ? "enabled" : "disabled",
		...(expiresAt !== undefined && { expiresAt }),
		attributes: {
			cn: [`P${number}`],
			upn: [upn ?? `p${number}@corp`],
			department: department === undefined ? [] : [department],
			title: title === undefined ? [] : [title],
		},
	});
}

/** A company of ten, read once. */
async function company(options: HarnessOptions = {}): Promise<void> {
	harness = openHarness(fake, { mapping, ...options });
	for (let number = 1; number <= 10; number++) put(number, { department: "Sales" });
	await run("full");
}

async function run(mode: "full" | "delta" = "delta") {
	harness.time.now += HOUR;
	return harness.sync(mode);
}

/** Reverts the last run, and reports what came of it. */
async function revert(run: number) {
	harness.time.now += HOUR;
	return harness.revert(run);
}

async function threeRuns(): Promise<void> {
	for (const mode of ["delta", "full", "delta"] as const) {
		const report = await run(mode);
		expect({ ...counts(report), outcome: report.outcome }).toEqual({ outcome: "succeeded" });
	}
}

function counts({ created, updated, disabled, enabled, deleted, entitlements, held, quarantined }: Awaited<ReturnType<typeof run>>) {
	const all = { created, updated, disabled, enabled, deleted, entitlements, held, quarantined };
	return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}

async function account(number: number) {
	return (await harness.accounts())[fake.anchorOf(number)];
}

describe("a run that disabled people, taken back", () => {
	it.each([
		{ end: "disabled in the directory", strike: (number: number) => put(number, { isEnabled: false, department: "Sales" }) },
		{ end: "moved out of scope", strike: (number: number) => put(number, { where: LEAVERS, department: "Sales" }) },
		{ end: "deleted", strike: (number: number) => fake.remove(fake.anchorOf(number)) },
		{ end: "expired", strike: (number: number) => put(number, { expiresAt: 1, department: "Sales" }) },
	])("leaves who was $end active at the target, and the next three runs leave them so", async ({ strike }) => {
		await company({ lifecycle: { ...testLifecycle, deleteAfterMs: 2 * HOUR } });
		const before = await harness.accounts();
		for (const number of [1, 2, 3]) strike(number);
		const struck = await run("full");
		expect(counts(struck)).toEqual({ disabled: 3 });
		harness.time.now += 24 * HOUR;
		const reverted = await harness.revert(struck.run);
		expect({ ...counts(reverted), trigger: reverted.trigger, outcome: reverted.outcome }).toEqual({
			enabled: 3,
			trigger: "revert",
			outcome: "succeeded",
		});
		expect(await harness.accounts()).toEqual(before);
		await threeRuns();
		expect(await harness.accounts()).toEqual(before);
	});
});
