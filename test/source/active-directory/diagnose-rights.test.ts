import { afterAll, beforeAll, expect, it } from "vitest";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import { diagnose } from "../../../src/source/active-directory/diagnose.ts";
import { noTls } from "../../support/tls.ts";

let demo: Demo;
beforeAll(async () => {
	demo = await startDemo({ people: { kind: "company", count: 20 } });
});
afterAll(() => demo.close());

it.each([
	{ attribute: "userAccountControl", state: "failed", step: "attribute", why: "who is disabled would not be known" },
	{ attribute: "accountExpires", state: "failed", step: "attribute", why: "who has expired would not be known" },
	{ attribute: "uSNChanged", state: "warned", step: "changes", why: "every reading would be a full one" },
])("the doctor says that $attribute cannot be read ($state): $why", async ({ attribute, state, step }) => {
	demo.directory.setRights(demo.bindUser, { hiddenAttributes: [{ attribute }] });
	const findings = [];
	const source = {
		name: "demo",
		urls: [demo.url],
		discovery: undefined,
		bind: { user: demo.bindUser, password: { reveal: () => demo.bindPassword } },
		tls: noTls,
		insecure: true,
		bases: [demo.baseDn],
		users: { filter: undefined, exclude: [], groups: [] },
		groups: undefined,
		ruleGroups: [],
		changes: "auto" as const,
		protect: [],
		attributes: ["samaccountname"],
		timeouts: { connectMs: 5000, bindMs: 5000, requestMs: 5000 },
		pageSize: 1000,
	};
	for await (const finding of diagnose(source, Date.now, new AbortController().signal)) findings.push(finding);
	const said = findings.filter(({ subject }) => subject.toLowerCase() === attribute.toLowerCase());
	expect(said).toEqual([expect.objectContaining({ step, state, remedy: expect.any(String) })]);
});
