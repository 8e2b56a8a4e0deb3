import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import type { SrvRecord } from "../../src/source/ldap/srv.ts";

/** What a name stands for: its SRV records (none: it is there without any), a server's failure, or no answer at all. */
export type Zone = Readonly<Record<string, readonly SrvRecord[] | "SERVFAIL" | "silence">>;

const SRV = 33;

/** A DNS server on loopback for SRV records, and a resolver that asks it. A name that is not in the zone does not exist. */
export async function startDns(zone: Zone) {
	const asked: string[] = [];
	let current = zone;
	const socket = createSocket("udp4");
	socket.on("message", (query, { port, address }) => {
		const { name, end } = readName(query, 12);
		asked.push(name);
		// Names of DNS have no case, and Node asks in lower case.
		const found = Object.entries(current).find(([one]) => one.toLowerCase() === name)?.[1];
		if (found === "silence") return;
		const records = Array.isArray(found) ? (found as readonly SrvRecord[]) : [];
		const code = found === undefined ? 3 : found === "SERVFAIL" ? 2 : 0;
		const header = Buffer.alloc(12);
		header.writeUInt16BE(query.readUInt16BE(0), 0);
		header.writeUInt16BE(0x8580 | code, 2);
		header.writeUInt16BE(1, 4);
		header.writeUInt16BE(records.length, 6);
		socket.send(Buffer.concat([header, query.subarray(12, end + 4), ...records.map(writeRecord)]), port, address);
	});
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	const dns = new Resolver({ timeout: 200, tries: 1 });
	dns.setServers([`127.0.0.1:${socket.address().port}`]);
	return {
		dns,
		/** Names that were asked for, in order and in lower case. */
		asked,
		/** From now on it answers by this one. */
		change: (to: Zone): void => {
			current = to;
		},
		close: async (): Promise<void> => {
			socket.close();
			await once(socket, "close");
		},
	};
}

function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
	const labels: string[] = [];
	let at = start;
	for (let length = message[at] as number; length > 0; length = message[at] as number) {
		labels.push(message.toString("latin1", at + 1, at + 1 + length));
		at += 1 + length;
	}
	return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function writeRecord({ name, port, priority, weight }: SrvRecord): Buffer {
	const labels = name.split(".").filter((label) => label !== "");
	const target = Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
	const head = Buffer.alloc(18);
	head.writeUInt16BE(0xc00c, 0); // The name that was asked for.
	head.writeUInt16BE(SRV, 2);
	head.writeUInt16BE(1, 4);
	head.writeUInt16BE(6 + target.length, 10);
	head.writeUInt16BE(priority, 12);
	head.writeUInt16BE(weight, 14);
	head.writeUInt16BE(port, 16);
	return Buffer.concat([head, target]);
}
