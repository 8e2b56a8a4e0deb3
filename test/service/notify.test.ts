import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeNotify } from "../../src/service/notify.ts";
import { type NotifySocket, openNotifySocket } from "../support/notify-socket.ts";
import { describeWith, serverPath } from "../support/require.ts";

let folder: string;

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-notify-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A systemd-notify that writes down with what it was called, and ends with `code`. */
function makeDouble(code: number): void {
	const file = path.join(folder, "systemd-notify");
	writeFileSync(file, `#!/bin/sh\n{ printf '%s\\n' "$@"; /usr/bin/env; } >${folder}/called\nexit ${code}\n`);
	chmodSync(file, 0o755);
}
const called = () => readFileSync(path.join(folder, "called"), "utf8").trim().split("\n");

describe("systemd-notify", () => {
	it.each([{ environment: {} }, { environment: { NOTIFY_SOCKET: "" } }])(
		"is not called where nobody listens: $environment",
		({ environment }) => {
			expect(makeNotify(environment)).toBeUndefined();
		},
	);

	it("gets nothing of our environment but where systemd listens", async () => {
		makeDouble(0);
		await makeNotify({ NOTIFY_SOCKET: "/run/systemd/notify", PATH: folder, SCIM_TOKEN: "a secret" })?.("READY=1");
		const names = called().flatMap((line) => line.match(/^([A-Z_]+)=/)?.[1] ?? []);
		expect(names.filter((name) => !["PWD", "SHLVL", "OLDPWD", "_"].includes(name)).sort()).toEqual(["NOTIFY_SOCKET", "PATH", "READY"]);
	});

	it("is told who the main process is: whom systemd watches, else we", async () => {
		makeDouble(0);
		const environment = { NOTIFY_SOCKET: "/run/systemd/notify", PATH: folder };
		await makeNotify({ ...environment, WATCHDOG_PID: "4711" })?.("READY=1");
		expect(called()).toContain("--pid=4711");
		await makeNotify(environment)?.("READY=1");
		expect([`--pid=${process.pid}`, `--pid=${process.ppid}`]).toContain(called()[0]);
	});

	it("that is not there, or fails, is a rejection that the daemon only logs", async () => {
		const environment = { NOTIFY_SOCKET: "/run/systemd/notify", PATH: folder };
		await expect(makeNotify(environment)?.("READY=1")).rejects.toThrow(/ENOENT/);
		makeDouble(1);
		await expect(makeNotify(environment)?.("READY=1")).rejects.toThrow(/Command failed/);
	});
});

describeWith(["systemd-notify"], "systemd-notify, the real one", () => {
	let socket: NotifySocket;

	beforeEach(async () => {
		socket = await openNotifySocket(path.join(folder, "socket"));
	});
	afterEach(() => socket.close());

	it("says what it is given, and a line break in a status begins no assignment of its own", async () => {
		await makeNotify({ NOTIFY_SOCKET: socket.path, PATH: serverPath, WATCHDOG_PID: "4711" })?.(
			"WATCHDOG=1",
			"STATUS=warn: corp\nSTOPPING=1",
		);
		expect(await socket.hears(() => true)).toBe("MAINPID=4711 | WATCHDOG=1 | STATUS=warn: corp STOPPING=1");
	});
});
