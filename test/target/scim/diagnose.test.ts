import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Finding } from "../../../src/target/finding.ts";
import { diagnoseScim } from "../../../src/target/scim/diagnose.ts";
import type { ScimOptions } from "../../../src/target/scim/options.ts";
import { type Faults, type ScimDouble, startScimDouble } from "../../support/scim-double.ts";
import { accountOf, anchorOf, makeTime, never, scimOptions } from "../../support/scim-options.ts";

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

async function diagnose(options: Partial<ScimOptions> = {}, url = server.url): Promise<readonly Finding[]> {
	const findings: Finding[] = [];
	for await (const finding of diagnoseScim(scimOptions(url, options), makeTime(), never)) findings.push(finding);
	return findings;
}

const stateOf = (findings: readonly Finding[]) => findings.map(({ step, state }) => `${step} ${state}`);

describe("a check of a SCIM target", () => {
	it("passes, step by step, and changes nothing", async () => {
		server.plant({ ...accountOf(1), externalId: anchorOf(1) });
		const findings = await diagnose();
		expect(stateOf(findings)).toEqual([
			"connect passed",
			"tls warned",
			"sign-in passed",
			"documents passed",
			"users passed",
			"filter passed",
			"filter passed",
			"groups passed",
		]);
		expect(server.of("changing")).toEqual([]);
	});

	it.each([
		{ what: "credentials that are not taken", faults: { authorization: "Bearer other" }, state: "sign-in failed" },
		{ what: "no documents", faults: { documents: "none" }, state: "documents warned" },
		{ what: "no PATCH", faults: { patch: "not supported" }, state: "documents warned" },
		{ what: "filters that are passed over", faults: { filters: "passed over" }, state: "filter warned" },
		{ what: "filters that are refused", faults: { filters: "400" }, state: "filter warned" },
		{ what: "filters that find nobody", faults: { filters: "find nothing" }, state: "filter warned" },
	] satisfies readonly { what: string; faults: Partial<Faults>; state: string }[])(
		"tells $what, with a remedy",
		async ({ faults, state }) => {
			for (const number of [1, 2]) server.plant({ ...accountOf(number), externalId: anchorOf(number) });
			Object.assign(server.how, faults);
			const findings = await diagnose();
			expect(stateOf(findings)).toContain(state);
			expect(findings.filter((finding) => finding.state !== "passed" && finding.remedy === undefined)).toEqual([]);
		},
	);

	it("says that a URL is not a service's", async () => {
		const findings = await diagnose({}, `${server.url}/v9`);
		expect(findings.at(-1)).toMatchObject({ state: "failed", detail: expect.stringContaining("/Users cannot be read: 404") });
	});

	it("ends where nothing listens", async () => {
		const closed = await startScimDouble();
		await closed.close();
		expect(stateOf(await diagnose({}, closed.url))).toEqual(["connect failed"]);
	});

	it("ends at a name that nobody knows", async () => {
		expect(stateOf(await diagnose({}, "https://scim.nowhere.invalid/v2"))).toEqual(["dns failed"]);
	});

	it("leaves groups alone where none are wanted", async () => {
		expect(stateOf(await diagnose({ groups: false }))).not.toContain("groups passed");
	});
});
