import { expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { attributesOf, parseFilter, printFilter } from "../../src/core/filter-text.ts";

it.each([
	"(mail=*)",
	"(cn=Ann)",
	"(cn=)",
	"(&(objectClass=user)(|(mail=*)(!(department=Sales))))",
	"(&)",
	"(|)",
	"(uSNChanged>=15)",
	"(pwdLastSet<=0)",
	"(cn~=ann)",
	"(cn=A*)",
	"(cn=*n)",
	"(cn=A*n*e)",
	"(cn=*n*)",
	"(cn=\\2a\\28x\\29\\5c)",
	"(cn=Zoë)",
	"(userAccountControl:1.2.840.113556.1.4.803:=2)",
	"(cn:dn:2.4.6.8.10:=Ann)",
	"(:dn:2.4.6.8.10:=Ann)",
	"(cn:=Ann)",
	"(userCertificate;binary=*)",
	"(1.2.3.4=x)",
])("%s is read and printed as it was", (text) => {
	expect(printFilter(parseFilter(text))).toBe(text);
});

it.each([
	[" ( & (a=b) (c=d) ) ", "(&(a=b)(c=d))"],
	["(cn=Zo\\c3\\ab)", "(cn=Zoë)"],
	["(cn=**)", "(cn=*)"],
	["(cn=a**b)", "(cn=a*b)"],
])("%s means %s", (text, normal) => {
	expect(printFilter(parseFilter(text))).toBe(normal);
});

it("octets that are no text survive", () => {
	const filter = parseFilter("(objectGUID=\\b7\\e9\\f5\\00)");
	expect(filter).toMatchObject({ kind: "equal", value: Buffer.from([0xb7, 0xe9, 0xf5, 0]) });
	expect(parseFilter(printFilter(filter))).toEqual(filter);
});

it.each([
	["mail=*", 1, '"(" should stand'],
	["(mail=*", 8, '")" should stand'],
	["(mail=*))", 9, "nothing more"],
	["(mail)", 2, "an attribute name and one of"],
	["()", 2, "a condition"],
	["(&(a=b)", 8, '")" should stand'],
	["(mail!=x)", 2, "write (!(mail=…))"],
	["(mail = x)", 2, "no space"],
	["(cn=a(b)", 6, "\\28"],
	["(cn=a\\(b)", 6, "two hex digits"],
	["(cn=a\\*b)", 6, "\\2a"],
	["(-a=b)", 2, "an attribute name"],
	["", 1, '"("'],
	["(!(a=b)(c=d))", 8, '")"'],
])("%s is refused at position %d: %s", (text, position, message) => {
	expect(() => parseFilter(text)).toThrow(Failure);
	expect(() => parseFilter(text)).toThrow(`at position ${position}: `);
	expect(() => parseFilter(text)).toThrow(message);
});

it("a filter that nests without end is refused, not a crash", () => {
	expect(() => parseFilter("(!".repeat(100_000))).toThrow("deeper");
});

it("says which attributes it asks about", () => {
	expect([...attributesOf(parseFilter("(&(Mail=*)(!(departmentNumber;x=1))(memberOf:1.2:=x)(mail=a*))"))]).toEqual([
		"mail",
		"departmentnumber",
		"memberof",
	]);
});
