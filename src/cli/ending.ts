/** A terminal and npm both deliver the same Ctrl-C: what comes again within this time, in milliseconds, is no second one. */
const SAME_SIGNAL_MS = 500;

const everywhere = { SIGINT: 2, SIGTERM: 15 } as const;
/** Windows' Ctrl+Break, and a console that is closed or a user who signs out: ten seconds are left then. No SIGTERM is ever sent there. */
const windows = { ...everywhere, SIGBREAK: 21, SIGHUP: 1 } as const;

/** The signals that ask for an end, with the numbers that exit codes are made of. Elsewhere SIGHUP reads the configuration again. */
export function endSignals(platform: NodeJS.Platform): Readonly<Record<string, number>> {
	return platform === "win32" ? windows : everywhere;
}

export interface EndParts {
	readonly platform: NodeJS.Platform;
	/** Where signals arrive: the process. */
	readonly signals: { on(name: string, listener: () => void): unknown };
	/** Milliseconds of a clock that never goes back. */
	readonly clock: () => number;
	/** Ends at once. */
	exit(code: number): void;
}

/** Aborted by the first signal that asks for an end; a second one ends at once. */
export function listenForEnd({ platform, signals, clock, exit }: EndParts): AbortSignal {
	const ending = new AbortController();
	let firstAt: number | undefined;
	for (const [name, number] of Object.entries(endSignals(platform))) {
		signals.on(name, () => {
			const now = clock();
			if (firstAt === undefined) {
				firstAt = now;
				ending.abort();
			} else if (now - firstAt > SAME_SIGNAL_MS) exit(128 + number);
		});
	}
	return ending.signal;
}
