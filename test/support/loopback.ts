import { once } from "node:events";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Anonymous simple bind, message 1: the smallest thing an LDAP server must answer (RFC 4511 §4.2). */
const anonymousBind = Buffer.from("300c020101600702010304008000", "hex");

/**
 * An address of 127/8 on which all of `ports` are free. Where ports are fixed, as those of a domain controller are, servers of
 * several test workers live beside each other on addresses of their own.
 */
export async function freeLoopbackAddress(ports: readonly number[]): Promise<string> {
	let last: unknown;
	for (let attempt = 0; attempt < 20; attempt++) {
		const address = `127.77.${process.pid % 251}.${2 + ((Math.floor(process.pid / 251) + attempt * 7) % 250)}`;
		try {
			for (const port of ports) await freePort(address, port);
			return address;
		} catch (cause) {
			last = cause;
		}
	}
	throw new Error(`no loopback address has ports ${ports.join(", ")} free: does a server of this machine listen on all addresses?`, {
		cause: last,
	});
}

/** A port that is free on `address`: `port`, or any for 0. */
export async function freePort(address = "127.0.0.1", port = 0): Promise<number> {
	const server = net.createServer();
	server.listen(port, address);
	await once(server, "listening");
	const free = (server.address() as net.AddressInfo).port;
	server.close();
	await once(server, "close");
	return free;
}

/** Resolves when an LDAP server answers a bind there; rejects after `timeoutMs`. */
export async function untilLdapAnswers(host: string, port: number, timeoutMs: number): Promise<void> {
	await untilSucceeds(() => askOnce(host, port), `no LDAP server answers at ${host}:${port}`, timeoutMs);
}

/** Resolves when somebody listens there; rejects after `timeoutMs`. */
export async function untilConnects(host: string, port: number, timeoutMs: number): Promise<void> {
	await untilSucceeds(() => connectOnce(host, port), `nobody listens at ${host}:${port}`, timeoutMs);
}

async function untilSucceeds(work: () => Promise<void>, otherwise: string, timeoutMs: number): Promise<void> {
	const deadline = Date.now() + timeoutMs;
	for (;;) {
		try {
			await work();
			return;
		} catch (cause) {
			if (Date.now() > deadline) throw new Error(otherwise, { cause });
			// Nothing tells when a port opens; a refused connection comes back at once.
			await pause(20);
		}
	}
}

async function connectOnce(host: string, port: number): Promise<void> {
	const socket = net.connect(port, host);
	try {
		await once(socket, "connect");
	} finally {
		socket.destroy();
	}
}

async function askOnce(host: string, port: number): Promise<void> {
	const socket = net.connect(port, host);
	try {
		await once(socket, "connect");
		socket.setTimeout(2_000, () => socket.destroy(new Error("no answer in 2 s")));
		socket.write(anonymousBind);
		await once(socket, "data");
	} finally {
		socket.destroy();
	}
}
