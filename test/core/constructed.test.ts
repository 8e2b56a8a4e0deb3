import { describe, expect, it } from "vitest";
import { isBackLink, isConstructed } from "../../src/core/constructed.ts";

describe("what a delta cannot see change", () => {
	it.each(["tokenGroups", "TOKENGROUPSGLOBALANDUNIVERSAL", "msDS-User-Account-Control-Computed", "msDS-PrincipalName", "canonicalName;x"])(
		"Active Directory computes %s",
		(attribute) => {
			expect(isConstructed(attribute)).toBe(true);
			expect(isBackLink(attribute)).toBe(false);
		},
	);

	it("modifyTimestamp is computed by Active Directory alone, entryDN by the others", () => {
		expect(["modifyTimestamp", "entryDN"].map((attribute) => isConstructed(attribute))).toEqual([true, false]);
		expect(["modifyTimestamp", "entryDN"].map((attribute) => isConstructed(attribute, "ldap"))).toEqual([false, true]);
	});

	it.each(["memberOf", "isMemberOf", "directReports", "managedObjects"])("%s is written where others name the entry", (attribute) => {
		expect(isBackLink(attribute)).toBe(true);
		expect(isConstructed(attribute)).toBe(false);
	});

	it.each(["member", "manager", "mail", "whenChanged", "userAccountControl", "primaryGroupID"])(
		"%s changes with its entry",
		(attribute) => {
			expect(isConstructed(attribute) || isConstructed(attribute, "ldap") || isBackLink(attribute)).toBe(false);
		},
	);
});
