import path from "node:path";
import { describe, expect, it } from "vitest";
import { good, load, problemsIn } from "./configure.ts";

const environment = { WORD: "the mail server's password", HOOK: "a secret of 24 characters or more" };

const withChannel = (keys: string) => good({ "+": `notify:\n  - { name: admins, ${keys} }` });
const smtp = "type: smtp, host: mail.example.com, from: a@example.com, to: [b@example.com]";
const hook = "type: webhook, url: 'https://hooks.example.com/x', secret: { env: HOOK }";
const channelOf = (keys: string) => load(withChannel(keys), environment).config.notify[0];

describe("a channel by which people are told", () => {
	it("of type smtp is secured by STARTTLS and tells everything, unless it is told otherwise", () => {
		expect(channelOf(smtp)).toEqual({
			...{ name: "admins", type: "smtp", host: "mail.example.com", port: 587, tls: "starttls", auth: undefined, ca: undefined },
			...{ from: { name: "", address: "a@example.com" }, to: [{ name: "", address: "b@example.com" }] },
			on: ["held", "failed", "unsealed", "target", "quarantine", "certificate", "database", "recovered"],
			...{ report: undefined, timezone: "UTC", page: undefined },
		});
		expect(channelOf(`${smtp}, tls: tls`)).toMatchObject({ port: 465 });
		expect(channelOf(`${smtp}, report: daily`)).toMatchObject({ report: { every: "daily", at: "0 7 * * *" } });
		expect(channelOf(`${smtp}, report: weekly`)).toMatchObject({ report: { every: "weekly", at: "0 7 * * 1" } });
	});

	it("keeps its secrets to itself", () => {
		const mail = channelOf(`${smtp}, auth: { user: me, password: { env: WORD } }`);
		expect(mail?.type === "smtp" && mail.auth?.password.reveal()).toBe(environment.WORD);
		const web = channelOf(hook);
		expect(web?.type === "webhook" && web.secret.reveal()).toBe(environment.HOOK);
		expect(JSON.stringify([mail, web])).not.toMatch(/the mail server's|24 characters/);
	});

	it("may be in clear on this machine, and elsewhere where it is told so, which is warned of", () => {
		const warned = (keys: string) => load(withChannel(keys), environment).warnings.map((warning) => warning.path);
		expect(warned(`${smtp.replace("mail.example.com", "localhost")}, tls: none`)).not.toContain("notify[0].tls");
		expect(warned(`${smtp}, tls: none, insecure: true`)).toContain("notify[0].tls");
		expect(warned(hook.replace("{ env: HOOK }", "'short'"))).toContain("notify[0].secret");
	});

	it("names a file of certificates from the configuration's folder", () => {
		const [problem] = problemsIn(withChannel(`${smtp}, ca: ./none.pem`), environment);
		expect(problem).toMatchObject({ path: "notify[0].ca", message: expect.stringContaining(`${path.sep}none.pem`) });
	});

	it.each([
		{ keys: "type: smtp, from: a@b.example, to: [a@b.example]", at: "notify[0].host", says: "add host: mail.example.com" },
		{ keys: "type: smtp, host: a, to: [a@b.example]", at: "notify[0].from", says: "add from: dirsyncd@example.com" },
		{ keys: "type: smtp, host: a, from: a@b.example", at: "notify[0].to", says: "add to: [admins@example.com]" },
		{ keys: "type: webhook, secret: { env: HOOK }", at: "notify[0].url", says: "add url: https://hooks.example.com/dirsyncd" },
		{ keys: "type: webhook, url: 'https://a'", at: "notify[0].secret", says: "add secret" },
		{ keys: `${hook}, host: a`, at: "notify[0].host", says: "host is for channels of type smtp" },
		{ keys: `${smtp}, url: 'https://a'`, at: "notify[0].url", says: "url is for channels of type webhook" },
		{ keys: hook.replace("https", "http"), at: "notify[0].url", says: "in clear" },
		{ keys: `${smtp}, tls: none`, at: "notify[0].tls", says: "the mails cross the network in clear" },
		{
			keys: `${smtp}, tls: none, auth: { user: a, password: { env: WORD } }`,
			at: "notify[0].tls",
			says: "what we sign in with",
		},
		{ keys: `${smtp}, tls: startls`, at: "notify[0].tls", says: "write starttls" },
		{ keys: `${smtp}, at: '0 7 * * *'`, at: "notify[0].at", says: "add report: daily" },
		{ keys: `${smtp}, report: daily, at: '61 * * * *'`, at: "notify[0].at", says: "not a schedule" },
		{ keys: `${smtp}, report: daily, timezone: Mars`, at: "notify[0].timezone", says: "not a time zone" },
		{ keys: `${smtp}, on: [holds]`, at: "notify[0].on[0]", says: "write held" },
		{ keys: `${smtp}, auth: { user: a, password: { env: NONE } }`, at: "notify[0].auth.password", says: "NONE is not set" },
		{ keys: smtp.replace("a@example.com", "nobody"), at: "notify[0].from", says: "not a mail address" },
		{ keys: smtp.replace("b@example.com", '"a@b.example, c@d.example"'), at: "notify[0].to[0]", says: "not a mail address" },
		{ keys: smtp.replace("b@example.com", '"a@b.example\\nBcc: c@d.example"'), at: "notify[0].to[0]", says: "line break" },
		{ keys: smtp.replace("mail.example.com", "'smtp://mail'"), at: "notify[0].host", says: "host alone" },
	])("has one problem with $keys: $says", ({ keys, at, says }) => {
		const problems = problemsIn(withChannel(keys), environment);
		expect(problems.map((problem) => problem.path)).toEqual([at]);
		expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toContain(says);
	});

	it("has a name of its own", () => {
		const two = good({ "+": `notify:\n  - { name: admins, ${smtp} }\n  - { name: Admins, ${smtp} }` });
		expect(problemsIn(two).map(({ path, message }) => `${path} ${message}`)).toEqual([
			"notify[1].name there is another channel of this name",
		]);
	});
});
