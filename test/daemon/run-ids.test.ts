import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type DaemonProcess, type LogLine, startDaemon } from "../support/daemons.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";

/** What is said outside of any run. */
const outside = new Set([
	"dirsyncd starts",
	"dirsyncd is up",
	"dirsyncd is ending",
	"dirsyncd has ended",
	"insecure source: its password and all that is read cross the network in clear",
	"plan rejected",
	"read back",
]);
const isOutside = ({ msg }: LogLine): boolean => outside.has(String(msg)) || String(msg).startsWith("configuration: ");
/** What is said of the deliveries that a run wanted. */
const ofDeliveries = new Set(["delivering", "delivered", "target takes nothing", "target takes deliveries again"]);

describe("the log of a daemon with all sorts of trouble", { timeout: 120_000 }, () => {
	let folder: string;
	let directory: Demo;
	let gateway: ScimDouble;
	let daemon: DaemonProcess;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-run-ids-"));
		directory = await startDemo({ people: { kind: "company", count: 40 } });
		gateway = await startScimDouble();
		daemon = startDaemon(configure());
		await trouble();
		await daemon.end("SIGTERM");
	}, 120_000);

	afterAll(async () => {
		await daemon?.end("SIGKILL");
		await gateway?.close();
		await directory?.close();
		rmSync(folder, { recursive: true, maxRetries: 5 });
	});

	function configure(): string {
		const { bindUser, bindPassword, baseDn, url } = directory;
		const file = path.join(folder, "dirsyncd.yaml");
		writeFileSync(
			file,
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
mapping: { userName: "{mail ?? userPrincipalName ?? implicitUserPrincipalName}" }
limits: { disable: { count: 2, percent: none, floor: 0 } }
targets:
  - { name: accounts, type: local }
  - { name: gateway, type: scim, url: "${gateway.url}", auth: { bearer: scim-token }, insecure: true }
notify:
  - { name: chat, type: webhook, url: "http://127.0.0.1:1/", insecure: true, secret: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, on: [held] }
`,
		);
		return file;
	}

	async function trouble(): Promise<void> {
		/** Rejects with what was said instead, which says more than a time-out. */
		const said = (msg: string): Promise<LogLine> =>
			Promise.race([
				daemon.said((line) => line["msg"] === msg),
				pause(30_000, undefined, { ref: false }).then(() => {
					const last = daemon.lines.slice(-30).map((line) => JSON.stringify(line));
					throw new Error(`not said within 30 s: ${msg}; at last:\n${last.join("\n")}`);
				}),
			]);
		await said("run succeeded");
		gateway.how.authorization = "Bearer another";
		const people = [...directory.directory.all()].filter(
			({ attributes }) => attributes.has("mail") && attributes.get("userAccountControl")?.[0]?.toString() === "512",
		);
		const [one, two, three, ...others] = people;
		const mail = String(one?.attributes.get("mail")?.[0]);
		directory.directory.modify(String(two?.dn), { mail });
		directory.directory.modify(String(three?.dn), { title: "Teacher" });
		await said("run partial");
		await said("target takes nothing");
		const mend = directory.faults.set({ kind: "cut", after: 0 });
		await said("run failed");
		mend();
		for (const { dn } of others.slice(0, 5)) directory.directory.disable(dn);
		const { plan } = await said("run held");
		await said("cannot tell");
		await ask(`plans/${encodeURIComponent(String(plan))}/approve`);
		await said("plan approved");
		gateway.how.authorization = "Bearer scim-token";
	}

	async function ask(what: string): Promise<void> {
		const url = await daemon.url();
		const authorization = `Bearer ${readFileSync(path.join(folder, "dirsyncd.db-token"), "utf8").trim()}`;
		const response = await fetch(new URL(`/api/v1/${what}`, url), { method: "POST", headers: { authorization } });
		if (!response.ok) throw new Error(await response.text());
	}

	it("has run and source in every line of a run", () => {
		const inside = daemon.lines.filter((line) => !isOutside(line) && !ofDeliveries.has(String(line["msg"])));
		expect(new Set(inside.map(({ msg }) => msg)).size).toBeGreaterThan(7);
		expect(inside.filter(({ run, source }) => !Number.isInteger(run) || source !== "corp")).toEqual([]);
	});

	it("begins each run with a line that has its number, before any other of it", () => {
		const first = new Map<unknown, unknown>();
		for (const { run, msg } of daemon.lines) if (run !== undefined && !first.has(run)) first.set(run, msg);
		expect(first.size).toBeGreaterThan(3);
		expect(new Set(first.values())).toEqual(new Set(["run begins", "plan approved"]));
	});

	it("names target and run in every line of deliveries", () => {
		const lines = daemon.lines.filter(({ msg }) => ofDeliveries.has(String(msg)));
		expect(new Set(lines.map(({ target }) => target))).toEqual(new Set(["accounts", "gateway"]));
		expect(lines.filter(({ run, target }) => !Number.isInteger(run) || target === undefined)).toEqual([]);
	});

	it("has no run in what belongs to none", () => {
		const lines = daemon.lines.filter(isOutside);
		expect(lines.length).toBeGreaterThan(3);
		expect(lines.filter(({ run }) => run !== undefined)).toEqual([]);
	});

	it("has no secret", () => {
		const all = JSON.stringify(daemon.lines);
		for (const secret of ["scim-token", directory.bindPassword, "a".repeat(32)]) expect(all).not.toContain(secret);
	});

	it("is as README.md says: each message, and its keys", () => {
		const readme = readFileSync(path.join(import.meta.dirname, "../../README.md"), "utf8");
		const rows = [...readme.matchAll(/^\| (`[a-z][^|]*) \| ([^|]*) \|$/gm)];
		const documented = new Map(rows.flatMap(([, names = "", keys = ""]) => ticked(names).map((name) => [name, ticked(keys)] as const)));
		const lines = daemon.lines.filter(
			({ msg }) => !String(msg).startsWith("configuration: ") && !String(msg).startsWith("insecure source"),
		);
		expect(lines.map(({ msg }) => String(msg)).filter((msg) => !documented.has(msg))).toEqual([]);
		const counts =
			/^(?:read|created|updated|disabled|enabled|deleted|entitlements|unchanged|held|quarantined|delivered|pending)$|^\w+ (?:refused|later)$/;
		const strange = lines.flatMap((line) =>
			Object.keys(line)
				.filter((key) => !["level", "time", "msg", ...(documented.get(String(line["msg"])) ?? [])].includes(key) && !counts.test(key))
				.map((key) => `${line["msg"]}: ${key}`),
		);
		expect([...new Set(strange)]).toEqual([]);
	});
});

function ticked(text: string): readonly string[] {
	return [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
}
