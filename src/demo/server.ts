import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { Failure } from "../core/errors.ts";
import { serve } from "./connection.ts";
import type { Host } from "./host.ts";

export interface Listener {
	readonly host: string;
	readonly port: number;
	/** Tears all connections down and stops listening. */
	close(): Promise<void>;
	/** Tears the connections down and goes on listening. */
	drop(): void;
}

/** Listens for LDAP, or for LDAPS. Port 0 takes a free one. */
export async function listen(
	host: Host,
	protocol: "ldap" | "ldaps",
	address: string,
	port: number,
	nextNumber: () => number,
): Promise<Listener> {
	const open = new Set<Socket>();
	const server = createServer({ noDelay: true }, (wire) => {
		open.add(wire);
		wire.on("close", () => open.delete(wire));
		wire.on("error", () => wire.destroy());
		serve(host, protocol === "ldap" ? wire : secured(host, wire), wire, nextNumber(), protocol === "ldaps");
	});
	await started(server, address, port);
	const drop = (): void => {
		for (const wire of open) wire.destroy();
	};
	return {
		host: address,
		port: (server.address() as AddressInfo).port,
		drop,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				drop();
			}),
	};
}

function secured(host: Host, wire: Socket): Socket {
	if (host.secureContext === undefined) throw new Failure("CONFIG_INVALID", "LDAPS was asked for without a key and a certificate");
	return new TLSSocket(wire, { isServer: true, secureContext: host.secureContext });
}

function started(server: Server, address: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", (cause) => {
			reject(
				new Failure("SOURCE_UNREACHABLE", `the demo directory cannot listen on ${address}:${port}`, {
					cause,
					hint: "Is another demo running? Set another address under demo.listen.",
				}),
			);
		});
		server.listen(port, address, resolve);
	});
}
