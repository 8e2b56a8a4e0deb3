import path from "node:path";
import { describe, expect, it } from "vitest";
import { attributesAskedBy, groupsAskedBy } from "../../src/config/asked.ts";
import { good, load, placesOf, problemsIn } from "./configure.ts";

const environment = { TOKEN: "a token of the server", HOOK: "a secret of 24 characters or more" };

/** A target on line 8, where its keys begin in column 19. */
function withTarget(type: string, keys: string, sources = ""): string {
	return good({ "+": `${sources}targets:\n  - { type: ${type}, name: a, ${keys} }` });
}

const scim = "url: 'https://scim.example.com/v2', auth: { bearer: { env: TOKEN } }";
const hook = "url: 'https://hooks.example.com/people', secret: { env: HOOK }";
const csv = "path: ./a.csv, format: csv";

const targetOf = (type: string, keys: string) => load(withTarget(type, keys), environment).config.targets[0];

describe("a target of type scim", () => {
	it("has documented defaults for all that is left out", () => {
		expect(targetOf("scim", scim)).toMatchObject({
			...{ type: "scim", url: "https://scim.example.com/v2", auth: { kind: "bearer" }, proxy: undefined },
			...{ adopt: "report", match: "userName", dialect: "path", concurrency: 8, ratePerSecond: undefined, timeoutMs: 30_000 },
			...{ memberBatch: 100, features: undefined, policies: undefined, readBack: undefined, groups: true },
			...{ when: undefined, mapping: undefined, lifecycle: undefined },
			tls: { ca: undefined, cert: undefined, key: undefined, servername: undefined },
		});
	});

	it("signs in by a token, a password or OAuth, and none of them shows", () => {
		const authOf = (auth: string) => {
			const target = targetOf("scim", `url: 'https://a/v2/', auth: ${auth}`);
			if (target?.type !== "scim") throw new Error("not of type scim");
			expect(target.url).toBe("https://a/v2");
			expect(JSON.stringify(target)).not.toContain(environment.TOKEN);
			return target.auth;
		};
		const bearer = authOf("{ bearer: { env: TOKEN } }");
		expect(bearer.kind === "bearer" && bearer.token.reveal()).toBe(environment.TOKEN);
		const basic = authOf("{ basic: { user: me, password: { env: TOKEN } } }");
		expect(basic.kind === "basic" && [basic.user, basic.password.reveal()]).toEqual(["me", environment.TOKEN]);
		const oauth = authOf("{ oauth: { tokenUrl: 'https://b/t', clientId: me, clientSecret: { env: TOKEN } } }");
		expect(oauth).toMatchObject({ kind: "oauth", tokenUrl: "https://b/t", clientId: "me", scope: undefined, clientAuth: "basic" });
		expect(oauth.kind === "oauth" && oauth.clientSecret.reveal()).toBe(environment.TOKEN);
	});

	it("does not sign in where it is told so, which is warned of", () => {
		const { config, warnings } = load(withTarget("scim", "url: 'https://a', auth: none"), environment);
		expect(config.targets[0]).toMatchObject({ auth: { kind: "none" } });
		expect(warnings.map((warning) => warning.path)).toContain("targets[0].auth");
	});

	it("may speak plain HTTP on this machine, and elsewhere where it is told so, which is warned of", () => {
		const warned = (keys: string) =>
			load(withTarget("scim", `auth: { bearer: { env: TOKEN } }, ${keys}`), environment).warnings.map((warning) => warning.path);
		for (const host of ["127.0.0.1:8080", "[::1]", "localhost:80"])
			expect(warned(`url: 'http://${host}/v2'`)).not.toContain("targets[0].url");
		expect(warned("url: 'http://scim.example.com', insecure: true")).toContain("targets[0].url");
	});

	it("may go by way of a proxy that wants a password, and is warned where that stands in the file", () => {
		const warned = (proxy: string) =>
			load(withTarget("scim", `${scim}, proxy: '${proxy}'`), { ...environment, WORD: "x" }).warnings.map((warning) => warning.path);
		expect(warned("http://proxy:3128")).not.toContain("targets[0].proxy");
		expect(warned(`http://me:\${WORD}@proxy:3128`)).not.toContain("targets[0].proxy");
		expect(warned("http://me:word@proxy:3128")).toContain("targets[0].proxy");
	});

	it.each([
		{ keys: "auth: { bearer: { env: TOKEN } }", at: "targets[0].url", says: "add url: https://scim.example.com/v2" },
		{ keys: "url: 'https://a'", at: "targets[0].auth", says: "add auth: { bearer: { env: SCIM_TOKEN } }" },
		{ keys: "url: 'https://a', auth: {}", at: "targets[0].auth", says: "one of bearer, basic, oauth" },
		{ keys: "url: 'https://a', auth: { bearer: x, basic: { user: a, password: x } }", at: "targets[0].auth", says: "not exactly one way" },
		{ keys: "url: 'https://a', auth: { baerer: x }", at: "targets[0].auth.baerer", says: "write bearer" },
		{ keys: "url: 'https://a', auth: hunter2", at: "targets[0].auth", says: '"none" or a map' },
		{ keys: "url: 'https://a', auth: { basic: { user: me } }", at: "targets[0].auth.basic.password", says: "password is missing" },
		{ keys: "url: 'https://a', auth: { bearer: { env: NONE } }", at: "targets[0].auth.bearer", says: "NONE is not set" },
		{ keys: `${scim}, adopt: exactly`, at: "", says: "write exact" },
		{ keys: `${scim}, match: username`, at: "", says: "write userName" },
		{ keys: `${scim}, dialect: patch`, at: "", says: "write path" },
		{ keys: `${scim}, concurrency: 0`, at: "", says: "at least 1" },
		{ keys: `${scim}, rate: none`, at: "", says: "a plain number" },
		{ keys: `${scim}, timeout: 30`, at: "", says: "unit" },
		{ keys: `${scim}, features: entitlement`, at: "", says: "neither entitlements nor roles" },
		{ keys: `${scim}, features: 'urn:a'`, at: "", says: "not the URN" },
		{ keys: `${scim}, policies: 'urn:ietf:params:scim:schemas:core:2.0:User:title'`, at: "", says: "SCIM's own schemas" },
		{ keys: `${scim}, features: roles, policies: roles`, at: "", says: "features go to this attribute" },
		{ keys: `${scim}, readBack: { action: report }`, at: "", says: "schedule is missing" },
		{ keys: `${scim}, readBack: { schedule: '61 * * * *' }`, at: "", says: "not a schedule" },
		{ keys: `${scim}, proxy: 'proxy:3128'`, at: "", says: "http://proxy.example.com:3128" },
		{ keys: `${scim}, proxy: 'http://me:hunter2@proxy:3128/pac'`, at: "", says: "more than a host and a port" },
		{ keys: `${scim}, tls: { ca: ./none.pem }`, at: "", says: "there is no such file" },
		{ keys: `${scim}, tls: { startTls: true }`, at: "", says: "an unknown key" },
		{ keys: `${scim}, path: ./a.csv`, at: "", says: "path is for targets of type file" },
		{ keys: `${scim}, batch: 7`, at: "", says: "batch is for targets of type webhook" },
		{ keys: `${scim}, lifecycle: { deleteAfter: 30d }`, at: "", says: "an unknown key" },
		{ keys: `${scim}, limits: { members: { count: 3 } }`, at: "", says: "an unknown key" },
		{ keys: `${scim}, limits: { disable: { percent: 105 } }`, at: "", says: "at most 100" },
		{ keys: `${scim}, mapping: { userName: '' }`, at: "", says: "cannot be turned off" },
		{ keys: `${scim}, mapping: { title: {title} }`, at: "", says: 'quotes: "{title}"' },
		{ keys: `${scim}, mapping: { titel: '{title}' }`, at: "", says: "write title" },
		{ keys: scim.replace("https", "http"), at: "targets[0].url", says: "in clear" },
		{ keys: scim.replace("https://scim.example.com", "http://10.0.0.1"), at: "targets[0].url", says: "in clear" },
		{ keys: `${scim.replace("https://scim", "http://127.scim")}`, at: "targets[0].url", says: "in clear" },
		{ keys: `${scim.replace("https", "http")}, insecure: true, tls: {}`, at: "targets[0].url", says: "remove tls" },
		{ keys: scim.replace("https", "ldaps"), at: "targets[0].url", says: "where https:// belongs" },
		{ keys: scim.replace("https://", ""), at: "targets[0].url", says: "no scheme" },
		{ keys: scim.replace("https://", "https://me:hunter2@"), at: "targets[0].url", says: "a user or password" },
		{ keys: scim.replace("/v2", "/v2?a=hunter2"), at: "targets[0].url", says: "a query" },
		{
			keys: "url: 'https://a', auth: { oauth: { tokenUrl: 'http://b', clientId: a, clientSecret: hunter2 } }",
			at: "targets[0].auth.oauth.tokenUrl",
			says: "in clear",
		},
	])("has one problem with $keys: $says", ({ keys, at, says }) => {
		const problems = problemsIn(withTarget("scim", keys), environment);
		if (at === "") expect(problems).toHaveLength(1);
		else expect(problems.map((problem) => problem.path)).toEqual([at]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
		expect(JSON.stringify(problems)).not.toContain("hunter2");
	});
});

describe("a target of type file", () => {
	it("has its path from the configuration's folder, and all columns unless some are named", () => {
		const file = load(withTarget("file", csv)).config;
		expect(file.targets[0]).toMatchObject({ type: "file", path: path.join(path.dirname(file.file), "a.csv"), content: "state" });
		const columnsOf = (columns: string) => {
			const target = targetOf("file", `${csv}${columns}`);
			return target?.type === "file" && target.format.kind === "csv" ? target.format.columns : undefined;
		};
		expect(columnsOf("")?.map(({ field }) => field)).toEqual(expect.arrayContaining(["anchor", "userName", "policies", "groups"]));
		expect(columnsOf(", columns: [userName, { heading: E-Mail, field: emails.primary }, policies.external-mail]")).toEqual([
			{ heading: "userName", field: "userName" },
			{ heading: "E-Mail", field: "emails.primary" },
			{ heading: "policies.external-mail", field: "policies.external-mail" },
		]);
	});

	it("has the base of its entries with format ldif", () => {
		expect(targetOf("file", "path: a.ldif, format: ldif, ldifBase: 'ou=p,dc=a', content: changes")).toMatchObject({
			format: { kind: "ldif", base: "ou=p,dc=a" },
			content: "changes",
		});
		expect(targetOf("file", "path: a.jsonl, format: jsonl")).toMatchObject({ format: { kind: "jsonl" } });
	});

	it.each([
		{ keys: "format: csv", says: "add path: ./out/accounts.csv" },
		{ keys: "path: a", says: "add format: csv (or jsonl, ldif)" },
		{ keys: "path: a, format: xml", says: "write one of csv, jsonl, ldif" },
		{ keys: "filename: a, format: csv", says: "write path" },
		{ keys: "path: a, format: ldif", says: 'add ldifBase: "ou=people,dc=example,dc=com"' },
		{ keys: "path: a, format: ldif, ldifBase: people", says: "not a DN" },
		{ keys: `${csv}, ldifBase: 'dc=a'`, says: "ldifBase is for format ldif" },
		{ keys: "path: a, format: jsonl, columns: [userName]", says: "columns is for format csv" },
		{ keys: `${csv}, columns: []`, says: "at least one" },
		{ keys: `${csv}, columns: [email.primary]`, says: "write emails.primary" },
		{ keys: `${csv}, columns: [shoeSize]`, says: "policies.NAME" },
		{ keys: `${csv}, columns: [{ heading: A }]`, says: "add field: emails.primary" },
		{ keys: `${csv}, columns: [userName, { heading: userName, field: anchor }]`, says: "another column is headed userName" },
		{ keys: "path: ./out/, format: csv", says: "a folder where a file belongs" },
		{ keys: "path: ./data/dirsyncd.db-wal, format: csv", says: "is the database" },
		{ keys: `${csv}, url: 'https://a'`, says: "url is for targets of type scim and webhook" },
		{ keys: `${csv}, secret: ${"x".repeat(30)}`, says: "secret is for targets of type webhook" },
	])("has one problem with $keys: $says", ({ keys, says }) => {
		const problems = problemsIn(withTarget("file", keys));
		expect(problems).toHaveLength(1);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});

	it("writes a file that no other one writes", () => {
		const text = good({ "+": `targets:\n  - { name: a, type: file, ${csv} }\n  - { name: b, type: file, ${csv.replace("./", "x/../")} }` });
		expect(placesOf(problemsIn(text))).toEqual(["9:34 targets[1].path"]);
	});
});

describe("a target of type webhook", () => {
	it("has documented defaults for all that is left out", () => {
		const target = targetOf("webhook", hook);
		expect(target).toMatchObject({ type: "webhook", url: "https://hooks.example.com/people", batch: 1, concurrency: 4, timeoutMs: 30_000 });
		expect(target?.type === "webhook" && target.secret.reveal()).toBe(environment.HOOK);
	});

	it("may have a query in its URL, where others keep their keys", () => {
		expect(targetOf("webhook", hook.replace("/people", "/people?code=1"))).toMatchObject({
			url: "https://hooks.example.com/people?code=1",
		});
	});

	it("is warned of a short secret, and of one in the configuration itself", () => {
		const { warnings } = load(withTarget("webhook", "url: 'https://a', secret: short"));
		const own = warnings.filter((warning) => warning.path === "targets[0].secret");
		expect(own.map(({ message }) => message)).toEqual([
			"the secret stands in the configuration itself",
			"a secret so short can be found by trying",
		]);
	});

	it.each([
		{ keys: "url: 'https://a'", says: "add secret: { env: HOOK_SECRET }" },
		{ keys: "secret: { env: HOOK }", says: "url is missing" },
		{ keys: `${hook}, batch: 0`, says: "at least 1" },
		{ keys: `${hook}, auth: { bearer: { env: TOKEN } }`, says: "auth is for targets of type scim" },
		{ keys: hook.replace("https", "http"), says: "in clear" },
	])("has one problem with $keys: $says", ({ keys, says }) => {
		const problems = problemsIn(withTarget("webhook", keys), environment);
		expect(problems).toHaveLength(1);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});
});

describe("targets of all types", () => {
	it("say several mistakes at once, each at its place", () => {
		const text = [
			"targets:",
			"  - name: mail",
			"    type: scim",
			"    url: http://scim.example.com",
			"    atuh: { bearer: { env: TOKEN } }",
			"    when: { any: [{ gruop: a }, { filter: '(a=b' }] }",
			"    dialect: pach",
			"    secret: hunter2",
			"  - name: MAIL",
			"    type: fiel",
			"    path: a",
		];
		expect(placesOf(problemsIn(good({ "+": text.join("\n") }), environment))).toEqual([
			"10:10 targets[0].url",
			"11:5 targets[0].atuh",
			"12:21 targets[0].when.any[0].gruop",
			"12:43 targets[0].when.any[1].filter",
			"13:14 targets[0].dialect",
			"14:5 targets[0].secret",
			"15:11 targets[1].name",
			"16:11 targets[1].type",
		]);
	});

	it.each(["local", "scim", "file", "webhook"])("of type %s may have when, mapping, lifecycle, limits and groups of their own", (type) => {
		const keys = { local: "", scim, file: csv, webhook: hook }[type] ?? "";
		const own = `when: { filter: '(a=b)' }, mapping: { title: '' }, lifecycle: { onDeleted: delete }, limits: { delete: { count: 1 } }, groups: false`;
		const text = withTarget(
			type,
			keys === "" ? own : `${own}, ${keys}`,
			"lifecycle: { onDisabled: keep }\nlimits: { update: { percent: 7 } }\n",
		);
		expect(load(text, environment).config.targets[0]).toMatchObject({
			when: { filter: "(a=b)" },
			mapping: { title: "" },
			lifecycle: { onDisabled: "keep", onOutOfScope: "disable", onDeleted: "delete" },
			limits: {
				update: { percent: 7, floor: 10 },
				disable: { count: 50, percent: 5, floor: 3 },
				delete: { count: 1, percent: 1, floor: 3 },
			},
			groups: false,
		});
	});

	it.each([
		{ when: "{}", at: "targets[0].when", says: "write one of group, filter, all, any, not" },
		{ when: "{ group: cn=a, filter: '(a=b)' }", at: "targets[0].when", says: "several go into all" },
		{ when: "{ not: { all: [{ any: [] }] } }", at: "targets[0].when.not.all[0].any", says: "at least one" },
		{ when: "{ not: { filtr: '(a=b)' } }", at: "targets[0].when.not.filtr", says: "write filter" },
		{ when: "{ or: [{ group: cn=a }] }", at: "targets[0].when.or", says: "write any" },
		{ when: "{ all: [{ not: { group: '' } }] }", at: "targets[0].when.all[0].not.group", says: "an empty name" },
		{ when: "{ group: 'Sales=x=,y' }", at: "targets[0].when.group", says: "not a DN" },
		{ when: "{ group: CN=Sales,DC=corp }", at: "targets[0].when.DC=corp", says: "put the whole DN in quotes" },
		{ when: "{ all: { group: cn=a } }", at: "targets[0].when.all", says: "a list" },
		{ when: "'(a=b)'", at: "targets[0].when", says: "a map" },
		{ when: "{ not: { filter: '(a=b' } }", at: "targets[0].when.not.filter", says: "not a search filter" },
	])("have one problem with when: $when", ({ when, at, says }) => {
		const problems = problemsIn(
			good({ base: "    base: DC=b\n    groups: {}", "+": `targets:\n  - { type: local, name: a, when: ${when} }` }),
		);
		expect(problems.map((problem) => problem.path)).toEqual([at]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});

	it("match by a field that is mapped, or are warned", () => {
		const warned = (keys: string) =>
			load(withTarget("scim", `${scim}, ${keys}`), environment).warnings.some((warning) => warning.path === "targets[0].match");
		expect(warned("match: employeeNumber, mapping: { employeeNumber: '' }")).toBe(true);
		expect(warned("match: emails.value, mapping: { emails.primary: '' }")).toBe(true);
		expect(warned("match: emails.value, mapping: { employeeNumber: '' }")).toBe(false);
	});

	it("have the groups that they name looked for, each once", () => {
		const when =
			"when: { any: [{ group: 'CN=a,DC=b' }, { all: [{ not: { group: 'cn=A, dc=b' } }, { filter: '(c=d)' }, { group: 'CN=e,DC=b' }] }] }";
		const { config } = load(withTarget("local", when));
		expect(groupsAskedBy(config, "corp").map((dn) => dn.toLowerCase())).toEqual(["cn=a, dc=b", "cn=e,dc=b"]);
		expect(groupsAskedBy(load(good()).config, "corp")).toEqual([]);
	});

	it("have what they ask of entries read, and are warned of what no delta can see", () => {
		const when = "when: { any: [{ filter: '(&(Division=a)(memberOf=*)(!(memberOf=CN=b)))' }, { not: { filter: '(company=*)' } }] }";
		const { config, warnings } = load(withTarget("local", `${when}, mapping: { title: '{jobTitle ?? tokenGroups}' }`));
		expect(attributesAskedBy(config, "corp")).toEqual(["company", "division", "jobtitle", "memberof", "tokengroups"]);
		const unseen = warnings.filter(({ message }) => message.includes("a delta cannot see"));
		expect(unseen.map((warning) => `${warning.path}: ${warning.remedy}`)).toEqual([
			"targets[0].mapping.title: leave it out",
			"targets[0].when.any[0].filter: use group in place of filter",
		]);
	});
});
