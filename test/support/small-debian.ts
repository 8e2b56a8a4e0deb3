import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { command } from "./command.ts";

/** A Debian that has booted: this machine's programs but for Node and npm, nothing else of it but its network, and systemd as its init. */
export interface SmallDebian {
	/** What a script prints there, run as root without a terminal. Rejects with what it said when a command of it fails. */
	run(script: string): Promise<string>;
	/** Ends it with all that runs in it. */
	end(): Promise<void>;
}

/** As a container's manager does it for systemd (systemd.io/CONTAINER_INTERFACE): shared mounts, a /sys that is read only, a cgroup. */
const BOOT = `set -eu
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
chmod 0755 .
mkdir -p usr proc sys dev run tmp root var/lib var/tmp var/log opt srv etc/systemd/system
for link in bin sbin lib lib64; do ln -sfn usr/$link $link; done
cp /etc/group /etc/shadow /etc/passwd /etc/nsswitch.conf /etc/ld.so.cache /etc/hosts etc/
sed -i /^dirsyncd:/d etc/passwd etc/group etc/shadow
ln -sfn ../usr/lib/os-release etc/os-release
# With a name of its own it does not think it boots for the first time, and enables nothing by itself.
echo 0123456789abcdef0123456789abcdef >etc/machine-id
# The kernel is this machine's, and stays as it is.
ln -sfn /dev/null etc/systemd/system/systemd-sysctl.service
mount --rbind /usr usr
mount -t tmpfs -o mode=0755 tmpfs usr/local && mkdir usr/local/bin
for each in node nodejs npm npx; do if [ -e "usr/bin/$each" ]; then mount --bind /dev/null "usr/bin/$each"; fi; done
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then mount -t cgroup2 cgroup2 sys/fs/cgroup
else
	mount -t tmpfs tmpfs sys/fs/cgroup
	mkdir sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
for each in run tmp dev; do mount -t tmpfs -o mode=0755 tmpfs $each; done
chmod 1777 tmp var/tmp
for each in null zero full random urandom tty; do touch dev/$each; mount --bind /dev/$each dev/$each; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir .before
pivot_root . .before
umount -l /.before
rmdir /.before
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --log-target=journal --unit=basic.target`;

/** Boots it in a folder that is there and empty. Needs the capabilities that namespaces need. */
export async function bootSmallDebian(folder: string): Promise<SmallDebian> {
	const cgroup = makeCgroup();
	const enter = 'echo $$ >"$1/cgroup.procs"; shift; exec unshare --pid --mount --uts --ipc --cgroup --fork --kill-child /bin/sh -c "$@"';
	// Without the test nobody would end it.
	const outer = spawn("setpriv", ["--pdeathsig", "KILL", "/bin/sh", "-euc", enter, "sh", cgroup, BOOT, "sh", folder], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	let said = "";
	for (const stream of [outer.stdout, outer.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
	const ended = once(outer, "exit");
	const init = await childOf(outer.pid as number);
	const run = async (script: string): Promise<string> => {
		const inside = ["--target", String(init), "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wd"];
		const clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root", "setsid", "--wait"];
		const { stdout } = await command("nsenter", [...inside, ...clean, "/bin/sh", "-euc", script]);
		return stdout.toString();
	};
	const end = async (): Promise<void> => {
		outer.kill("SIGKILL");
		await ended;
		await removeCgroup(cgroup);
	};
	try {
		await Promise.race([untilUp(run), ended.then(() => Promise.reject(new Error(`it did not boot:\n${said}`)))]);
	} catch (error) {
		await end();
		throw error;
	}
	return { run, end };
}

/** systemctl itself waits, once there is somebody to ask. */
async function untilUp(run: SmallDebian["run"]): Promise<void> {
	const giveUp = Date.now() + 30_000;
	for (;;) {
		try {
			await run("systemctl is-system-running --wait | grep -q 'running\\|degraded' || systemctl is-active basic.target");
			return;
		} catch (error) {
			if (Date.now() > giveUp) throw error;
			await pause(200);
		}
	}
}

function makeCgroup(): string {
	const own = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"].find((place) => existsSync(path.join(place, "cgroup.procs")));
	const place = path.join(own ?? "/sys/fs/cgroup", `dirsyncd-test-${process.pid}`);
	mkdirSync(place, { recursive: true });
	return place;
}

async function removeCgroup(place: string): Promise<void> {
	for (const entry of readdirSync(place, { withFileTypes: true }))
		if (entry.isDirectory()) await removeCgroup(path.join(place, entry.name));
	for (let attempt = 0; attempt < 50; attempt++) {
		try {
			rmdirSync(place);
			return;
		} catch {
			await pause(100); // The last of its processes is still on its way out.
		}
	}
}

/** The first process of the new namespace, as this one counts. */
async function childOf(parent: number): Promise<number> {
	for (let attempt = 0; attempt < 100; attempt++) {
		const [child] = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim().split(" ");
		if (child !== undefined && child !== "") return Number(child);
		await pause(50);
	}
	throw new Error("no namespace was made");
}
