import type { Socket } from "node:net";

/** The writing side of a connection: waits while the client does not read, so that a slow reader costs no memory. */
export interface Outlet {
	/** Resolves when more may be sent; the bytes must not be changed afterwards. */
	send(bytes: Uint8Array): Promise<void>;
	/** Ends in good order, after what was sent. */
	end(): void;
	/** Tears the connection down (RST). */
	reset(): void;
	/** Aborted once the connection is gone. */
	readonly gone: AbortSignal;
}

/** `wire` is the TCP connection beneath `socket`, which may be TLS. */
export function makeOutlet(socket: Socket, wire: Socket, gone: AbortSignal): Outlet {
	let waiting: (() => void)[] = [];
	const release = (): void => {
		const all = waiting;
		waiting = [];
		for (const resume of all) resume();
	};
	socket.on("drain", release);
	gone.addEventListener("abort", release, { once: true });
	return {
		gone,
		async send(bytes) {
			if (gone.aborted || socket.destroyed || socket.write(bytes)) return;
			await new Promise<void>((resolve) => void waiting.push(resolve));
		},
		end: () => void socket.end(),
		reset: () => void wire.resetAndDestroy(),
	};
}
