import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openViews } from "../../src/store/open-views.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";

describeWith(["samba"], "on a Samba domain controller, with watch: true, the daemon", () => {
	const samba = useSamba();
	let folder: string;
	let daemon: DaemonProcess;

	beforeEach(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-watch-"));
		await samba().addPeople(5);
	}, 60_000);

	afterEach(() => {
		daemon.child.kill("SIGKILL");
		rmSync(folder, { recursive: true });
	});

	/** A schedule by which nothing happens while the test lasts. */
	function start(): void {
		const file = path.join(folder, "dirsyncd.yaml");
		const { ldapUrl, reader, baseDn } = samba();
		const source = {
			name: "corp",
			type: "active-directory",
			urls: [ldapUrl],
			insecure: true,
			bind: reader,
			base: `CN=Users,${baseDn}`,
			schedule: { delta: "0 3 1 1 *", full: "0 2 1 1 *" },
			watch: true,
		};
		// JSON is YAML too.
		writeFileSync(file, `database: ./dirsyncd.db\nhttp: { listen: 127.0.0.1:0 }\nsources: ${JSON.stringify([source])}\n`);
		daemon = startDaemon(file);
	}

	function isActive(userName: string): boolean | undefined {
		const views = openViews(path.join(folder, "dirsyncd.db"));
		try {
			return [...views.accounts()].find(({ account }) => account.userName === userName)?.account.active;
		} finally {
			views.close();
		}
	}

	/** Disables number `n` in the directory, and waits for the run that disables the account. */
	async function leave(n: number): Promise<void> {
		const before = daemon.lines.length;
		const dn = `CN=P${n} Person${n},CN=Users,${samba().baseDn}`;
		await samba().modify(`dn: ${dn}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n-\n`);
		await daemon.said((line) => line["trigger"] === "watch" && line["disabled"] === 1 && daemon.lines.indexOf(line) >= before);
	}

	it("disables a leaver's account, and the next one's after the domain controller was restarted", async () => {
		start();
		await daemon.said(({ msg, mode }) => msg === "run succeeded" && mode === "full");
		await daemon.said(({ msg }) => msg === "watching for changes");
		const { realm } = samba();
		expect(isActive(`p0@${realm}`)).toBe(true);
		await leave(0);
		expect(isActive(`p0@${realm}`)).toBe(false);
		await samba().restart();
		await daemon.said(({ msg }) => msg === "watching for changes again");
		expect(isActive(`p1@${realm}`)).toBe(true);
		await leave(1);
		expect(isActive(`p1@${realm}`)).toBe(false);
	}, 120_000);
});
