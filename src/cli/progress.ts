import type { Listener } from "../engine.ts";
import type { Progress } from "../sync/report.ts";
import type { Context } from "./context.ts";

/** No more often than this, in milliseconds: a terminal over a slow line should not slow the reading. */
const PACE_MS = 100;

const CLEAR_LINE = `\r${String.fromCharCode(27)}[2K`;

/** A line on standard error, on a terminal alone, that says how far a run is. Call `end` before anything else is written. */
export function showProgress({ err, clock }: Context): Listener & { say(text: string): void; end(): void } {
	let lastAt = 0;
	let isShown = false;
	const say = (text: string): void => {
		if (!err.isTerminal) return;
		err.write(`${CLEAR_LINE}${err.paint("dim", text)}`);
		isShown = true;
	};
	return {
		say,
		progress: (progress) => {
			if (progress.stage === "ended") return;
			const now = clock();
			if (now - lastAt < PACE_MS) return;
			lastAt = now;
			say(progressText(progress));
		},
		ldap: () => {},
		certificate: () => {},
		end: () => {
			if (isShown) err.write(CLEAR_LINE);
			isShown = false;
		},
	};
}

/** Takes the progress line away when a promise is settled, either way. */
export async function ending<T>(progress: { end(): void }, promise: Promise<T>): Promise<T> {
	try {
		return await promise;
	} finally {
		progress.end();
	}
}

function progressText({ source, stage, done, of }: Progress): string {
	if (stage === "connecting") return `${source}: connecting`;
	const share = of === undefined || of === 0 ? "" : ` of about ${count(of)} (${Math.min(100, Math.floor((done / of) * 100))} %)`;
	return `${source}: ${stage}${done === 0 && share === "" ? "" : ` ${count(done)}${share}`}`;
}

/** A number with its thousands apart. */
export function count(value: number): string {
	return value.toLocaleString("en-US");
}
