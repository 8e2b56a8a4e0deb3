import type { Discovered } from "./discovery.ts";

/** How long a server that broke goes behind the others: long enough to skip its restart, and not so long that it is forgotten. */
const REST_MS = 10 * 60_000;

export interface Break {
	/** Unix milliseconds. */
	readonly at: number;
	/** Until when others are tried before it, Unix milliseconds. */
	readonly until: number;
	readonly because: string;
}

/** What the connections of one source found out for those that come after them. */
export interface ServerMemory {
	/** Notes that a server did not answer, or broke in the middle of a reading: the others go before it for a while. */
	broke(server: string, because: string): void;
	/** When it last broke, as long as that matters. */
	breakOf(server: string): Break | undefined;
	/** What DNS answered last, for when it answers no more. */
	found: { readonly at: number; readonly what: Discovered } | undefined;
	/** The site this machine is in, as a domain controller said. */
	site: string | undefined;
}

/** One for each source, for as long as it lives. `clock` gives Unix milliseconds. */
export function makeServerMemory(clock: () => number): ServerMemory {
	const breaks = new Map<string, Break>();
	return {
		broke: (server, because) => {
			const at = clock();
			for (const [other, { until }] of breaks) if (until <= at) breaks.delete(other);
			breaks.set(server, { at, until: at + REST_MS, because });
		},
		breakOf: (server) => {
			const last = breaks.get(server);
			return last === undefined || last.until <= clock() ? undefined : last;
		},
		found: undefined,
		site: undefined,
	};
}
