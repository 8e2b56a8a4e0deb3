import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Health } from "../../src/http/health.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { freePort } from "../support/loopback.ts";
import { type Mailbox, startMailbox } from "../support/mailbox.ts";
import { type Prometheus, startPrometheus, until } from "../support/prometheus.ts";
import { describeWith } from "../support/require.ts";

const PASSWORD = "the-mail-servers-password";
const script = path.join(import.meta.dirname, "../support/demo-process.ts");

interface Directory {
	readonly child: ChildProcess;
	readonly url: string;
	readonly bindUser: string;
	readonly bindPassword: string;
	readonly baseDn: string;
}

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describeWith(["prometheus", "openssl"], "a domain controller that is stopped", () => {
	let folder: string;
	let port: number;
	let directory: Directory;
	let mailbox: Mailbox;
	let daemon: DaemonProcess;
	let prometheus: Prometheus;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-stopped-"));
		const certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
		mailbox = await startMailbox({ cert: certificates.file("good"), key: certificates.key, user: "dirsyncd", password: PASSWORD });
		port = await freePort();
		directory = await startDirectory();
		daemon = startDaemon(configure(certificates));
		await daemon.said(({ msg }) => msg === "run succeeded");
		prometheus = await startPrometheus(path.join(folder, "prometheus"), new URL(await daemon.url()).host);
		await until(metric, (value) => value === 1);
	});

	afterAll(async () => {
		await prometheus?.stop();
		await daemon?.end("SIGKILL");
		directory?.child.kill("SIGKILL");
		await mailbox?.close();
		rmSync(folder, { recursive: true, maxRetries: 5 });
	});

	async function startDirectory(): Promise<Directory> {
		const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, String(port)], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
		return { child, ...(JSON.parse(line) as Omit<Directory, "child">) };
	}

	function configure(certificates: Certificates): string {
		const { url, bindUser, bindPassword, baseDn } = directory;
		const file = path.join(folder, "dirsyncd.yaml");
		writeFileSync(path.join(folder, "mail"), PASSWORD, { mode: 0o600 });
		writeFileSync(
			file,
			`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
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
settle: 1s
notify:
  - name: admins
    type: smtp
    host: 127.0.0.1
    port: ${mailbox.port}
    ca: ${certificates.ca}
    auth: { user: dirsyncd, password: { file: ./mail } }
    from: dirsyncd <dirsyncd@example.com>
    to: [admins@example.com]
`,
		);
		return file;
	}

	const get = async (what: string): Promise<Response> => fetch(new URL(what, await daemon.url()));
	const health = async (): Promise<Health> => (await (await get("/health")).json()) as Health;
	/** What the page says to a person, before signing in. */
	const page = async (): Promise<string> => (await (await get("/")).text()).replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
	const metric = async (): Promise<number | undefined> => (await prometheus.query('dirsyncd_source_up{source="corp"}'))[0]?.value;
	const alert = async (name: string) => (await prometheus.alerts()).find(({ labels }) => labels["alertname"] === name);
	const untilFiring = (name: string) => until(alert.bind(undefined, name), (found) => found?.state === "firing");

	/** What is wrong, and what helps. */
	const words = /cannot connect to ldap:\/\/127\.0\.0\.1:\d+/;
	const remedy = /check that the directory runs/;

	it("shows in page, health, metrics, an alert and a mail, each in plain words with the remedy", async () => {
		directory.child.kill("SIGKILL");
		await once(directory.child, "exit");
		const judged = await until(health, ({ status, notes }) => status === "fail" && notes[0]?.includes("failed") === true);
		expect(judged.notes[0]).toMatch(/^corp: the run at .* failed: /);
		expect(judged.notes[0]).toMatch(words);
		expect(judged.notes[0]).toMatch(remedy);
		expect((await get("/health")).status).toBe(503);
		const shown = await page();
		expect(shown).toMatch(words);
		expect(shown).toMatch(remedy);
		expect(await until(metric, (value) => value === 0)).toBe(0);
		const down = await untilFiring("DirsyncdSourceDown");
		expect(down?.annotations).toMatchObject({
			summary: "corp: the directory cannot be read",
			description: expect.stringContaining("no server of it answers"),
			runbook: "dirsyncd check --source corp",
		});
		const mail = await mailbox.came(({ subject }) => subject.includes("cannot be read"));
		expect(mail.subject).toMatch(/^dirsyncd corp: cannot be read: /);
		for (const said of [mail.text, mail.html]) {
			expect(said).toMatch(/What to do/);
			expect(said).toContain("all accounts stay as they are");
			expect(said).toContain("dirsyncd check --source corp");
		}
		expect(mail.text).toMatch(words);
		expect(mail.text.replaceAll(/\s+/g, " ")).toMatch(remedy);
	});

	it("and once it is back, all five are green without anybody's doing, and nobody was disabled meanwhile", async () => {
		directory = await startDirectory();
		await until(health, ({ status }) => status === "pass");
		expect((await get("/health")).status).toBe(200);
		expect(await page()).not.toMatch(words);
		expect(await until(metric, (value) => value === 1)).toBe(1);
		for (const name of ["DirsyncdSourceDown", "DirsyncdNoSuccess"])
			await until(alert.bind(undefined, name), (found) => found === undefined);
		const over = await mailbox.came(({ subject }) => subject === "dirsyncd corp: is read again");
		expect(over.headers["in-reply-to"]).toBe(mailbox.mails[0]?.headers["message-id"]);
		expect(mailbox.mails).toHaveLength(2);
		expect(daemon.lines.filter(({ disabled }) => Number(disabled ?? 0) > 0)).toEqual([]);
	});
});
