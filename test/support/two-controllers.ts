import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import { fetchChanges, joinInto, sambaOn } from "./join.ts";
import { type Host, openNetwork } from "./network.ts";
import type { Samba } from "./samba.ts";
import { baseDn, realm } from "./samba-provision.ts";

const domain = realm.toLowerCase();

/** One of two domain controllers of a domain. */
export interface Controller extends Samba {
	/** "dc1.corp.example.test". */
	readonly name: string;
	/** Pulls the cable to it: whoever talks to it, or begins to, gets no answer. The other one still reaches it. */
	cutOff(): Promise<void>;
	reconnect(): Promise<void>;
	/** Saves it as it is now. Restarts it, and so does each way back. */
	backUp(): Promise<Backup>;
}

/** Ways back to a saved day. Add nobody there afterwards: the identifiers of who came since are given out again. */
export interface Backup {
	/** As a backup program does it: the invocationId is a new one. */
	restore(): Promise<void>;
	/** As a copy of the disk does it: USNs go back, and the invocationId stays. */
	rollBack(): Promise<void>;
}

export interface Controllers {
	readonly dc1: Controller;
	readonly dc2: Controller;
	/**
	 * Brings to one what it has not got of the other; it serves it when this resolves. Nothing is replicated but by this, so how far
	 * one lags behind is in the test's hands.
	 */
	replicate(from: Controller, to: Controller): Promise<void>;
}

/** Two domain controllers for the tests of the enclosing `describe`, in network namespaces; call what it returns inside them. */
export function useTwoControllers(): () => Controllers {
	let controllers: Awaited<ReturnType<typeof startTwoControllers>> | undefined;
	beforeAll(async () => {
		controllers = await startTwoControllers();
	}, 180_000);
	afterAll(async () => controllers?.close(), 30_000);
	return () => {
		if (controllers === undefined) throw new Error("the domain controllers are not up yet");
		return controllers;
	};
}

async function startTwoControllers(): Promise<Controllers & { close(): Promise<void> }> {
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-two-"));
	const network = await openNetwork(path.join(home, "hosts"), [`dc1.${domain}`, `dc2.${domain}`]);
	const controllers: Controller[] = [];
	const close = async (): Promise<void> => {
		for (const controller of controllers) await controller.kill();
		await network.close();
		rmSync(home, { recursive: true, force: true });
	};
	try {
		const folder = path.join(home, "joined");
		await joinInto(folder, network.hosts);
		const make = (host: Host, name: string) => openOn(host, path.join(folder, name), name);
		controllers.push(await make(network.hosts[0], "dc1"), await make(network.hosts[1], "dc2"));
		await Promise.all(controllers.map((controller) => controller.start()));
	} catch (cause) {
		await close();
		throw cause;
	}
	const [dc1, dc2] = controllers as [Controller, Controller];
	const replicate = async (from: Controller, to: Controller): Promise<void> => {
		const name = to === dc1 ? "dc1" : "dc2";
		await fetchChanges(network.hosts[to === dc1 ? 0 : 1], path.join(home, "joined", name), from.name, baseDn);
	};
	return { dc1, dc2, replicate, close };
}

async function openOn(host: Host, folder: string, name: string): Promise<Controller> {
	const samba = await sambaOn(host, folder, name);
	const settingsDn = `CN=NTDS Settings,CN=${name.toUpperCase()},CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,${baseDn}`;
	// What marks a restored database as another one, whose USNs mean something else.
	const renew = () => samba.modify(`dn: ${settingsDn}\nchangetype: modify\nreplace: invocationId\ninvocationId: ${randomUUID()}\n-\n`);
	return {
		...samba,
		name: `${name}.${domain}`,
		cutOff: host.cutOff,
		reconnect: host.reconnect,
		backUp: async () => {
			const putBack = await samba.snapshot();
			return { restore: () => putBack(renew), rollBack: () => putBack() };
		},
	};
}
