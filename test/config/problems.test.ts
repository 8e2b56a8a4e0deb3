import { describe, expect, it } from "vitest";
import { good, placesOf, problemsIn } from "./configure.ts";

describe("the problems of a configuration", () => {
	it("eight mistakes of all sorts are eight problems, each with its line and column", () => {
		const problems = problemsIn(
			[
				"htpp: { listen: 127.0.0.1:8640 }", // unknown key
				"sources:",
				"  - name: corp",
				"    type: active-directory",
				"    urls: [ldap://dc1.corp.example.com]", // plain LDAP
				"    bind: { user: svc@corp, password: $" + "{AD_PASSWORD} }", // not set
				"    base: DC=corp,DC", // not a DN
				'    users: { filter: "(mail=*" }', // not a filter
				'    schedule: { delta: "61 * * * *" }', // not a schedule
				"log:",
				"\tlevel: info", // a tab
				"limits: { disable: { percent: 105 } }", // out of range
			].join("\n"),
		);
		expect(placesOf(problems)).toEqual([
			"1:1 htpp",
			"5:12 sources[0].urls[0]",
			"6:39 sources[0].bind.password",
			"7:11 sources[0].base",
			"8:22 sources[0].users.filter",
			"9:24 sources[0].schedule.delta",
			expect.stringMatching(/^11:1 /),
			"12:31 limits.disable.percent",
		]);
		for (const problem of problems) expect([problem.message, problem.remedy].every((text) => text.length > 5)).toBe(true);
	});

	it.each([
		{ mistake: "a misspelled key", lines: { "+": "lifecylce: { onDeleted: keep }" }, at: "7:1 lifecylce", says: "write lifecycle" },
		{
			mistake: "a misspelled required key, said once",
			lines: { urls: "    url: [ldaps://dc1]" },
			at: "4:5 sources[0].url",
			says: "write urls",
		},
		{ mistake: "a missing key", lines: { base: "" }, at: "2:5 sources[0].base", says: "base is missing" },
		{ mistake: "a key that stands twice", lines: { "+": "log: { level: info }\nlog: { level: warn }" }, at: "8:1 log", says: "twice" },
		{
			mistake: "a choice that is none",
			lines: { "+": "lifecycle: { onDeleted: disabel }" },
			at: "7:25 lifecycle.onDeleted",
			says: "write disable",
		},
		{
			mistake: "a number as a password",
			lines: { bind: "    bind: { user: a, password: 0123 }" },
			at: "5:32 sources[0].bind.password",
			says: "quotes",
		},
		{
			mistake: "a template without quotes",
			lines: { "+": "mapping: { userName: {mail} }" },
			at: "7:22 mapping.userName",
			says: 'quotes: "{mail}"',
		},
		{
			mistake: "an unknown function",
			lines: { "+": 'mapping: { title: "{title | shout}" }' },
			at: "7:19 mapping.title",
			says: "lower, upper, trim, first",
		},
		{ mistake: "no userName", lines: { "+": 'mapping: { userName: "" }' }, at: "7:22 mapping.userName", says: "cannot be turned off" },
		{
			mistake: "percent with its sign",
			lines: { "+": 'limits: { delete: { percent: "5%" } }' },
			at: "7:30 limits.delete.percent",
			says: "write 5",
		},
		{ mistake: "a duration without a unit", lines: { "+": "retention: { runs: 90 }" }, at: "7:20 retention.runs", says: "unit" },
		{ mistake: "a port alone", lines: { "+": "http: { listen: 8640 }" }, at: "7:17 http.listen", says: "host:port" },
		{ mistake: "what others call it", lines: { urls: "    servers: [ldaps://dc1]" }, at: "4:5 sources[0].servers", says: "write urls" },
		{ mistake: "a duration in words", lines: { "+": "retention: { runs: 90 days }" }, at: "7:20 retention.runs", says: "30d" },
		{
			mistake: "a time zone that is none",
			lines: { base: "    base: DC=b\n    schedule: { timezone: Europe/Londn }" },
			at: "7:27 sources[0].schedule.timezone",
			says: "IANA",
		},
		{ mistake: "an http URL", lines: { urls: "    urls: [https://dc1]" }, at: "4:12 sources[0].urls[0]", says: "not a directory" },
		{ mistake: "a password in a URL", lines: { urls: "    urls: ['ldaps://u:pw@dc1']" }, at: "4:12 sources[0].urls[0]", says: "bind.user" },
		{
			mistake: "StartTLS on ldaps",
			lines: { urls: "    urls: [ldaps://dc1]\n    tls: { startTls: true }" },
			at: "4:12 sources[0].urls[0]",
			says: "StartTLS",
		},
		{
			mistake: "a CA that is not there",
			lines: { urls: "    urls: [ldaps://dc1]\n    tls: { ca: ./none.pem }" },
			at: "5:16 sources[0].tls.ca",
			says: "no such file",
		},
		{
			mistake: "a secret in two places",
			lines: { bind: "    bind: { user: a, password: { file: a, env: B } }" },
			at: "5:32 sources[0].bind.password",
			says: "one of file, env",
		},
		{
			mistake: "a DN in a list without quotes",
			lines: { base: "    base: [OU=Staff,DC=corp]" },
			at: "6:12 sources[0].base[0]",
			says: '"OU=Staff,DC=corp"',
		},
		{
			mistake: "a DN within braces without quotes",
			lines: { base: "    base: DC=b\n    users: { exclude: [], OU=x,DC=b }" },
			at: "7:27 sources[0].users.OU=x",
			says: "quotes",
		},
		{
			mistake: "a base within another",
			lines: { base: '    base: ["DC=b", "ou=x,dc=B"]' },
			at: "6:20 sources[0].base[1]",
			says: "read already",
		},
		{ mistake: "a base twice", lines: { base: '    base: ["DC=b", "dc = B"]' }, at: "6:20 sources[0].base[1]", says: "read already" },
		{ mistake: "a port that is none", lines: { "+": "http: { listen: 127.0.0.1:99999 }" }, at: "7:17 http.listen", says: "host:port" },
		{ mistake: "an empty list of sources", lines: { sources: "sources: []\nx:" }, at: "1:10 sources", says: "at least one" },
		{ mistake: "text where a list belongs", lines: { "+": "protect: CN=a" }, at: "7:10 protect", says: '["CN=a"]' },
	])("$mistake: $at", ({ lines, at, says }) => {
		const problems = problemsIn(good(lines as Record<string, string>)).filter((problem) => !/^x/.test(problem.path));
		expect(placesOf(problems)).toEqual([at]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});

	it.each(["csv", "entra", "google"])("what later versions do is refused by name: a source of type %s, once", (type) => {
		expect(problemsIn(good({ type: `    type: ${type}` }))).toMatchObject([
			{ path: "sources[0].type", message: `this version of dirsyncd does not do type: ${type} yet` },
		]);
	});

	it("a misspelled type hides nothing of its source", () => {
		const text = good({ type: "    type: activedirectory", urls: "    urls: [ldap://dc1]", base: "    base: DC=corp,DC" });
		expect(placesOf(problemsIn(text))).toEqual(["3:11 sources[0].type", "4:12 sources[0].urls[0]", "6:11 sources[0].base"]);
	});

	it("names of sources are different, whatever their case", () => {
		const second = [
			"  - name: CORP",
			"    type: active-directory",
			"    urls: [ldaps://a]",
			"    bind: { user: a, password: b }",
			"    base: DC=a",
		].join("\n");
		expect(placesOf(problemsIn(good({ "+": second })))).toEqual(["7:11 sources[1].name"]);
	});

	it.each([
		{ broken: "    tls: { ca: ./x.pem", at: 7, what: "an unclosed brace" },
		{ broken: '    tls: { ca: "./x.pem }', at: 7, what: "an unclosed quote" },
		{ broken: "    insecure true", at: 7, what: "a forgotten colon" },
		{ broken: "   insecure: true", at: 7, what: "a wrong indentation" },
		{ broken: "    insecure: *true", at: 7, what: "an unknown alias" },
		{ broken: "    insecure: @true", at: 7, what: "a reserved character" },
		{ broken: "    insecure: !!what true", at: 7, what: "an unknown tag" },
		{ broken: "    insecure: ]", at: 7, what: "a bracket alone" },
		{ broken: "    insecure: a: b", at: 7, what: "two colons" },
	])("$what hides nothing before or behind it", ({ broken, at }) => {
		const problems = problemsIn(`sorces: 1\n${good({ base: `${broken}\n    base: DC=corp,DC` })}log: { level: lowd }\n`);
		expect(problems.map((problem) => problem.line)).toEqual([1, at, 8, 9]);
	});

	it("a password never stands in a problem, wherever it was put", () => {
		const texts = [
			good({ bind: "    bind: { user: a, pasword: hunter2 }" }),
			good({ bind: "    bind: { user: a, password: *hunter2 }" }),
			good({ bind: "    bind: { user: a, password: [hunter2] }" }),
			good({ bind: "    bind: [a, hunter2]" }),
			good({ bind: "    bind:\n      user: a\n      password: hunter2: x" }),
			good({ bind: "    bind: { user: a, password: @hunter2 }" }),
			good({ bind: '    bind: { user: a, password: "hunter2 }' }),
			good({ urls: "    urls: ['ldaps://a:hunter2@dc1']" }),
		];
		for (const text of texts) {
			const problems = problemsIn(text);
			expect(problems.length).toBeGreaterThan(0);
			expect(JSON.stringify(problems)).not.toContain("hunter2");
		}
	});

	it("an empty file, and one that is no map, have problems and do not throw", () => {
		expect(placesOf(problemsIn(""))).toEqual(["1:1 sources"]);
		expect(problemsIn("- a\n- b\n")).toHaveLength(1);
		expect(problemsIn("just text").length).toBeGreaterThan(0);
		expect(problemsIn("{{{{{{").length).toBeGreaterThan(0);
		expect(problemsIn("a: &a [*a]\nb: *a\n").length).toBeGreaterThan(0);
	});
});
