import { afterAll, beforeAll, expect, it } from "vitest";
import { openDoors } from "../../src/cli/doors.ts";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { good, load } from "../config/configure.ts";

let demo: Demo;
beforeAll(async () => {
	demo = await startDemo({ people: { kind: "company", count: 20 } });
});
afterAll(() => demo.close());

it("a delegation is for Active Directory alone, and nobody signs in elsewhere to find out", async () => {
	const { config } = load(
		good({
			type: "    type: ldap\n    preset: openldap",
			urls: '    urls: ["ldaps://127.0.0.1:1"]',
			bind: "    bind: { user: cn=svc, password: x }",
		}),
	);
	const asked = openDoors(Date.now).delegation(config, "corp", "lacking", new AbortController().signal);
	await expect(asked).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("corp is no Active Directory") });
});

it("check looks for every group that a target's `when` names, and for every attribute that it asks about", async () => {
	const users = `CN=Users,${demo.baseDn}`;
	const when = `{ any: [{ group: 'CN=Domain Users,${users}' }, { all: [{ not: { group: 'CN=Sails,${users}' } }, { filter: '(roomNumer=1)' }] }] }`;
	const { config } = load(
		good({
			urls: `    urls: ["${demo.url}"]\n    insecure: true`,
			bind: `    bind: { user: "${demo.bindUser}", password: "${demo.bindPassword}" }`,
			base: `    base: ${demo.baseDn}`,
			"+": `targets:\n  - { type: local, name: a, when: ${when} }`,
		}),
	);
	const said: string[] = [];
	for await (const { step, subject, state } of openDoors(Date.now).diagnose(config, "corp", new AbortController().signal)) {
		if (step === "group" || subject === "roomnumer") said.push(`${state} ${step} ${subject}`);
	}
	expect(said).toEqual(["warned attribute roomnumer", `passed group CN=Domain Users,${users}`, `failed group CN=Sails,${users}`]);
});
