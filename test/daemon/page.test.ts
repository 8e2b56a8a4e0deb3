import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { listen } from "../support/events.ts";

const main = path.join(import.meta.dirname, "..", "..", "src", "main.ts");
let folder: string;
let directory: Demo;
let daemon: DaemonProcess;

beforeEach(async () => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-page-"));
	directory = await startDemo({ people: { kind: "company", count: 20 } });
	const { bindUser, bindPassword, baseDn, url } = directory;
	writeFileSync(
		path.join(folder, "dirsyncd.yaml"),
		`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    schedule: { delta: "0 0 1 1 *", full: "0 0 1 1 *" }
limits: { create: { count: 0 } }
features: [{ name: badge }]
policies: [{ name: quota, value: 5 GB }]
`,
	);
	daemon = startDaemon(path.join(folder, "dirsyncd.yaml"));
});

afterEach(async () => {
	daemon.child.kill("SIGKILL");
	await directory.close();
	rmSync(folder, { recursive: true });
});

async function dirsyncd(...args: string[]): Promise<string> {
	const { stdout } = await promisify(execFile)(process.execPath, [main, ...args, "--config", path.join(folder, "dirsyncd.yaml")]);
	return stdout;
}

it("what a daemon holds is seen, understood and approved at its page, with the token that `token` shows, and done", async () => {
	await daemon.said(({ msg }) => msg === "run held");
	const base = await daemon.url();
	const { origin } = new URL(base);
	const post = (where: string, form: Record<string, string>, cookie = "") =>
		fetch(new URL(where, base), { method: "POST", redirect: "manual", headers: { origin, cookie }, body: new URLSearchParams(form) });

	const token = (await dirsyncd("token")).trim();
	for (const kind of ["token", "viewer-token"]) expect(statSync(path.join(folder, `dirsyncd.db-${kind}`)).mode & 0o777).toBe(0o600);
	const cookie = (await post("/login", { token })).headers.get("set-cookie")?.split(";")[0] ?? "";
	const see = async (where: string): Promise<string> => (await fetch(new URL(where, base), { headers: { cookie } })).text();

	const before = await see("/");
	const count = Number(/<h3 id="plan-1">(\d+) changes held at corp/.exec(before)?.[1]);
	expect(count).toBeGreaterThan(10);
	const user = /<a href="(\/people\?user=[^"]+)">([^<]+@[^<]+)<\/a>/.exec(before);
	expect(await see(user?.[1] ?? "")).toContain('<span class="state warn">held</span>');

	const [, where = ""] = /<form action="([^"]+\/approve)"/.exec(before) ?? [];
	const [, csrf = ""] = /name="csrf" value="([^"]+)"/.exec(before) ?? [];
	const approved = await post(where, { csrf }, cookie);
	expect(approved.status).toBe(303);
	const run = await see(approved.headers.get("location") ?? "");
	expect(run).toContain(`${count} created`);
	expect(run).toContain(`<ins>${user?.[2]}</ins>`);

	const after = await see("/");
	expect(after).toContain("Nothing is held.");
	for (const row of ["badge", "quota"])
		expect(after.slice(after.indexOf(`<div>${row}</div>`))).toMatch(new RegExp(`^<div>${row}</div>.*?<div>${count}</div>`));
	expect(await see(user?.[1] ?? "")).toContain('<span class="state pass">active</span>');
	expect(await dirsyncd("runs", "--json")).toContain('"trigger":"approve"');
	expect(await dirsyncd("export", "--changes")).toMatch(/"name":"page"/);
	// Also a name that nobody here has: the directory is asked.
	expect(await see("/people?user=nobody-of-this-name")).toContain("never-there");

	// A directory that stops answering in the middle: whoever looks at the page sees how far it is, and that it is over.
	directory.faults.set({ kind: "hang", after: 5 });
	const told = listen(base, cookie);
	const until = async (is: (going: string) => boolean): Promise<string> => {
		for (;;) {
			const { value, done } = await told.next();
			if (done === true) throw new Error("nothing more is told");
			if (is(value.going)) return value.going;
		}
	};
	const reading = post("/sources/corp/sync", { csrf, mode: "full" }, cookie);
	expect(await until((going) => going !== "")).toContain("<strong>corp</strong>");
	directory.faults.clear();
	directory.drop();
	await until((going) => going === "");
	await told.return(undefined);
	expect((await reading).status).toBe(303);
	expect(await dirsyncd("runs", "--json")).toContain('"trigger":"api"');
}, 120_000);
