import { describe, expect, it } from "vitest";
import { good, load, placesOf, problemsIn } from "./configure.ts";

const ad = "    type: active-directory";
const ldap = "    type: ldap\n    preset: openldap";

describe("a source of type ldap", () => {
	it("has the mapping of inetOrgPerson, and nothing in place of its preset's lines", () => {
		const { config } = load(good({ type: ldap }));
		expect(config.sources[0]).toMatchObject({
			type: "ldap",
			preset: "openldap",
			changes: "auto",
			groups: undefined,
			overrides: { anchor: undefined, people: undefined, disabled: undefined, groupClasses: undefined, members: undefined },
			mapping: { userName: "{uid}", "emails.primary": "{mail}", "emails.other": "{mail}", department: "{departmentNumber ?? ou}" },
		});
		expect(config.sources[0]).not.toHaveProperty("watch");
	});

	it("takes people by their address with preset google, and the configuration's own lines with every preset", () => {
		const google = good({ type: "    type: ldap\n    preset: google", "+": 'mapping: { title: "{employeeType}" }' });
		expect(load(google).config.sources[0]?.mapping).toMatchObject({ userName: "{mail}", title: "{employeeType}" });
	});

	it("overrides its preset line by line", () => {
		const own = [
			"    anchor: nsUniqueId",
			'    people: "(objectClass=posixAccount)"',
			'    disabled: ""',
			'    groups: { objects: "(objectClass=posixGroup)", members: [memberUid] }',
			"    changes: timestamp",
		];
		expect(load(good({ type: [ldap, ...own].join("\n") })).config.sources[0]).toMatchObject({
			changes: "timestamp",
			groups: { bases: ["DC=corp,DC=example,DC=com"] },
			overrides: {
				anchor: "nsUniqueId",
				people: "(objectClass=posixAccount)",
				disabled: "",
				groupClasses: "(objectClass=posixGroup)",
				members: ["memberUid"],
			},
		});
	});
});

describe("a source", () => {
	it("keeps no groups unless it is told to, then all beneath its base, or those of a base and kind", () => {
		const groupsOf = (lines: string) => load(good({ type: `${ad}${lines}` })).config.sources[0]?.groups;
		expect(groupsOf("")).toBeUndefined();
		expect(groupsOf("\n    groups: {}")).toEqual({
			bases: ["DC=corp,DC=example,DC=com"],
			filter: undefined,
			exclude: [],
			kinds: ["security", "distribution"],
		});
		expect(groupsOf('\n    groups: { base: ["OU=A,DC=b", "OU=C,DC=b"], type: distribution, filter: "(cn=a*)" }')).toEqual({
			bases: ["OU=A,DC=b", "OU=C,DC=b"],
			filter: "(cn=a*)",
			exclude: [],
			kinds: ["distribution"],
		});
	});

	it("may leave its servers to DNS", () => {
		const { config, warnings } = load(good({ urls: "    domain: corp.example.com\n    site: London" }));
		expect(config.sources[0]).toMatchObject({ urls: [], domain: { name: "corp.example.com", site: "London" } });
		expect(warnings.map(({ path }) => path)).toEqual(["sources[0].bind.password"]);
	});

	it("and is warned where DNS leads to plain LDAP, not where StartTLS secures it", () => {
		const warned = (lines: string) => load(good({ urls: `    domain: corp.example.com\n${lines}` })).warnings.map(({ path }) => path);
		expect(warned("    insecure: true")).toContain("sources[0].domain");
		expect(warned("    insecure: true\n    tls: { startTls: true }")).not.toContain("sources[0].domain");
	});

	it.each(["usn", "dirsync", "full"])("of type active-directory may find changes by %s, and be woken by them", (changes) => {
		const watch = changes !== "full";
		const { config } = load(good({ type: `${ad}\n    changes: ${changes}\n    watch: ${watch}` }));
		expect(config.sources[0]).toMatchObject({ changes, watch });
	});

	it.each([
		{ what: "watch", type: `${ldap}\n    watch: true`, at: "5:5 sources[0].watch", says: "watch is for sources of type active-directory" },
		{ what: "a kind of groups", type: `${ldap}\n    groups: { type: all }`, at: "5:15 sources[0].groups.type", says: "active-directory" },
		{ what: "a preset", type: `${ad}\n    preset: freeipa`, at: "4:5 sources[0].preset", says: "preset is for sources of type ldap" },
		{ what: "an anchor", type: `${ad}\n    anchor: objectGUID`, at: "4:5 sources[0].anchor", says: "type ldap" },
		{ what: "who is a person", type: `${ad}\n    people: "(a=b)"`, at: "4:5 sources[0].people", says: "type ldap" },
		{ what: "who is disabled", type: `${ad}\n    disabled: ""`, at: "4:5 sources[0].disabled", says: "type ldap" },
		{ what: "what is a group", type: `${ad}\n    groups: { objects: "(a=b)" }`, at: "4:15 sources[0].groups.objects", says: "type ldap" },
		{ what: "what names members", type: `${ad}\n    groups: { members: [x] }`, at: "4:15 sources[0].groups.members", says: "type ldap" },
		{
			what: "syncrepl",
			type: `${ad}\n    changes: syncrepl`,
			at: "4:14 sources[0].changes",
			says: "write one of auto, usn, dirsync, full",
		},
		{ what: "usn", type: `${ldap}\n    changes: usn`, at: "5:14 sources[0].changes", says: "write one of auto, syncrepl, timestamp, full" },
		{ what: "dirsynk", type: `${ldap}\n    changes: dirsynk`, at: "5:14 sources[0].changes", says: "dirsync" },
		{ what: "no preset", type: "    type: ldap", at: "2:5 sources[0].preset", says: "add preset: openldap (or 389ds, freeipa, google)" },
		{ what: "a preset misspelled", type: "    type: ldap\n    pre-set: openldap", at: "4:5 sources[0].pre-set", says: "write preset" },
		{ what: "a preset that is none", type: "    type: ldap\n    preset: openldp", at: "4:13 sources[0].preset", says: "write openldap" },
		{ what: "watch without deltas", type: `${ad}\n    changes: full\n    watch: true`, at: "5:12 sources[0].watch", says: "changes: full" },
		{ what: "groups without a map", type: `${ad}\n    groups:`, at: "4:12 sources[0].groups", says: "a map" },
		{ what: "an anchor with options", type: `${ldap}\n    anchor: a;binary`, at: "5:13 sources[0].anchor", says: "without options" },
		{
			what: "a DN of a group without quotes",
			type: `${ad}\n    users: { groups: [CN=a,DC=b] }`,
			at: "4:23 sources[0].users.groups[0]",
			says: '["CN=a,DC=b"]',
		},
		{
			what: "a base of groups within another",
			type: `${ad}\n    groups: { base: ["DC=b", "OU=a,DC=b"] }`,
			at: "4:30 sources[0].groups.base[1]",
			says: "read already",
		},
	])("has one problem with $what: $at", ({ type, at, says }) => {
		const problems = problemsIn(good({ type }));
		expect(placesOf(problems)).toEqual([at]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});

	it.each([
		{ what: "neither urls nor domain", urls: "", at: "2:5 sources[0].urls", says: "urls is missing" },
		{ what: "a misspelled domain, said once", urls: "    domian: corp.example.com", at: "4:5 sources[0].domian", says: "write domain" },
		{ what: "both", urls: "    urls: [ldaps://a]\n    domain: b.example", at: "5:5 sources[0].domain", says: "remove one of the two" },
		{ what: "a site alone", urls: "    urls: [ldaps://a]\n    site: London", at: "5:5 sources[0].site", says: "site without domain" },
		{ what: "an address", urls: "    domain: 10.0.0.1", at: "4:13 sources[0].domain", says: "write urls: [ldaps://10.0.0.1]" },
		{ what: "a URL", urls: "    domain: ldaps://dc1.corp", at: "4:13 sources[0].domain", says: "move it to urls" },
		{ what: "no name", urls: "    domain: corp..com", at: "4:13 sources[0].domain", says: "corp.example.com" },
		{ what: "a site that is none", urls: "    domain: b.example\n    site: a.b", at: "5:11 sources[0].site", says: "as in London" },
	])("is told where its servers are wrong, $what: $at", ({ urls, at, says }) => {
		const problems = problemsIn(good({ urls }));
		expect(placesOf(problems)).toEqual([at]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});

	it("type ldap knows no sites", () => {
		const problems = problemsIn(good({ type: ldap, urls: "    domain: lab.example.com\n    site: London" }));
		expect(placesOf(problems)).toEqual(["6:5 sources[0].site"]);
	});

	it.each([
		{ what: "nothing", bind: "{}", at: ["5:11 sources[0].bind.user", "5:11 sources[0].bind.password"] },
		{ what: "no password", bind: "{ user: a }", at: ["5:11 sources[0].bind.password"] },
		{ what: "a misspelled user", bind: "{ usr: a, password: b }", at: ["5:13 sources[0].bind.usr"] },
		{ what: "what others call it", bind: "{ bindDn: a, password: b }", at: ["5:13 sources[0].bind.bindDn"] },
		{ what: "another mechanism", bind: "{ sasl: gssapi }", at: ["5:19 sources[0].bind.sasl"] },
		{
			what: "an identity without sasl",
			bind: "{ user: a, password: b, authorizationId: 'u:x' }",
			at: ["5:35 sources[0].bind.authorizationId"],
		},
		{ what: "external without a certificate", bind: "{ sasl: external }", at: ["5:19 sources[0].bind.sasl"] },
		{
			what: "external and a user",
			bind: "{ sasl: external, user: a }",
			at: ["5:19 sources[0].bind.sasl", "5:29 sources[0].bind.user"],
		},
		{
			what: "an identity of no form",
			bind: "{ sasl: external, authorizationId: x }",
			at: ["5:19 sources[0].bind.sasl", "5:46 sources[0].bind.authorizationId"],
		},
	])("is told how it binds wrongly, $what", ({ bind, at }) => {
		expect(placesOf(problemsIn(good({ bind: `    bind: ${bind}` })))).toEqual(at);
	});
});

describe("what holds for all sources", () => {
	it("groups have limits of their own, which none takes away", () => {
		const limitsOf = (more: Record<string, string>) => load(good(more)).config.sources[0]?.groupLimits;
		expect(limitsOf({})).toEqual({ deleted: { count: 10, percent: 10, floor: 3 }, removed: { percent: 10, floor: 50 } });
		expect(limitsOf({ "+": "limits: { groups: { count: none, percent: none }, members: { count: 500 } }" })).toEqual({
			deleted: undefined,
			removed: { count: 500, percent: 10, floor: 50 },
		});
	});

	it("nobody is matched with an account of another source unless a field is named, and one that is mapped", () => {
		expect(load(good()).config.match).toBe("none");
		const { config, warnings } = load(good({ "+": "match: employeeNumber" }));
		expect(config.match).toBe("employeeNumber");
		expect(warnings.map(({ path }) => path)).not.toContain("match");
		const none = load(good({ "+": 'match: email\nmapping: { emails.primary: "" }' })).warnings;
		expect(none).toContainEqual(expect.objectContaining({ path: "match", message: expect.stringContaining("matches nobody") }));
	});
});

describe("an attribute that no delta can see change", () => {
	const warningsOf = (text: string) =>
		load(text)
			.warnings.filter(({ message }) => message.includes("a delta cannot see"))
			.map(({ line, path, message, remedy }) => `${line} ${path}: ${message.split(" ")[0]}: ${remedy}`);

	it.each([
		{ lines: '\n    users: { filter: "(memberOf=CN=a)" }', says: "4 sources[0].users.filter: memberOf: use users.groups" },
		{ lines: '\n    users: { filter: "(!(MEMBEROF:1.2.3:=CN=a))" }', says: "4 sources[0].users.filter: MEMBEROF: use users.groups" },
		{ lines: '\n    users: { filter: "(tokenGroups=*)" }', says: "4 sources[0].users.filter: tokenGroups: leave it out" },
		{ lines: '\n    groups: { filter: "(memberOf=CN=a)" }', says: "4 sources[0].groups.filter: memberOf: leave it out" },
	])("is warned of in a filter: $says", ({ lines, says }) => {
		expect(warningsOf(good({ type: `${ad}${lines}` }))).toEqual([says]);
	});

	it("is warned of in a mapping, for the types of directory that compute it", () => {
		const mapping = 'mapping: { title: "{title ?? modifyTimestamp}", department: "{entryDN}", displayName: "{memberOf | first}" }';
		const memberOf = "7 mapping.displayName: memberOf: leave it out";
		expect(warningsOf(good({ "+": mapping }))).toEqual([memberOf, "7 mapping.title: modifyTimestamp: leave it out"]);
		expect(warningsOf(good({ type: ldap, "+": mapping }))).toEqual([
			memberOf.replace("7", "8"),
			"8 mapping.department: entryDN: leave it out",
		]);
	});

	it("names the sources that will read everything", () => {
		const second = "  - { name: lab, type: ldap, preset: 389ds, urls: [ldaps://a], bind: { user: a, password: b }, base: DC=a }";
		const { warnings } = load(good({ "+": `${second}\nmapping: { title: "{modifyTimestamp}", department: "{memberOf}" }` }));
		const messages = warnings.map(({ message }) => message);
		expect(messages).toContainEqual(expect.stringMatching(/^modifyTimestamp .*every reading of corp will be a full one$/));
		expect(messages).toContainEqual(expect.stringMatching(/^memberOf .*every reading of corp and lab will be a full one$/));
	});

	it("is not, where every reading is a full one", () => {
		const own = '\n    changes: full\n    users: { filter: "(memberOf=CN=a)" }';
		expect(warningsOf(good({ type: `${ad}${own}`, "+": 'mapping: { title: "{directReports}" }' }))).toEqual([]);
	});
});
