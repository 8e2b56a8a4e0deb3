import { Failure } from "../../core/errors.ts";

/** Waits no longer than `ms`, and no longer than the signal lasts. The caller destroys the sockets of what it gave up on. */
export async function within<T>(ms: number, wait: Promise<T>, late: () => Failure, signal: AbortSignal): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	let onAbort: (() => void) | undefined;
	const limit = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(late()), ms);
		onAbort = () => reject(new Failure("CANCELLED", "connecting was stopped"));
		if (signal.aborted) onAbort();
		else signal.addEventListener("abort", onAbort, { once: true });
	});
	wait.catch(() => {}); // It may fail after the limit did, when nobody listens any more.
	try {
		return await Promise.race([wait, limit]);
	} finally {
		clearTimeout(timer);
		if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
	}
}

/** "no TLS with ldaps://dc1.corp.example.com within 10 s". */
export function slow(what: string, ms: number): Failure {
	return new Failure("SOURCE_UNREACHABLE", `${what} within ${ms / 1000} s`, {
		hint: "The server is down or hangs, or a firewall drops the packets.",
	});
}
