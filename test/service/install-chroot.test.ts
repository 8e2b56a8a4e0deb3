import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith, serverPath } from "../support/require.ts";

const project = path.join(import.meta.dirname, "..", "..");
let root: string;

beforeEach(() => {
	root = mkdtempSync(path.join(tmpdir(), "dirsyncd-chroot-"));
	chmodSync(root, 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describeWith(["namespaces"], "the install script, as root of a Debian in which systemd does not run", () => {
	/** What `commands` print there: this machine's programs, and nothing else of it. */
	function inside(...commands: string[]): string {
		const prepare = `set -eu
			cd "$1"
			mkdir -p usr proc dev tmp run etc/systemd/system opt var/lib project
			for link in bin sbin lib lib64; do ln -sfn usr/$link $link; done
			cp /etc/passwd /etc/group /etc/shadow /etc/ld.so.cache etc/
			sed -i /^dirsyncd:/d etc/passwd etc/group etc/shadow
			mount --rbind /usr usr
			mount --bind "$2" project
			mkdir -p ".$3"
			mount --bind "$3" ".$3"
			mount -t tmpfs tmpfs usr/local
			mount --bind /dev dev
			exec chroot . /bin/sh -euc "$4"`;
		const args = [root, project, realpathSync(path.join(project, "node_modules")), commands.join("\n")];
		return execFileSync("unshare", ["--mount", "/bin/sh", "-c", prepare, "sh", ...args], {
			encoding: "utf8",
			env: { PATH: serverPath },
			stdio: ["ignore", "pipe", "pipe"],
		});
	}

	it("makes a user, gives it the data and nothing else, and leaves not a trace when it is purged", () => {
		const said = inside(
			"export PATH=/usr/sbin:/usr/bin",
			"mkdir -p /usr/local/bin",
			"find /etc /var /opt /usr/local -xdev >/tmp/before",
			"project/deploy/systemd/install.sh",
			"stat -c '%U:%G %a %n' /etc/dirsyncd /etc/dirsyncd/secrets /var/lib/dirsyncd /opt/dirsyncd",
			"/usr/local/bin/dirsyncd --version",
			"/opt/dirsyncd/deploy/systemd/install.sh --uninstall",
			"project/deploy/systemd/install.sh --uninstall --purge",
			"find /etc /var /opt /usr/local -xdev >/tmp/after",
			// Beside the copies and the lock that useradd and userdel leave.
			"grep -vxFf /tmp/before /tmp/after | grep -v '^/etc/[a-z]*-$\\|/etc/.pwd.lock' || true",
			"if id dirsyncd 2>/dev/null; then echo the user is still there; fi",
		);
		expect(
			said
				.replaceAll(/^(?:next:| {2}).*\n/gm, "")
				.trim()
				.split("\n"),
		).toEqual([
			"install.sh: user dirsyncd is made",
			"install.sh: the program is in /opt/dirsyncd",
			"install.sh: left out: to load and start the service: systemd does not run here",
			"root:dirsyncd 750 /etc/dirsyncd",
			"root:root 700 /etc/dirsyncd/secrets",
			"dirsyncd:dirsyncd 700 /var/lib/dirsyncd",
			"root:root 755 /opt/dirsyncd",
			expect.stringContaining("0."),
			"install.sh: dirsyncd is gone; what was left: nothing",
			"install.sh: dirsyncd is gone, with its data and configuration",
		]);
	}, 60_000);

	it("starts again what runs, is starting or has failed, since the old program would go on, and leaves alone what was stopped", () => {
		const states = ["activating", "active", "failed", "inactive", "deactivating"];
		const said = inside(
			"export PATH=/usr/local/bin:/usr/sbin:/usr/bin",
			"mkdir -p /usr/local/bin /run/systemd/system",
			// As systemctl answers for a service in this state.
			`cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
state=$(cat /state)
case "$*" in
	*is-active*) [ "$state" = active ] ;;
	*is-failed*) [ "$state" = failed ] ;;
	show*) echo "$state" ;;
	"restart dirsyncd") echo "restarted: $state" ;;
esac
END`,
			"chmod +x /usr/local/bin/systemctl",
			"echo activating >/state; project/deploy/systemd/install.sh",
			`for state in ${states.slice(1).join(" ")}; do echo "$state" >/state; project/deploy/systemd/install.sh --credentials; done`,
		);
		expect([...said.matchAll(/^restarted: (.*)$/gm)].map(([, state]) => state)).toEqual(["activating", "active", "failed"]);
	}, 60_000);
});
