import { expect, it } from "vitest";
import { parseFilter } from "../../src/core/filter-text.ts";
import type { Lookup } from "../../src/core/matching.ts";
import { explainMismatch } from "../../src/core/mismatch.ts";
import { guidBytes, type Value } from "../../src/core/syntax.ts";

const anna: Readonly<Record<string, readonly Value[]>> = {
	department: ["Sales"],
	title: ["Head of Sales"],
	useraccountcontrol: ["514"],
	proxyaddresses: ["SMTP:anna@corp.test", "smtp:a@corp.test", "smtp:b@corp.test", "smtp:c@corp.test", "smtp:d@corp.test"],
	objectguid: [guidBytes("40f5e9b7-6038-4729-9b5f-0123456789ab") as Uint8Array],
	info: ["x".repeat(100)],
	thumbnailphoto: [Buffer.from([0xff, 0xd8, 0xff])],
	displayname: [Buffer.from("Anna Åberg")],
};
const lookup: Lookup = (attribute) => (attribute === "secret" ? undefined : (anna[attribute] ?? []));

it.each<[string, readonly string[], string]>([
	["(department=sales)", [], "it matches"],
	["(&)", [], "nothing is wanted"],
	["(mail=*)", ["(mail=*) does not match: mail has no value"], "what is missing"],
	["(department=IT)", ['(department=IT) does not match: department is "Sales"'], "what is there instead"],
	["(&(department=Sales)(mail=*))", ["(mail=*) does not match: mail has no value"], "only the part that fails"],
	[
		"(&(mail=*)(&(department=Sales)(employeeID=*)))",
		["(mail=*) does not match: mail has no value", "(employeeID=*) does not match: employeeID has no value"],
		"all that fail, however deep",
	],
	["(!(department=Sales))", ['(!(department=Sales)) does not match: department is "Sales"'], "what should not be there"],
	[
		"(|(mail=*)(title=IT))",
		['(|(mail=*)(title=IT)) does not match: mail has no value, title is "Head of Sales"'],
		"an or fails as a whole, each attribute named as it is spelled",
	],
	["(|(title=a)(title=b))", ['(|(title=a)(title=b)) does not match: title is "Head of Sales"'], "each attribute once"],
	[
		"(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
		['(!(userAccountControl:1.2.840.113556.1.4.803:=2)) does not match: userAccountControl is "514"'],
		"numbers",
	],
	[
		"(proxyAddresses=x)",
		['(proxyAddresses=x) does not match: proxyAddresses is "SMTP:anna@corp.test", "smtp:a@corp.test", "smtp:b@corp.test" and 2 more'],
		"not all of many values",
	],
	["(info=x)", [`(info=x) does not match: info is "${"x".repeat(80)}…"`], "nor all of a long one"],
	[
		"(objectGUID=00000000-0000-4000-8000-000000000000)",
		['(objectGUID=00000000-0000-4000-8000-000000000000) does not match: objectGUID is "40f5e9b7-6038-4729-9b5f-0123456789ab"'],
		"a GUID as people write it",
	],
	["(thumbnailPhoto=x)", ['(thumbnailPhoto=x) does not match: thumbnailPhoto is "3 octets"'], "no octets in a sentence"],
	["(displayName=x)", ['(displayName=x) does not match: displayName is "Anna Åberg"'], "octets that are text"],
	["(anr=bob)", ["(anr=bob) does not match"], "an attribute that nobody has is not said to be missing"],
	["(secret=x)", ["(secret=x) cannot be told: secret is not known"], "what cannot be told is not said to fail"],
	["(&(secret=x)(mail=*))", ["(mail=*) does not match: mail has no value"], "what fails decides, whatever the rest is"],
	["(&(secret=x)(department=Sales))", ["(secret=x) cannot be told: secret is not known"], "where nothing fails"],
])("%s is explained: %s %s", (text, expected) => {
	expect(explainMismatch(parseFilter(text), lookup)).toEqual(expected);
});
