import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { makeCertificates } from "./certificates.ts";
import { freeLoopbackAddress } from "./loopback.ts";
import { openController, type SambaOptions } from "./samba-process.ts";
import { adminPassword, baseDn, provisionInto, readerPassword, realm } from "./samba-provision.ts";
import { type LdapUser, openLdap, openTools } from "./samba-tools.ts";

export type Samba = Awaited<ReturnType<typeof sambaIn>>;

/** A domain controller for the tests of the enclosing `describe`; call what it returns inside them. */
export function useSamba(options: SambaOptions = {}): () => Samba {
	let samba: Awaited<ReturnType<typeof startSamba>> | undefined;
	beforeAll(async () => {
		samba = await startSamba(options);
	}, 180_000);
	afterAll(async () => samba?.close(), 30_000);
	return () => {
		if (samba === undefined) throw new Error("the domain controller is not up yet");
		return samba;
	};
}

/**
 * Provisions a real Samba AD domain controller and starts it on a loopback address of its own (its ports are fixed, its address
 * is not, so several fit on one machine). Close it at the end; it also ends by itself when this process dies.
 */
export async function startSamba(options: SambaOptions = {}) {
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-samba-"));
	const folder = path.join(home, "dc");
	const host = await freeLoopbackAddress([389, 636]);
	await provisionInto(folder);
	const samba = await sambaIn({ folder, host, name: "dc1" }, options);
	try {
		await samba.start();
	} catch (cause) {
		rmSync(home, { recursive: true, force: true });
		throw cause;
	}
	return {
		...samba,
		close: async (): Promise<void> => {
			await samba.kill();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

/** A domain controller that was provisioned or joined in `folder` and is not running yet; its certificates are made beside it. */
export async function sambaIn(place: { folder: string; host: string; name: string }, options: SambaOptions) {
	const { folder, host, name } = place;
	const names = { dns: [`${name}.${realm.toLowerCase()}`, "localhost"], ip: host };
	const certificates = await makeCertificates(`${folder}-tls`, names);
	const admin: LdapUser & { dn: string } = {
		user: `Administrator@${realm.toLowerCase()}`,
		password: adminPassword,
		dn: `CN=Administrator,CN=Users,${baseDn}`,
	};
	const ldapUrl = `ldap://${host}`;
	const reader: LdapUser = { user: `svc-dirsyncd@${realm.toLowerCase()}`, password: readerPassword };
	return {
		host,
		ldapUrl,
		url: `ldaps://${host}`,
		/** PEM file of the authority that signed the server's certificate; `caPem` is its text. */
		ca: certificates.ca,
		caPem: readFileSync(certificates.ca, "utf8"),
		otherCa: certificates.otherCa,
		baseDn,
		realm: realm.toLowerCase(),
		admin,
		/** An account with the rights that everyone has, and no more: what a source should need. */
		reader,
		...openController(folder, host, certificates, options),
		...openTools(folder),
		...openLdap(ldapUrl, admin),
	};
}
