import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { openViews } from "../../src/store/open-views.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { type Faults, type ScimDouble, startScimDouble } from "../support/scim-double.ts";

const PEOPLE = 300;
let demo: Demo;
let server: ScimDouble;
let folder: string;
let daemon: DaemonProcess | undefined;

beforeEach(async () => {
	demo = await startDemo({ people: { kind: "company", count: PEOPLE }, seed: 1 });
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-delivery-"));
});
afterEach(async () => {
	await daemon?.end("SIGKILL");
	await server.close();
	await demo.close();
	rmSync(folder, { recursive: true });
});

async function open(faults: Partial<Faults>): Promise<string> {
	server = await startScimDouble(faults);
	const source = {
		...{ name: "corp", type: "active-directory", urls: [demo.url], insecure: true, base: demo.baseDn, groups: {} },
		...{ bind: { user: demo.bindUser, password: demo.bindPassword }, users: { exclude: [`CN=Users,${demo.baseDn}`] } },
	};
	const target = { name: "gateway", type: "scim", url: server.url, auth: { bearer: "scim-token" } };
	const file = path.join(folder, "dirsyncd.yaml");
	writeFileSync(
		file,
		`database: ./dirsyncd.db\nhttp: { listen: "127.0.0.1:0" }\nlog: { level: debug }\nsources: ${JSON.stringify([source])}\ntargets: ${JSON.stringify([target])}\n`,
	);
	return file;
}

/** By anchor: whether they are active, and their names. */
function ours(): Map<string, string> {
	const views = openViews(path.join(folder, "dirsyncd.db"));
	try {
		return new Map([...views.accounts()].map(({ anchor, account }) => [anchor, `${account.userName} ${account.active}`]));
	} finally {
		views.close();
	}
}

/** Who is at the server, each as often as they are there. */
function theirs(): string[] {
	return [...server.users.values()].map((user) => `${user["externalId"]} ${user["userName"]} ${user["active"]}`).sort();
}

function expectAllOnce(): void {
	expect(theirs()).toEqual([...ours()].map(([anchor, rest]) => `${anchor} ${rest}`).sort());
	expect(new Set([...server.groups.values()].map((group) => group["externalId"])).size).toBe(server.groups.size);
}

/** Nothing more to deliver: a pass that ended with nothing pending. */
const isDone = ({ msg, pending, created }: Record<string, unknown>) => msg === "delivered" && pending === 0 && created !== undefined;

describe("a first delivery", { timeout: 120_000 }, () => {
	it("whose daemon is killed over and over ends with everybody there exactly once", async () => {
		const file = await open({});
		for (let kill = 1; kill <= 8; kill++) {
			const some = server.when(() => server.users.size >= kill * 30);
			daemon = startDaemon(file);
			await some;
			await daemon.end("SIGKILL");
		}
		expect(server.users.size).toBeLessThan(PEOPLE);
		daemon = startDaemon(file);
		await daemon.said(isDone);
		expectAllOnce();
		expect(server.users.size).toBeGreaterThanOrEqual(PEOPLE);
	});

	it("to a server that turns away every third request, breaks at every tenth and drops every fiftieth connection is right in the end, and quiet", async () => {
		const file = await open({ tooMany: { each: 3, status: 429, headers: { "retry-after": "0" } }, trouble: 10, drops: 50 });
		daemon = startDaemon(file);
		await daemon.said(isDone);
		expectAllOnce();
		const said = daemon.lines.filter(({ level }) => level !== "debug");
		expect(said.length).toBeLessThan(15);
		expect(said.filter(({ target }) => target === "gateway")).toEqual([]);
	});
});
