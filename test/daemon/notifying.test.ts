import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SmtpChannel } from "../../src/config/notify-config.ts";
import { makeSecret } from "../../src/config/secret.ts";
import { matterKinds } from "../../src/core/matter.ts";
import { channelFacts, countPending } from "../../src/daemon/beside.ts";
import { makeNotifying, type Notifying } from "../../src/daemon/notifying.ts";
import { lastRunOf, makeOverview } from "../../src/daemon/overview.ts";
import { makeSightings } from "../../src/daemon/sightings.ts";
import { makeChannel } from "../../src/notify/channels.ts";
import { type Notices, openNotices } from "../../src/store/notices.ts";
import { openViews } from "../../src/store/open-views.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { makeLog } from "../../src/telemetry/log.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { type Mailbox, startMailbox } from "../support/mailbox.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const PASSWORD = "the mail server's password";
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

let folder: string;
let certificates: Certificates;
/** How long what was told of has to stay well. */
let settleMs: number;
let decided: Set<string>;
/** What came of each try, as metrics count it. */
let tries: string[];
let mailbox: Mailbox;
let fake: FakeSource;
let harness: Harness;
let certificateEnd: number | undefined;
let pageEnd: number | undefined;
let disk: { isFull: boolean; since: number };
let daemon: { readonly notifying: Notifying; readonly notices: Notices; ran(report: RunReport): void; stop(): Promise<void> };

beforeAll(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-notifying-"));
	certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
});

afterAll(() => rmSync(folder, { recursive: true }));

const openMailbox = (port = 0) =>
	startMailbox({ cert: certificates.file("good"), key: certificates.key, user: "dirsyncd", password: PASSWORD, port });

beforeEach(async () => {
	mailbox = await openMailbox();
	settleMs = 0;
	decided = new Set();
	tries = [];
	fake = makeFakeSource();
	disk = { isFull: false, since: 0 };
	certificateEnd = undefined;
	pageEnd = undefined;
	harness = openHarness(fake, { limits: { disable: { count: 50, floor: 3 } } });
});

afterEach(async () => {
	await daemon.stop();
	await mailbox.close();
	harness.close();
});

function channel(differences: Partial<SmtpChannel> = {}): SmtpChannel {
	return {
		...{ name: "admins", type: "smtp", host: "127.0.0.1", port: mailbox.port, tls: "starttls", timezone: "Europe/London", page: undefined },
		...{ ca: readFileSync(certificates.ca, "utf8"), auth: { user: "dirsyncd", password: makeSecret(PASSWORD) }, report: undefined },
		...{ from: { name: "dirsyncd", address: "dirsyncd@example.com" }, to: [{ name: "", address: "admins@example.com" }] },
		on: [...matterKinds, "recovered"],
		...differences,
	};
}

/** What a daemon has of telling, on the harness' database and by its clock. */
function start(channels: readonly SmtpChannel[] = [channel()]): void {
	const clock = () => harness.time.now;
	const views = openViews(harness.file);
	const notices = openNotices(harness.file);
	const configured = () => ({ sources: ["fake"], targets: ["accounts"], features: [] });
	const overview = makeOverview({ views, configured, clock });
	const notifying = makeNotifying({
		...{ notices, configured, clock, random: () => 0, ending: new AbortController().signal, page: "http://127.0.0.1:8640" },
		...{ config: "/etc/dirsyncd/dirsyncd.yaml", log: makeLog("silent", { write: () => {} }) },
		sightings: makeSightings({ overview, notices, decided, certificateOf: () => certificateEnd, pageCertificate: () => pageEnd }),
		pageCertificate: () => pageEnd,
		databaseTrouble: () => (disk.isFull ? { since: disk.since, because: "the disk is full", hint: "Make room." } : undefined),
		makeChannel: (config) => makeChannel(config, clock),
		observe: (name, result) => tries.push(`${name} ${result}`),
	});
	notifying.start(channels, settleMs);
	const ran = (report: RunReport) => overview.ended(report.source, lastRunOf(report));
	const stop = async () => {
		await notifying.stop();
		notices.close();
		views.close();
	};
	daemon = { notifying, notices, ran, stop };
}

async function restart(): Promise<void> {
	await daemon.stop();
	start();
}

/** A run, and what the daemon does after it. */
async function run(mode: "full" | "delta" = "full"): Promise<RunReport> {
	harness.time.now += MINUTE;
	const report = await harness.sync(mode);
	daemon.ran(report);
	await daemon.notifying.turn();
	return report;
}

async function later(ms: number): Promise<void> {
	harness.time.now += ms;
	await daemon.notifying.turn();
}

function person(number: number, more: Record<string, string[]> = {}): void {
	const cn = `Person ${String(number).padStart(3, "0")}`;
	const attributes = { cn: [cn], upn: [`p${number}@corp`], ...more };
	fake.put({ anchor: fake.anchorOf(number), cn, where: PEOPLE, standing: "enabled", attributes });
}

async function company(): Promise<void> {
	for (let number = 1; number <= 100; number++) person(number);
	await run();
}

function leave(count: number): void {
	for (let number = 1; number <= count; number++) fake.remove(fake.anchorOf(number));
}

const subjects = () => mailbox.mails.map(({ subject }) => subject);
const HELD = "dirsyncd fake: 62 disables are held, limit 50";
const SETTLED = "dirsyncd fake: nothing is held any more";

describe("of a held plan", () => {
	it("one mail comes over many runs, with all that is needed to decide, and one when it is decided", async () => {
		start();
		await company();
		leave(62);
		const { plan } = await run();
		await run("delta");
		await run("delta");
		expect(subjects()).toEqual([HELD]);
		const [mail] = mailbox.mails;
		for (const said of [mail?.text, mail?.html]) {
			expect(said).toContain(`dirsyncd approve ${plan} --config /etc/dirsyncd/dirsyncd.yaml`);
			expect(said).toContain(`dirsyncd reject ${plan} --config /etc/dirsyncd/dirsyncd.yaml`);
			expect(said).toContain("http://127.0.0.1:8640/");
			expect(said).toContain("p1@corp");
			expect(said).toContain("and 42 more");
		}
		expect(mail?.isSecure).toBe(true);

		daemon.ran(await harness.approve(plan as string));
		await daemon.notifying.turn();
		await run();
		expect(subjects()).toEqual([HELD, SETTLED]);
		expect(mailbox.mails[1]?.headers["references"]).toBe(mail?.headers["message-id"]);
	});

	it("one mail comes of one that swings, over restarts, too, and one when it has stayed well for a while", async () => {
		settleMs = 15 * MINUTE;
		start();
		await company();
		for (let swings = 0; swings < 4; swings++) {
			leave(62);
			await run();
			await restart();
			for (let number = 1; number <= 62; number++) person(number);
			await run();
			await restart();
		}
		expect(subjects()).toEqual([HELD]);
		await later(settleMs - 1);
		expect(subjects()).toEqual([HELD]);
		await restart();
		await later(1);
		expect(subjects()).toEqual([HELD, SETTLED]);
		expect(mailbox.mails[1]?.headers["references"]).toBe(mailbox.mails[0]?.headers["message-id"]);
		await later(MINUTE);
		leave(62);
		await run();
		expect(subjects()).toEqual([HELD, SETTLED, HELD]);
	});

	it("that a person decided, it is told at once", async () => {
		settleMs = 15 * MINUTE;
		start();
		await company();
		leave(62);
		const { plan } = await run();
		daemon.ran(await harness.approve(plan as string));
		await daemon.notifying.turn();
		expect(subjects()).toEqual([HELD]);
		decided.add("fake");
		await daemon.notifying.turn();
		expect(subjects()).toEqual([HELD, SETTLED]);
		expect(decided).toEqual(new Set());
	});

	it("a reminder comes once a day, and a changed plan is told anew", async () => {
		start();
		await company();
		leave(62);
		await run();
		await later(DAY);
		await later(MINUTE);
		leave(63);
		await run();
		expect(subjects()).toEqual([HELD, "dirsyncd fake: still: 62 disables are held, limit 50"]);
		await later(20 * MINUTE);
		expect(subjects().at(-1)).toBe("dirsyncd fake: 63 disables are held, limit 50");
		expect(mailbox.mails.at(-1)?.text).toContain("This is not what was told before");
	});

	it("none comes again after a restart, and what was settled meanwhile is told", async () => {
		start();
		await company();
		leave(62);
		await run();
		await restart();
		await later(MINUTE);
		await run("delta");
		expect(subjects()).toEqual([HELD]);
		await daemon.stop();
		for (let number = 1; number <= 62; number++) person(number);
		await harness.sync("full");
		start();
		await later(MINUTE);
		await restart();
		await later(MINUTE);
		expect(subjects()).toEqual([HELD, SETTLED]);
	});
});

describe("where the mail server is down", () => {
	it("mails arrive later, once, and runs go on meanwhile", async () => {
		start();
		await company();
		await mailbox.close();
		leave(62);
		await run();
		expect(await run("delta")).toMatchObject({ outcome: "held" });
		const { port, mails } = mailbox;
		mailbox = await openMailbox(port);
		// Its pauses: 10 s after the first try, 20 s after the second.
		await later(MINUTE);
		await later(MINUTE);
		expect([mails, subjects()]).toEqual([[], [HELD]]);
	});

	it("they arrive after a restart, too", async () => {
		start();
		await company();
		await mailbox.close();
		leave(62);
		await run();
		mailbox = await openMailbox(mailbox.port);
		await restart();
		await later(MINUTE);
		expect(subjects()).toEqual([HELD]);
	});

	it("it is tried less and less often", async () => {
		start();
		await company();
		await mailbox.close();
		leave(62);
		await run();
		const db = new Database(harness.file, { readonly: true });
		const attempts = db.prepare("SELECT attempts FROM notices").pluck();
		for (let minute = 0; minute < 60; minute++) await later(MINUTE);
		expect(attempts.get()).toBeLessThan(12);
		expect(attempts.get()).toBeGreaterThan(5);
		db.close();
		mailbox = await openMailbox();
	});

	it("mails wait no longer than its longest pause, also when the clock was set back", async () => {
		start();
		await company();
		await mailbox.close();
		leave(62);
		await run();
		mailbox = await openMailbox(mailbox.port);
		await later(-300 * DAY);
		expect(subjects()).toEqual([HELD]);
	});

	it("nobody is told of what began and was over before anybody could be", async () => {
		start();
		await company();
		await mailbox.close();
		leave(62);
		await run();
		for (let number = 1; number <= 62; number++) person(number);
		await run();
		mailbox = await openMailbox(mailbox.port);
		await later(DAY);
		expect(subjects()).toEqual([]);
	});
});

describe("a mail server that is down", () => {
	it("shows by its channel, since when and with the remedy, and not any more when it takes mails again", async () => {
		start([channel(), channel({ name: "others" })]);
		await company();
		const channels = () => daemon.notifying.channels().map(channelFacts);
		expect(channels().map(({ trouble }) => trouble)).toEqual([undefined, undefined]);
		await mailbox.close();
		leave(62);
		await run();
		const since = harness.time.now;
		await later(HOUR);
		expect(channels()).toMatchObject([
			{ part: "channel", name: "admins", trouble: { since, hint: expect.stringMatching(/Check host and port.*tried again by itself/) } },
			{ name: "others", trouble: { since } },
		]);
		expect(countPending(daemon.notifying, daemon.notices)).toEqual([
			{ channel: "admins", pending: 1 },
			{ channel: "others", pending: 1 },
		]);
		expect(new Set(tries)).toEqual(new Set(["admins failed", "others failed"]));
		expect(JSON.stringify(channels())).not.toContain("@example.com");
		mailbox = await openMailbox(mailbox.port);
		await later(HOUR);
		expect(tries.slice(-2).sort()).toEqual(["admins sent", "others sent"]);
		expect(channels().map(({ trouble }) => trouble)).toEqual([undefined, undefined]);
		expect(countPending(daemon.notifying, daemon.notices).map(({ pending }) => pending)).toEqual([0, 0]);
	});
});

describe("besides, somebody is told", () => {
	it("in plain words when a source cannot be read, and when it can be again", async () => {
		start();
		await company();
		fake.faults.cutAfter = 3;
		await run();
		expect(subjects()).toEqual([]);
		await run();
		await run();
		expect(subjects()).toHaveLength(1);
		expect(subjects()[0]).toMatch(/^dirsyncd fake: cannot be read: /);
		expect(mailbox.mails[0]?.text).toContain("What to do: ");
		expect(mailbox.mails[0]?.text).toContain("nobody is disabled because the directory cannot be read");
		fake.faults.cutAfter = undefined;
		await run();
		await run();
		expect(subjects().slice(1)).toEqual(["dirsyncd fake: is read again"]);
	});

	it("nothing of a run that ended with the daemon, however long that was down, before the source was tried again", async () => {
		start();
		await company();
		await expect(harness.sync("full", AbortSignal.abort())).resolves.toMatchObject({ outcome: "failed" });
		harness.time.now += DAY;
		await restart();
		await later(HOUR);
		expect(subjects()).toEqual([]);
		fake.faults.cutAfter = 3;
		await run();
		await restart();
		await later(HOUR);
		expect(subjects()).toEqual([]);
		await run();
		expect(subjects()).toHaveLength(1);
		expect(subjects()[0]).toMatch(/^dirsyncd fake: cannot be read: /);
	});

	it("when a full reading is not proven complete, with the reason, and when one is", async () => {
		start();
		await company();
		fake.faults.unsealed = ["the server stopped at a size limit"];
		await run();
		await run();
		expect(subjects()).toEqual(["dirsyncd fake: the last full reading is not proven complete"]);
		expect(mailbox.mails[0]?.text).toContain("the server stopped at a size limit");
		fake.faults.unsealed = [];
		await run();
		expect(subjects()).toHaveLength(2);
	});

	it("when somebody stays set aside, with their name and why", async () => {
		start();
		await company();
		person(101, { upn: ["p7@corp"] });
		await run();
		await later(15 * MINUTE);
		await later(15 * MINUTE);
		expect(subjects()).toEqual(["dirsyncd fake: 1 is set aside"]);
		expect(mailbox.mails[0]?.text).toContain("p7@corp");
	});

	it("before the directory server's certificate expires, and not again after a restart that has not seen it yet", async () => {
		start();
		await company();
		certificateEnd = harness.time.now + 20 * DAY;
		await later(MINUTE);
		certificateEnd = undefined;
		await restart();
		await later(MINUTE);
		certificateEnd = harness.time.now + 20 * DAY;
		await later(MINUTE);
		expect(subjects()).toEqual(["dirsyncd fake: the server's certificate expires in 20 days"]);
		certificateEnd = harness.time.now + 365 * DAY;
		await later(MINUTE);
		expect(subjects().slice(1)).toEqual(["dirsyncd fake: has a new certificate"]);
	});

	it("before the certificate expires that the page shows, with the remedy, and when there is a new one", async () => {
		start();
		await company();
		pageEnd = harness.time.now + 20 * DAY;
		await later(MINUTE);
		await restart();
		await later(MINUTE);
		expect(subjects()).toEqual(["dirsyncd the page: its certificate expires in 20 days"]);
		expect(mailbox.mails[0]?.text).toContain("What to do: Put a new one into the file of http.tls.cert");
		pageEnd = harness.time.now + 365 * DAY;
		await later(MINUTE);
		expect(subjects().slice(1)).toEqual(["dirsyncd the page: has a new certificate"]);
		pageEnd = harness.time.now + DAY;
		await later(MINUTE);
		pageEnd = undefined;
		await later(MINUTE);
		expect(subjects().slice(2)).toEqual(["dirsyncd the page: its certificate expires in 1 day"]);
		expect(daemon.notices.matters()).toEqual([]);
	});

	it("only of what the channel is for", async () => {
		start([channel({ name: "one", on: ["failed", "recovered"] }), channel({ name: "two", on: ["held"] })]);
		await company();
		leave(62);
		const { plan } = await run();
		daemon.ran(await harness.approve(plan as string));
		await daemon.notifying.turn();
		expect(mailbox.mails.map(({ subject, headers }) => [subject, headers["list-id"]])).toEqual([
			[HELD, "dirsyncd two <two.dirsyncd.example.com>"],
		]);
	});

	it("by a new channel of what was told before it was there, once", async () => {
		start();
		await company();
		leave(62);
		await run();
		const both = [channel(), channel({ name: "others" })];
		daemon.notifying.start(both, settleMs);
		await later(MINUTE);
		await daemon.stop();
		start(both);
		await later(MINUTE);
		expect(mailbox.mails.map(({ subject, headers }) => [subject, headers["list-id"]])).toEqual([
			[HELD, "dirsyncd admins <admins.dirsyncd.example.com>"],
			[HELD, "dirsyncd others <others.dirsyncd.example.com>"],
		]);
		for (let number = 1; number <= 62; number++) person(number);
		await run();
		expect(subjects().slice(2)).toEqual([SETTLED, SETTLED]);
	});

	it("a moment later, when somebody else is writing to the database", async () => {
		start();
		await company();
		leave(62);
		harness.time.now += MINUTE;
		daemon.ran(await harness.sync("full"));
		const other = new Database(harness.file);
		other.exec("BEGIN IMMEDIATE");
		await daemon.notifying.turn();
		expect(subjects()).toEqual([]);
		other.exec("COMMIT");
		other.close();
		await daemon.notifying.turn();
		expect(subjects()).toEqual([HELD]);
	});

	it("when the database cannot be written, although that cannot be kept, and when it can be again", async () => {
		start();
		await company();
		const db = new Database(harness.file);
		db.exec("CREATE TRIGGER full BEFORE INSERT ON notices BEGIN SELECT raise(ABORT, 'full'); END");
		disk = { isFull: true, since: harness.time.now };
		await later(4 * MINUTE);
		expect(subjects()).toEqual([]);
		for (let minute = 0; minute < 3; minute++) await later(MINUTE);
		expect(subjects()).toEqual(["dirsyncd database: cannot be written: the disk is full"]);
		expect(mailbox.mails[0]?.text).toContain("What to do: Make room.");
		disk.isFull = false;
		db.exec("DROP TRIGGER full");
		db.close();
		await later(MINUTE);
		await later(MINUTE);
		expect(subjects().slice(1)).toEqual(["dirsyncd database: can be written again"]);
		expect(mailbox.mails[1]?.headers["references"]).toBe(mailbox.mails[0]?.headers["message-id"]);
	});

	it("of that once, also when the configuration is read again while it is being sent", async () => {
		start();
		await company();
		disk = { isFull: true, since: harness.time.now };
		await later(MINUTE);
		const sending = later(5 * MINUTE);
		// Begun, and not answered yet: that takes the network.
		await new Promise((resolve) => setImmediate(resolve));
		daemon.notifying.start([channel()], settleMs);
		await sending;
		await later(MINUTE);
		expect(subjects()).toEqual(["dirsyncd database: cannot be written: the disk is full"]);
	});

	it("once, also when the database takes note of it only later", async () => {
		start();
		await company();
		leave(62);
		const db = new Database(harness.file);
		db.exec("CREATE TRIGGER full BEFORE UPDATE ON notices BEGIN SELECT raise(ABORT, 'full'); END");
		await run();
		await later(DAY / 2);
		db.exec("DROP TRIGGER full");
		db.close();
		await later(MINUTE);
		expect(subjects()).toEqual([HELD]);
	});

	it("that it is over, also when the database took no note yet of what was told", async () => {
		start();
		await company();
		leave(62);
		const db = new Database(harness.file);
		db.exec("CREATE TRIGGER full BEFORE UPDATE ON notices BEGIN SELECT raise(ABORT, 'full'); END");
		await run();
		db.exec("DROP TRIGGER full");
		db.close();
		for (let number = 1; number <= 62; number++) person(number);
		await run();
		expect(subjects()).toEqual([HELD, SETTLED]);
		expect(mailbox.mails[1]?.headers["references"]).toBe(mailbox.mails[0]?.headers["message-id"]);
	});

	it("and what was sent is not kept: it names people", async () => {
		start();
		await company();
		leave(62);
		await run();
		const db = new Database(harness.file, { readonly: true });
		expect(db.prepare("SELECT group_concat(body, '') FROM notices").pluck().get()).toBe("");
		db.close();
	});
});

describe("a report", () => {
	const weekly = () => channel({ report: { every: "weekly", at: "0 7 * * 1" } });

	/** As if it had come due while nobody was there. */
	function missIt(): void {
		const state = daemon.notices.reportOf("admins");
		if (state === undefined) throw new Error("no report is planned");
		daemon.notices.attempt(() => daemon.notices.setReport("admins", { ...state, dueAt: harness.time.now - MINUTE }));
	}

	it("of joiners, movers and leavers comes once, also when it came due while the daemon was down", async () => {
		start([weekly()]);
		await daemon.notifying.turn();
		await company();
		leave(2);
		person(50, { cn: ["Married <Name>"] });
		await run();
		missIt();
		await daemon.stop();
		start([weekly()]);
		await later(MINUTE);
		await later(MINUTE);
		// Two came and went within the time.
		expect(subjects()).toEqual(["dirsyncd report: 98 joined, 0 moved, 0 left"]);
		expect(mailbox.mails[0]?.html).toContain("<td");
		expect(mailbox.mails[0]?.html).toContain("Married &lt;Name&gt;");
		expect(mailbox.mails[0]?.text).toContain("Joiners (98):");

		fake.remove(fake.anchorOf(3));
		person(4, { cn: ["Another Name"] });
		person(101);
		await run();
		missIt();
		await later(MINUTE);
		expect(subjects().slice(1)).toEqual(["dirsyncd report: 1 joined, 1 moved, 1 left"]);
		expect(mailbox.mails[1]?.text).toContain("name: Person 004 → Another Name");
	});

	it("begins where the one before ended, also by another schedule", async () => {
		start([weekly()]);
		await daemon.notifying.turn();
		const before = daemon.notices.reportOf("admins");
		await company();
		await daemon.stop();
		start([channel({ report: { every: "daily", at: "0 7 * * *" } })]);
		await later(MINUTE);
		const after = daemon.notices.reportOf("admins");
		expect(after).toMatchObject({ schedule: "0 7 * * * Europe/London", fromSequence: before?.fromSequence, fromAt: before?.fromAt });
		expect(subjects()).toEqual([]);
	});
});
