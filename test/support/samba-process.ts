import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import type { CertificateKind, Certificates } from "./certificates.ts";
import { untilConnects, untilLdapAnswers } from "./loopback.ts";
import { serverPath } from "./require.ts";
import { configFile } from "./samba-provision.ts";

export interface SambaOptions {
	readonly certificate?: CertificateKind;
	/** Lines for smb.conf, such as "ldap server require strong auth = yes". */
	readonly settings?: readonly string[];
	/** A command that runs the server, such as nsenter into a network namespace. */
	readonly within?: readonly string[];
	/** Ports that it serves besides LDAP's. */
	readonly ports?: readonly number[];
}

/** The server's process: it is a group of about seven, which only ever gets its signals together. */
export function openController(folder: string, host: string, certificates: Certificates, options: SambaOptions) {
	let child: ChildProcess | undefined;
	let certificate: CertificateKind = options.certificate ?? "good";
	const killAtExit = () => signal("SIGKILL");

	async function start(): Promise<void> {
		if (child !== undefined) throw new Error("the domain controller is running already");
		const tls = { certfile: certificates.file(certificate), keyfile: certificates.key, cafile: certificates.ca };
		const settings = [
			`interfaces = ${host}/8`,
			...Object.entries(tls).map(([name, file]) => `tls ${name} = ${file}`),
			...(options.settings ?? []),
		];
		// -i: it ends when its stdin does, that is with this process, however that dies.
		const flags = ["-i", "--no-process-group", "--debug-stdout", `--configfile=${configFile(folder)}`];
		const [program = "samba", ...args] = [...(options.within ?? []), "samba", ...flags, ...settings.map((line) => `--option=${line}`)];
		const started = spawn(program, args, {
			detached: true,
			stdio: ["pipe", "pipe", "pipe"],
			env: { ...process.env, PATH: serverPath },
		});
		child = started;
		process.on("exit", killAtExit);
		let said = "";
		for (const stream of [started.stdout, started.stderr]) stream.on("data", (chunk) => (said = (said + chunk).slice(-10_000)));
		const ended = once(started, "close").then(() => {
			throw new Error(`samba ended before it served:\n${said}`);
		});
		const served = untilLdapAnswers(host, 389, 60_000).then(async () => {
			for (const port of [636, ...(options.ports ?? [])]) await untilConnects(host, port, 20_000);
		});
		ended.catch(() => {}); // It ends some day, and then nobody waits for it any more.
		try {
			await Promise.race([served, ended]);
		} catch (cause) {
			await kill();
			throw new Error(`the domain controller does not serve: ${said}`, { cause });
		}
	}

	function signal(name: NodeJS.Signals): void {
		if (child?.pid === undefined) return;
		try {
			process.kill(-child.pid, name);
		} catch {
			// The group is gone already: what the signal was to do is done.
		}
	}

	async function end(name: NodeJS.Signals): Promise<void> {
		const ending = child;
		if (ending === undefined) return;
		process.off("exit", killAtExit);
		const closed = ending.exitCode === null && ending.signalCode === null ? once(ending, "close") : undefined;
		signal(name);
		signal("SIGCONT");
		await closed;
		// Stragglers of the group, whose parent is gone, hold the port.
		signal("SIGKILL");
		child = undefined;
	}

	const stop = () => end("SIGTERM");
	const kill = () => end("SIGKILL");
	return {
		start,
		/** Ends it as systemd would. */
		stop,
		/** Ends it as a power cut would. */
		kill,
		/** SIGSTOP: it keeps its connections and answers nothing. */
		pause: () => signal("SIGSTOP"),
		resume: () => signal("SIGCONT"),
		restart: async (): Promise<void> => {
			await stop();
			await start();
		},
		/** Restarts it with another certificate. */
		presentCertificate: async (kind: CertificateKind): Promise<void> => {
			certificate = kind;
			await stop();
			await start();
		},
		/**
		 * Saves the directory as it is now; the function returned puts it back, which is a USN rollback, unless what is done before
		 * it starts again makes it a restore. Restarts it twice.
		 */
		snapshot: async (): Promise<(beforeStart?: () => Promise<void>) => Promise<void>> => {
			const saved = mkdtempSync(path.join(path.dirname(folder), "saved-"));
			await stop();
			cpSync(path.join(folder, "private"), saved, { recursive: true });
			await start();
			return async (beforeStart) => {
				await stop();
				rmSync(path.join(folder, "private"), { recursive: true });
				cpSync(saved, path.join(folder, "private"), { recursive: true });
				await beforeStart?.();
				await start();
			};
		},
	};
}
