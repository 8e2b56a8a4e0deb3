import { describe, expect, it } from "vitest";
import { type PresetName, presetOf } from "../../../src/source/generic-ldap/presets.ts";
import { makeState } from "../../../src/source/generic-ldap/state.ts";

const shown = (attributes: Readonly<Record<string, string>>) => new Map(Object.entries(attributes).map(([name, value]) => [name, [value]]));

describe("whether somebody is disabled", () => {
	it.each<{ preset: PresetName; attributes: Record<string, string>; standing: string; why: string }>([
		{ preset: "openldap", attributes: {}, standing: "enabled", why: "nothing says otherwise" },
		{ preset: "openldap", attributes: { pwdaccountlockedtime: "000001010000Z" }, standing: "disabled", why: "an administrator locked it" },
		{
			preset: "openldap",
			attributes: { pwdaccountlockedtime: "20261101120000Z" },
			standing: "enabled",
			why: "wrong passwords locked it for a while",
		},
		{ preset: "389ds", attributes: { nsaccountlock: "true" }, standing: "disabled", why: "it is locked, however that is spelled" },
		{ preset: "389ds", attributes: { nsaccountlock: "FALSE" }, standing: "enabled", why: "it was unlocked again" },
		{ preset: "freeipa", attributes: { nsaccountlock: "TRUE" }, standing: "disabled", why: "ipa user-disable" },
		{ preset: "google", attributes: {}, standing: "enabled", why: "Google does not say" },
	])("is $standing by $preset: $why", ({ preset, attributes, standing }) => {
		expect(makeState(presetOf(preset), undefined).standing(shown(attributes), new Set())).toBe(standing);
	});

	it.each([
		{ disabled: "(loginShell=/usr/sbin/nologin)", attributes: { loginshell: "/usr/sbin/nologin" }, hidden: [], standing: "disabled" },
		{ disabled: "(!(employeeType=active))", attributes: {}, hidden: [], standing: "disabled" },
		{ disabled: "(!(employeeType=active))", attributes: { employeetype: "Active" }, hidden: [], standing: "enabled" },
		{ disabled: "(!(employeeType=active))", attributes: {}, hidden: ["employeetype"], standing: "unknown" },
		{ disabled: "(|(a=1)(b=1))", attributes: { b: "1" }, hidden: ["a"], standing: "disabled" },
		{ disabled: "", attributes: { nsaccountlock: "TRUE" }, hidden: [], standing: "enabled" },
	])("is $standing by the filter $disabled of $attributes, with $hidden hidden", ({ disabled, attributes, hidden, standing }) => {
		const state = makeState(presetOf("389ds"), disabled);
		expect(state.standing(shown(attributes as Record<string, string>), new Set(hidden))).toBe(standing);
	});

	it("is unknown where the day on which it ends is hidden", () => {
		expect(makeState(presetOf("freeipa"), undefined).standing(new Map(), new Set(["krbprincipalexpiration"]))).toBe("unknown");
	});
});

describe("when an account ends", () => {
	it.each<{ preset: PresetName; attributes: Record<string, string>; at: number | undefined }>([
		{ preset: "openldap", attributes: { shadowexpire: "20000" }, at: Date.UTC(2024, 9, 4) },
		{ preset: "openldap", attributes: { shadowexpire: "0" }, at: 0 },
		{ preset: "openldap", attributes: { shadowexpire: "-1" }, at: undefined },
		{ preset: "openldap", attributes: { shadowexpire: "20000", pwdendtime: "20200101000000Z" }, at: Date.UTC(2020, 0, 1) },
		{ preset: "freeipa", attributes: { krbprincipalexpiration: "20270630120000Z" }, at: Date.UTC(2027, 5, 30, 12) },
		{ preset: "freeipa", attributes: { shadowexpire: "20000" }, at: undefined },
		{ preset: "389ds", attributes: { shadowexpire: "never" }, at: undefined },
	])("by $preset of $attributes", ({ preset, attributes, at }) => {
		expect(makeState(presetOf(preset), undefined).expiresAt(shown(attributes))).toBe(at);
	});
});
