import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "../contract/demo.ts";
import { addPerson } from "../contract/population.ts";
import { command } from "../support/command.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";

const main = path.join(import.meta.dirname, "../../src/main.ts");
const DISABLED = "514";
const ENABLED = "512";
const PEOPLE = 60;

let demo: Demo;
let server: ScimDouble;
let folder: string;
let daemon: DaemonProcess | undefined;
beforeEach(async () => {
	[demo, server] = [await startDemo(), await startScimDouble()];
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-revert-"));
});
afterEach(async () => {
	await daemon?.end("SIGKILL");
	await server.close();
	await demo.close();
	rmSync(folder, { recursive: true });
});

interface Said {
	readonly run: number;
	readonly outcome: string;
	readonly created: number;
	readonly enabled: number;
	readonly disabled: number;
	readonly pending: number;
	readonly leftAloneCount?: number;
	readonly summary?: { readonly enable: number };
}

/** A command in a process of its own, while the daemon has the database. */
async function say(...argv: string[]): Promise<Said> {
	const config = ["--config", path.join(folder, "dirsyncd.yaml"), "--json"];
	const { stdout } = await command(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...argv, ...config]);
	return JSON.parse(stdout.toString()) as Said;
}

const activeThere = () => [...server.users.values()].filter(({ active }) => active === true).length;

it("a run that disabled 40 people is reverted through the daemon; they are active at the target again, and the next three runs leave them so", {
	timeout: 120_000,
}, async () => {
	const directory = directoryOnDemo(demo);
	const base = `OU=Staff,${demo.baseDn}`;
	await directory.add(base, { objectClass: "organizationalUnit" });
	const people: string[] = [];
	for (let number = 1; number <= PEOPLE; number++) people.push(await addPerson(directory, `Person ${number}`, base, `p${number}`));
	const source = {
		...{
			name: "corp",
			type: "active-directory",
			urls: [demo.url],
			insecure: true,
			base,
			schedule: { full: "0 0 1 1 *", delta: "0 0 1 1 *" },
		},
		bind: { user: demo.bindUser, password: demo.bindPassword },
	};
	const target = { name: "gateway", type: "scim", url: server.url, auth: { bearer: "scim-token" } };
	writeFileSync(
		path.join(folder, "dirsyncd.yaml"),
		`database: ./dirsyncd.db\nhttp: { listen: "127.0.0.1:0" }\nlimits: { disable: { count: none, percent: none } }\nsources: ${JSON.stringify([source])}\ntargets: ${JSON.stringify([target])}\n`,
	);
	daemon = startDaemon(path.join(folder, "dirsyncd.yaml"));
	await daemon.url();
	await say("sync");
	expect(activeThere()).toBe(PEOPLE);

	for (const dn of people.slice(0, 40)) await directory.modify(dn, { userAccountControl: DISABLED });
	const struck = await say("sync");
	expect(struck).toMatchObject({ outcome: "succeeded", disabled: 40, pending: 0 });
	expect(activeThere()).toBe(PEOPLE - 40);

	expect(await say("revert", String(struck.run))).toMatchObject({ summary: { enable: 40 }, leftAloneCount: 0 });
	expect(activeThere()).toBe(PEOPLE - 40);
	expect(await say("revert", String(struck.run), "--apply")).toMatchObject({ outcome: "succeeded", enabled: 40, pending: 0 });
	expect(activeThere()).toBe(PEOPLE);
	for (const how of [["sync"], ["sync", "--full"], ["sync"]]) {
		expect(await say(...how)).toMatchObject({ outcome: "succeeded", disabled: 0, enabled: 0, pending: 0 });
		expect(activeThere()).toBe(PEOPLE);
	}

	const story = await say("explain", "p3@corp.example.com");
	expect([story].flat()[0]).toMatchObject({ state: "active", pins: [{ part: "state", kept: "active", run: struck.run }] });

	// One is enabled in the directory and disabled again, another unpinned: both end, and nobody else.
	await directory.modify(people[0] as string, { userAccountControl: ENABLED });
	await say("sync");
	await directory.modify(people[0] as string, { userAccountControl: DISABLED });
	expect(await say("sync")).toMatchObject({ disabled: 1 });
	await say("unpin", "p2@corp.example.com");
	expect(await say("sync")).toMatchObject({ disabled: 1 });
	expect(activeThere()).toBe(PEOPLE - 2);
});
