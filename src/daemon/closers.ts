import type { Log } from "../telemetry/log.ts";

/** What has been opened, to be closed in the opposite order. */
export interface Closers {
	add(what: string, close: () => void | Promise<void>): void;
	/** Closes everything; what fails to close is logged and does not keep the rest open. */
	close(): Promise<void>;
}

export function makeClosers(log: Log): Closers {
	const open: { readonly what: string; readonly close: () => void | Promise<void> }[] = [];
	return {
		add: (what, close) => {
			open.push({ what, close });
		},
		close: async () => {
			for (let last = open.pop(); last !== undefined; last = open.pop()) {
				try {
					await last.close();
				} catch (err) {
					log.error({ err, what: last.what }, "did not close");
				}
			}
		},
	};
}
