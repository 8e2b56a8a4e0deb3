import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { type DaemonProcess, type LogLine, startDaemon } from "../support/daemons.ts";
import { type Mail, type Mailbox, startMailbox } from "../support/mailbox.ts";

const main = path.join(import.meta.dirname, "..", "..", "src", "main.ts");
const PASSWORD = "the-mail-servers-password";

let folder: string;
let directory: Demo;
let certificates: Certificates;
let mailbox: Mailbox;
let daemon: DaemonProcess;

beforeEach(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-mails-"));
	directory = await startDemo({ people: { kind: "company", count: 40 } });
	certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
	mailbox = await startMailbox({ cert: certificates.file("good"), key: certificates.key, user: "dirsyncd", password: PASSWORD });
	configure();
	daemon = startDaemon(file());
	await daemon.said(({ msg }) => msg === "run succeeded");
});

afterEach(async () => {
	daemon.child.kill("SIGKILL");
	await mailbox.close();
	await directory.close();
	rmSync(folder, { recursive: true });
});

const file = () => path.join(folder, "dirsyncd.yaml");

/** A configuration that reads the directory every second, holds more than two disables, and sends mails. */
function configure(more = ""): void {
	const { bindUser, bindPassword, baseDn, url } = directory;
	writeFileSync(path.join(folder, "mail"), PASSWORD, { mode: 0o600 });
	writeFileSync(
		file(),
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
log: { level: debug }
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    users: { exclude: ["CN=Users,${baseDn}"] }
    timeouts: { connect: 2s, bind: 2s, request: 2s }
    schedule: { delta: "* * * * * *", full: "0 2 * * *" }
limits: { disable: { count: 2, percent: none, floor: 0 } }
notify:
  - name: admins
    type: smtp
    host: 127.0.0.1
    port: ${mailbox.port}
    ca: ${certificates.ca}
    auth: { user: dirsyncd, password: { file: ./mail } }
    from: dirsyncd <dirsyncd@example.com>
    to: [admins@example.com]
${more}`,
	);
}

/** Another dirsyncd command beside the daemon, as a shell takes it apart. */
function command(line: string): Promise<{ readonly code: number; readonly text: string }> {
	const [, ...words] = line.split(" ");
	return new Promise((resolve) => {
		execFile(process.execPath, [main, ...words], (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}` });
		});
	});
}

const about =
	(words: string) =>
	({ subject }: Mail): boolean =>
		subject.includes(words);

/** Resolves when so many more runs have ended. */
async function runs(count: number): Promise<void> {
	const last = Math.max(0, ...daemon.lines.map(({ run }) => Number(run ?? 0)));
	await daemon.said((line: LogLine) => Number(line["run"] ?? 0) > last + count);
}

describe("by a real mail server, a real daemon tells", { timeout: 120_000 }, () => {
	it("of a held plan once, by whose mail it can be decided, and when it is", async () => {
		const people = [...directory.directory.all()].filter(
			({ attributes }) => attributes.get("mail") !== undefined && attributes.get("userAccountControl")?.[0]?.toString() === "512",
		);
		for (const { dn } of people.slice(0, 5)) directory.directory.disable(dn);
		const mail = await mailbox.came(about("are held"));
		expect(mail).toMatchObject({ subject: "dirsyncd corp: 5 disables are held, limit 2", isSecure: true, user: "dirsyncd" });
		expect(mail.text).toContain(`Or decide on the page: ${await daemon.url()}`);
		await runs(3);

		await daemon.end("SIGTERM");
		daemon = startDaemon(file());
		await daemon.said(({ msg }) => msg === "run held");
		await runs(2);
		expect(mailbox.mails).toHaveLength(1);

		const approve = /dirsyncd approve .*$/m.exec(mail.text)?.[0] ?? "";
		expect(await command(approve)).toMatchObject({ code: 0 });
		const over = await mailbox.came(about("nothing is held any more"));
		expect(over.headers["in-reply-to"]).toBe(mail.headers["message-id"]);
		expect(mailbox.mails).toHaveLength(2);
		const secrets = [PASSWORD, directory.bindPassword];
		for (const secret of secrets) expect(JSON.stringify([mailbox.mails, daemon.lines])).not.toContain(secret);
	});

	it("of a stopped domain controller in plain words with the remedy, and that it is back, without anybody's doing", async () => {
		configure("settle: 1s\n");
		daemon.child.kill("SIGHUP");
		await daemon.said(({ msg }) => msg === "configuration taken over");
		const strike = directory.faults.set({ kind: "reset", after: 0 }, { when: () => true });
		const mail = await mailbox.came(about("cannot be read"));
		expect(mail.text).toContain("What to do: ");
		expect(mail.text).toContain("all accounts stay as they are");
		expect(mail.text).toContain("dirsyncd check --source corp --config");
		await runs(3);
		strike();
		await mailbox.came(about("is read again"));
		expect(mailbox.mails).toHaveLength(2);
	});

	it("that it can tell: check goes as far as the password, and check --notify sends a message", async () => {
		const all = await command(`dirsyncd check --config ${file()}`);
		expect(all.text).toContain("passed  notify         admins: 127.0.0.1:");
		expect(mailbox.mails).toEqual([]);
		const one = await command(`dirsyncd check --notify admins --config ${file()}`);
		expect(one).toMatchObject({ code: 0, text: expect.not.stringContaining("  bind ") });
		expect(mailbox.mails.map(({ subject }) => subject)).toEqual(["dirsyncd: a test of admins"]);
		writeFileSync(path.join(folder, "mail"), "wrong");
		const refused = await command(`dirsyncd check --notify admins --config ${file()}`);
		expect(refused).toMatchObject({ code: 1, text: expect.stringContaining("Check auth.user and auth.password") });
		expect((await command(`dirsyncd check --notify admin --config ${file()}`)).text).toContain("did you mean admins?");
	});
});
