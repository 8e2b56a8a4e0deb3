import { describe, expect, it } from "vitest";
import type { Matter, MatterDetail } from "../../src/core/matter.ts";
import type { Stationery } from "../../src/notify/letter.ts";
import { asHtml } from "../../src/notify/letter-html.ts";
import { asHeader, asText } from "../../src/notify/letter-text.ts";
import { writeMatter } from "../../src/notify/matter-letter.ts";
import { writeReport } from "../../src/notify/report-letter.ts";

const NOW = Date.UTC(2026, 10, 27, 9);
const DAY = 86_400_000;
const stationery: Stationery = { timezone: "America/New_York", page: "https://sync.example.com/", config: "/etc/dirsyncd/dirsyncd.yaml" };

const matter = (detail: MatterDetail): Matter => ({
	key: "",
	about: "corp",
	since: NOW - 20 * 60_000,
	detail,
	run: undefined,
	runAt: undefined,
	wellSince: undefined,
	told: undefined,
});
const write = (detail: MatterDetail, state: "opened" | "recovered" | "reminder" = "opened") =>
	writeMatter({ matter: matter(detail), state, at: NOW }, stationery);

const kinds = (...counts: readonly [string, number, string, string?][]) =>
	counts.map(([kind, count, because, target = ""]) => ({ kind, count, because, target }));
const held = (...counts: readonly [string, number, string, string?][]): MatterDetail => ({
	...{ kind: "held", plan: "sha256:abc", kinds: kinds(...counts), first: [{ name: "ada@corp", kind: "disable", why: "is gone" }] },
	count: counts.reduce((sum, [, count]) => sum + count, 0),
});
const failed: MatterDetail = { kind: "failed", runs: 2, because: "no answer from dc1", hint: "Start dc1.", lastSuccessAt: NOW - DAY };
const target: MatterDetail = { kind: "target", because: "it refuses (401)", hint: "Renew the token.", pending: 1, retryAt: NOW + 60_000 };

describe("a subject says it all", () => {
	it.each<{ detail: MatterDetail; subject: string; over: string }>([
		{ detail: held(["disable", 62, "limit 50"]), subject: "62 disables are held, limit 50", over: "nothing is held any more" },
		{ detail: held(["disable", 1, "protected"]), subject: "1 disable is held, protected", over: "nothing is held any more" },
		{
			detail: held(["disable", 62, "limit 50"], ["disable", 1, "protected"], ["group remove", 2, "limit 1"]),
			subject: "63 disables, 2 removals from groups are held",
			over: "nothing is held any more",
		},
		{ detail: failed, subject: "cannot be read: no answer from dc1", over: "is read again" },
		{
			detail: { kind: "unsealed", reasons: ["a referral"] },
			subject: "the last full reading is not proven complete",
			over: "its full reading is proven complete again",
		},
		{ detail: target, subject: "takes no changes: it refuses (401)", over: "takes changes again" },
		{ detail: { kind: "quarantine", count: 3, first: [] }, subject: "3 are set aside", over: "nobody is set aside any more" },
		{
			detail: { kind: "certificate", expiresAt: NOW + 7 * DAY },
			subject: "the server's certificate expires in 7 days",
			over: "has a new certificate",
		},
		{
			detail: { kind: "certificate", expiresAt: NOW + DAY },
			subject: "the server's certificate expires in 1 day",
			over: "has a new certificate",
		},
		{ detail: { kind: "certificate", expiresAt: NOW - 1 }, subject: "the server's certificate has expired", over: "has a new certificate" },
	])("$subject; and when it is over: $over", ({ detail, subject, over }) => {
		expect(write(detail).subject).toBe(`dirsyncd corp: ${subject}`);
		expect(write(detail, "recovered").subject).toBe(`dirsyncd corp: ${over}`);
		expect(write(detail, "reminder").subject).toBe(`dirsyncd corp: still: ${subject}`);
	});
});

describe("a letter", () => {
	it("says what to do, by commands that can be pasted, with times in the readers' time zone", () => {
		const text = asText(write(failed));
		expect(text).toContain("The last 2 runs failed: no answer from dc1. The last success was at 2026-11-26 04:00 America/New_York.");
		expect(text).toContain("What to do: Start dc1.");
		expect(text).toContain("    dirsyncd check --source corp --config /etc/dirsyncd/dirsyncd.yaml\n");
		expect(text).toContain("The page: https://sync.example.com/");
		expect(asText(write(target))).toContain("1 change waits for it. It is tried again at 2026-11-27 04:01 America/New_York");
	});

	it("says the same in HTML, without a script, a picture, or anything from elsewhere", () => {
		const html = asHtml(write(held(["disable", 62, "limit 50", "crm"])));
		expect(html).toContain("dirsyncd approve sha256:abc --config /etc/dirsyncd/dirsyncd.yaml");
		expect(html).toContain("disable at crm");
		expect(html).toContain('<a href="https://sync.example.com/">');
		expect(html).not.toMatch(/<(?:script|img|link|iframe)|src=|url\(/);
	});

	it("takes nothing of a directory for markup, or for a line of its own", () => {
		const aside: MatterDetail = {
			kind: "quarantine",
			count: 1,
			first: [{ name: "<script>alert(1)</script>", reason: 'a "b"\r\n\u001b[2J' }],
		};
		expect(asHtml(write(aside))).not.toContain("<script");
		expect(asHtml(write(aside))).toContain("&lt;script&gt;");
		const withoutBreaks = asText(write(aside)).replaceAll("\n", "");
		expect(withoutBreaks).not.toMatch(/\p{Cc}/u);
	});

	it("quotes a path that a shell would take apart", () => {
		const odd = { ...stationery, config: "/etc/dir sync/it's.yaml" };
		expect(asText(writeMatter({ matter: matter(failed), state: "opened", at: NOW }, odd))).toContain(
			`--config '/etc/dir sync/it'\\''s.yaml'`,
		);
	});

	it("has a subject on one line, and not an endless one", () => {
		expect(asHeader("a\r\nBcc: b")).toBe("a Bcc: b");
		expect(asHeader("x".repeat(1000))).toHaveLength(200);
	});
});

it("a report names people in tables, those that there are", () => {
	const person = { source: "corp", userName: "ada@corp", displayName: "Ada", department: "Sales", what: "new in the directory" };
	const people = (count: number) => ({ count, first: count === 0 ? [] : [person] });
	const letter = writeReport(NOW - DAY, NOW, { joined: people(1), moved: people(0), left: people(7) }, stationery);
	expect(letter.subject).toBe("dirsyncd report: 1 joined, 0 moved, 7 left");
	const text = asText(letter);
	expect(text).toContain("From 2026-11-26 04:00 America/New_York to 2026-11-27 04:00 America/New_York: 1 joined, 0 moved, 7 left.");
	expect(text).toMatch(
		/Joiners \(1\):\n {2}name +user name +department +source +why\n {2}Ada +ada@corp +Sales +corp +new in the directory\n/,
	);
	expect(text).not.toContain("Movers");
	expect(text).toContain("and 6 more");
	expect(asHtml(letter)).toContain("<td");
});
