import { describe, expect, it } from "vitest";
import type { Anchor, Entry } from "../../src/core/entry.ts";
import { activeDirectoryMapping, attributesOf, compileMapping, googleMapping, ldapMapping, type Mapping } from "../../src/core/mapping.ts";
import { withState } from "../../src/core/plan.ts";

function entry(attributes: Record<string, readonly string[]>): Entry {
	return {
		anchor: "a1" as Anchor,
		dn: "CN=x",
		attributes: new Map(Object.entries(attributes).map(([name, values]) => [name.toLowerCase(), values])),
		standing: "enabled",
		expiresAt: undefined,
	};
}

const nobody = () => undefined;
const map = (mapping: Mapping, attributes: Record<string, readonly string[]>) => compileMapping(mapping)(entry(attributes), nobody);

describe("the default mapping of active-directory", () => {
	const full = {
		userPrincipalName: ["Ann.Lee@corp.example.com"],
		implicitUserPrincipalName: ["alee@corp.example.com"],
		displayName: ["Ann Lee"],
		cn: ["alee"],
		givenName: ["Ann"],
		sn: ["Lee"],
		mail: ["ann@old.example.com"],
		primarySmtpAddress: ["Ann.Lee@example.com"],
		otherSmtpAddresses: ["a.lee@example.com", "ANN.LEE@example.com", "A.Lee@example.com"],
		title: ["Engineer"],
		department: ["R&D"],
		telephoneNumber: ["+1 555 1"],
		mobile: ["+1 555 2"],
		manager: ["CN=Boss,DC=corp"],
		employeeNumber: ["7"],
		employeeID: ["E7"],
	};

	it("fills every field, in the order of the contract, and keeps the case of values", () => {
		const mapped = compileMapping(activeDirectoryMapping)(entry(full), (dn) => (dn === "CN=Boss,DC=corp" ? ("b0" as Anchor) : undefined));
		expect(mapped.kind === "account" && JSON.stringify(withState(mapped.account, true))).toBe(
			JSON.stringify({
				userName: "Ann.Lee@corp.example.com",
				displayName: "Ann Lee",
				name: { givenName: "Ann", familyName: "Lee" },
				emails: [
					{ value: "Ann.Lee@example.com", type: "work", primary: true },
					{ value: "a.lee@example.com", type: "other" },
				],
				active: true,
				title: "Engineer",
				department: "R&D",
				phoneNumbers: [
					{ value: "+1 555 1", type: "work" },
					{ value: "+1 555 2", type: "mobile" },
				],
				manager: "b0",
				employeeNumber: "7",
			}),
		);
	});

	it.each([
		{ without: ["userPrincipalName"], gives: { userName: "alee@corp.example.com" } },
		{ without: ["displayName"], gives: { displayName: "alee" } },
		{
			without: ["primarySmtpAddress", "otherSmtpAddresses"],
			gives: { emails: [{ value: "ann@old.example.com", type: "work", primary: true }] },
		},
		{ without: ["employeeNumber"], gives: { employeeNumber: "E7" } },
		{ without: ["givenName"], gives: { name: { familyName: "Lee" } } },
		{ without: ["telephoneNumber"], gives: { phoneNumbers: [{ value: "+1 555 2", type: "mobile" }] } },
	])("falls back when there is no $without", ({ without, gives }) => {
		const attributes = Object.fromEntries(Object.entries(full).filter(([name]) => !without.includes(name)));
		expect(map(activeDirectoryMapping, attributes)).toMatchObject({ kind: "account", account: gives });
	});

	it("leaves out what has no value, and a manager who is not in scope", () => {
		expect(map(activeDirectoryMapping, { userPrincipalName: ["x@y"], manager: ["CN=Gone"] })).toEqual({
			kind: "account",
			account: { userName: "x@y" },
		});
	});

	it("asks for exactly the attributes it uses", () => {
		expect(attributesOf(activeDirectoryMapping)).toEqual(
			Object.keys(full)
				.map((name) => name.toLowerCase())
				.sort(),
		);
	});
});

describe("a mapping", () => {
	it("sets an entry without a userName aside, naming the template", () => {
		expect(map({ userName: "{mail | lower}" }, { cn: ["x"] })).toEqual({
			kind: "unmappable",
			reason: 'no value for userName, which is mapped as "{mail | lower}"',
		});
	});

	it("does not take a blank userName for one", () => {
		expect(map({ userName: "{cn}" }, { cn: ["  "] }).kind).toBe("unmappable");
	});

	it("turns a field off by an empty template", () => {
		expect(map({ ...activeDirectoryMapping, title: "" }, { userPrincipalName: ["x@y"], title: ["Dr"] })).toEqual({
			kind: "account",
			account: { userName: "x@y" },
		});
	});
});

describe("the default mapping of ldap", () => {
	const person = { uid: ["alee"], cn: ["Ann Lee"], sn: ["Lee"], mail: ["ann@a.example", "lee@a.example", "ANN@a.example"], ou: ["Lab"] };

	it("takes the first mail for the primary, further ones for others, and each once", () => {
		expect(map(ldapMapping, person)).toEqual({
			kind: "account",
			account: {
				userName: "alee",
				displayName: "Ann Lee",
				name: { familyName: "Lee" },
				emails: [
					{ value: "ann@a.example", type: "work", primary: true },
					{ value: "lee@a.example", type: "other" },
				],
				department: "Lab",
			},
		});
	});

	it("of Google's directory calls people by their address", () => {
		expect(map(googleMapping, person)).toMatchObject({ account: { userName: "ann@a.example", displayName: "Ann Lee" } });
	});
});
