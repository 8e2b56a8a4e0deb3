import { setImmediate } from "node:timers/promises";
import type { ChannelConfig } from "../config/notify-config.ts";
import { makeMovements } from "../core/movements.ts";
import type { Notices } from "../store/notices.ts";
import { makeCron } from "./cron.ts";

interface ReportsParts {
	readonly notices: Notices;
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** Aborted when the daemon is ending. */
	readonly ending: AbortSignal;
}

/**
 * Reports of joiners, movers and leavers, each from where the one before ended. When a report is due is kept, so that one that
 * came due while nobody was there is sent at the next start, once.
 */
export function makeReports({ notices, clock, ending }: ReportsParts) {
	const dueAfter = (at: string, timezone: string): number | undefined => {
		const cron = makeCron(at, timezone);
		try {
			return cron.next(1)[0];
		} finally {
			cron.close();
		}
	};

	const lookAt = async ({ name, report, timezone }: ChannelConfig): Promise<void> => {
		if (report === undefined) return;
		const now = clock();
		const schedule = `${report.at} ${timezone}`;
		const state = notices.reportOf(name);
		if (state === undefined || state.schedule !== schedule) {
			const [fromSequence, fromAt] = state === undefined ? [notices.newestSequence(), now] : [state.fromSequence, state.fromAt];
			notices.attempt(() => notices.setReport(name, { schedule, fromSequence, fromAt, dueAt: dueAfter(report.at, timezone) }));
			return;
		}
		if (state.dueAt === undefined || state.dueAt > now) return;
		const upTo = notices.newestSequence();
		const movements = makeMovements();
		for (const page of notices.steps(state.fromSequence, upTo)) {
			for (const step of page) movements.add(step);
			// A first reading of a large directory is a hundred thousand rows: health answers in between.
			await setImmediate();
			if (ending.aborted) return;
		}
		const body = { kind: "report", from: state.fromAt, to: now, movements: movements.sum() } as const;
		const next = { schedule, fromSequence: upTo, fromAt: now, dueAt: dueAfter(report.at, timezone) };
		notices.attempt(() => notices.report(name, body, next));
	};

	return {
		look: async (channels: readonly ChannelConfig[]): Promise<void> => {
			for (const channel of channels) await lookAt(channel);
		},
	};
}
