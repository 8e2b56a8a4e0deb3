import { describe, expect, it } from "vitest";
import { parseFilter } from "../../src/core/filter-text.ts";
import { type Lookup, makeMatcher, matches, plainSchema, type Schema } from "../../src/core/matching.ts";
import { guidBytes, sidBytes, type Value } from "../../src/core/syntax.ts";

const GUID = "40f5e9b7-6038-4729-9b5f-0123456789ab";
const SID = "S-1-5-21-1004336348-1177238915-682003330-1105";

const anna: Readonly<Record<string, readonly Value[]>> = {
	objectclass: ["top", "person", "organizationalPerson", "user"],
	objectcategory: ["CN=Person,CN=Schema,CN=Configuration,DC=corp,DC=example,DC=com"],
	displayname: ["Anna Åberg"],
	givenname: ["Anna"],
	sn: ["Åberg"],
	samaccountname: ["aaberg"],
	proxyaddresses: ["SMTP:anna.aberg@corp.example.com", "smtp:anna@old.example.org"],
	useraccountcontrol: ["514"],
	grouptype: ["-2147483646"],
	usnchanged: ["12345678901234567"],
	whenchanged: ["20261101083000.0Z"],
	isdeleted: ["FALSE"],
	manager: ["CN=Smith\\, John,OU=People,DC=corp,DC=example,DC=com"],
	objectguid: [guidBytes(GUID) as Uint8Array],
	objectsid: [sidBytes(SID) as Uint8Array],
	telephonenumber: ["+44 20 7946 0001"],
	flags: ["-5"],
	loginshell: ["/bin/SH"],
	accountexpires: ["9223372036854775807"],
	pwdlastset: ["0"],
	thumbnailphoto: [Buffer.from("00ff61", "hex")],
};
/** The same person as a source decodes her: what is no text has become it. */
const decoded: Readonly<Record<string, readonly Value[]>> = {
	...anna,
	objectguid: [GUID],
	objectsid: [SID],
	thumbnailphoto: ["AP9h"],
};

const lookupIn =
	(entry: typeof anna): Lookup =>
	(attribute) =>
		attribute === "secret" ? undefined : (entry[attribute] ?? []);
const strict: Schema = { syntaxOf: (attribute) => (attribute === "nosuchattribute" ? undefined : plainSchema.syntaxOf(attribute)) };

describe("a filter with AD's matching rules", () => {
	it.each<[string, boolean | undefined, string]>([
		["(displayName=anna åberg)", true, "text has no case"],
		["(displayName=ANNA ABERG)", true, "and no accents"],
		["(displayName=Anna  Åberg)", false, "but its spaces count"],
		["(department=IT)", false, "an absent attribute is false"],
		["(!(department=IT))", true, "so its negation selects"],
		["(department=*)", false, "absent"],
		["(!(mail=*))", true, "absent, negated"],
		["(displayName=*)", true, "present"],
		["(displayName=an*berg)", true, "first and last part"],
		["(displayName=*NA Å*)", true, "a part in the middle"],
		["(displayName=*na*be*rg)", true, "parts in order"],
		["(displayName=*rg*an*)", false, "parts out of order"],
		["(sn=åb*berg)", false, "parts must not overlap"],
		["(proxyAddresses=smtp:ANNA@old.example.org)", true, "any of several values"],
		["(telephoneNumber=+44 20 7946 0001)", true, "a number is text"],
		["(userAccountControl=514)", true, "integers"],
		["(userAccountControl=0514)", true, "integers compare as numbers"],
		["(userAccountControl>=99)", true, "and are ordered as numbers, not as text"],
		["(userAccountControl<=99)", false, "ordered downwards"],
		["(uSNChanged>=12345678901234567)", true, "64 bits, exactly"],
		["(uSNChanged>=12345678901234568)", false, "one above, past what a double holds"],
		["(userAccountControl=disabled)", undefined, "no integer: Undefined"],
		["(userAccountControl=5*)", undefined, "no wildcards in numbers"],
		["(whenChanged>=20261101083000.0Z)", true, "times"],
		["(whenChanged>=20261101093000.0+0200)", true, "times with a zone: half past seven"],
		["(whenChanged<=20261101082959Z)", false, "a second earlier"],
		["(isDeleted=false)", true, "booleans have no case"],
		["(isDeleted=no)", undefined, "and only two values"],
		["(userAccountControl:1.2.840.113556.1.4.803:=2)", true, "bit set"],
		["(userAccountControl:1.2.840.113556.1.4.803:=3)", false, "not all bits set"],
		["(userAccountControl:1.2.840.113556.1.4.804:=3)", true, "one of the bits set"],
		["(userAccountControl:1.2.840.113556.1.4.804:=32)", false, "none of the bits set"],
		["(groupType:1.2.840.113556.1.4.803:=2147483648)", true, "the sign bit of a negative number"],
		["(department:1.2.840.113556.1.4.803:=2)", undefined, "bit rules are for integers"],
		["(displayName:2.5.13.2:=x)", undefined, "a rule that AD does not have"],
		["(displayName:=anna åberg)", true, "no rule: equality"],
		["(manager=cn=smith\\5c, JOHN , ou=People,dc=corp,DC=Example,dc=com)", true, "DNs by their normal form"],
		['(manager=CN="Smith, John",OU=People,DC=corp,DC=example,DC=com)', true, "quoted DNs too"],
		["(manager=CN=Smith*)", undefined, "no wildcards in DNs"],
		["(objectCategory=person)", true, "the category by a class name"],
		["(objectCategory=user)", true, "whose category is another's"],
		["(objectCategory=computer)", false, "another category"],
		["(objectCategory=CN=person,CN=Schema,CN=Configuration,DC=corp,DC=example,DC=com)", true, "the category by its DN"],
		["(objectClass=USER)", true, "classes"],
		["(objectClass=computer)", false, "another class"],
		["(objectClass=2.5.6.6)", undefined, "a class by its number, which entries do not show"],
		["(2.5.4.4=Åberg)", undefined, "nor do they show attributes by theirs"],
		[`(objectGUID=${GUID})`, true, "a GUID as text"],
		["(objectGUID=\\b7\\e9\\f5\\40\\38\\60\\29\\47\\9b\\5f\\01\\23\\45\\67\\89\\ab)", true, "a GUID as bytes"],
		["(objectGUID=\\40\\f5\\e9\\b7\\60\\38\\47\\29\\9b\\5f\\01\\23\\45\\67\\89\\ab)", false, "its text order is not its byte order"],
		[`(objectSid=${SID})`, true, "a SID as text"],
		["(objectGUID=\\b7\\e9*)", true, "the first bytes of a GUID"],
		["(objectGUID=40f5*)", false, "which are not those of its text"],
		["(objectSid=\\01\\05*)", true, "the first bytes of a SID"],
		["(objectSid=S-1-*)", false, "which is no text there"],
		["(thumbnailPhoto=\\00\\ffa)", true, "bytes"],
		["(thumbnailPhoto=\\00\\ffA)", false, "have a case"],
		["(thumbnailPhoto=*\\ff*)", true, "and parts"],
		["(thumbnailPhoto>=\\00\\ff)", true, "and an order"],
		["(thumbnailPhoto<=\\00\\ff)", false, "by which the shorter is the less"],
		["(flags>=-4)", false, "a negative number is less"],
		["(flags<=-4)", true, "than one that is nearer to 0"],
		["(flags:1.2.840.113556.1.4.803:=2147483648)", true, "its sign is a bit"],
		["(accountExpires=9223372036854775807)", true, "the greatest number"],
		["(accountExpires>=134000000000000000)", true, "never is later than any time"],
		["(pwdLastSet=0)", true, "and no time at all"],
		["(loginShell=/bin/SH)", true, "text of IA5 letters"],
		["(loginShell=/bin/sh)", false, "has a case"],
		["(sn>=ab)", true, "text is ordered by letters without their marks"],
		["(sn<=ab)", false, "so that Å is not behind z"],
		["(displayName>=~)", true, "signs come before letters, whatever their codes"],
		["(telephoneNumber<=0)", true, "and before digits"],
		["(anr=anna)", true, "ambiguous names begin with it"],
		["(anr=ann åb)", true, "or with both parts of a name"],
		["(anr=berg)", false, "but do not contain it"],
		["(&)", true, "and of nothing"],
		["(|)", false, "or of nothing"],
		["(secret=x)", undefined, "what may not be read is Undefined"],
		["(!(secret=x))", undefined, "and so is its negation"],
		["(&(secret=x)(department=IT))", false, "Undefined and False is False"],
		["(&(secret=x)(sn=*))", undefined, "Undefined and True is Undefined"],
		["(|(secret=x)(sn=*))", true, "Undefined or True is True"],
		["(|(secret=x)(department=IT))", undefined, "Undefined or False is Undefined"],
		["(!(noSuchAttribute=x))", undefined, "an attribute that the schema does not know"],
		["(noSuchAttribute=*)", undefined, "is Undefined even for presence"],
	])("%s is %s: %s", (text, expected, _why) => {
		for (const entry of [anna, decoded]) {
			expect(makeMatcher(parseFilter(text), strict)(lookupIn(entry))).toBe(expected);
			expect(matches(parseFilter(text), lookupIn(entry), strict)).toBe(expected === true);
		}
	});

	it("follows links for the in-chain rule as the directory tells it to", () => {
		const filter = parseFilter("(memberOf:1.2.840.113556.1.4.1941:=CN=All,DC=x)");
		const asked: string[] = [];
		const schema: Schema = {
			...plainSchema,
			inChain(attribute, values, target) {
				asked.push(`${attribute} ${values.join()} ${target}`);
				return true;
			},
		};
		expect(makeMatcher(filter, schema)(() => ["CN=Team,DC=x"])).toBe(true);
		expect(asked).toEqual(["memberof CN=Team,DC=x dc=x,cn=all,"]);
		expect(makeMatcher(filter, plainSchema)(() => ["CN=Team,DC=x"])).toBeUndefined();
	});
});
