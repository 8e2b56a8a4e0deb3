import type { ChannelConfig } from "../config/notify-config.ts";
import { Failure } from "../core/errors.ts";
import { type Matter, type MatterKind, type MatterNotice, PAGE } from "../core/matter.ts";
import { look, type Sighting } from "../core/matters.ts";
import type { Notices } from "../store/notices.ts";
import { type ChannelState, fieldsOf, makePostman, type PostmanParts } from "./postman.ts";
import { makeReports } from "./reports.ts";

export interface NotifyingParts extends PostmanParts {
	readonly notices: Notices;
	readonly sightings: (now: number) => readonly Sighting[];
	/** Names that are configured now. */
	configured(): { readonly sources: readonly string[]; readonly targets: readonly string[] };
	/** When the certificate expires that the page shows, Unix milliseconds; undefined: it shows none. */
	pageCertificate(): number | undefined;
	/** Why the database cannot be written, if so. Then what is to be told of that cannot be kept either. */
	databaseTrouble(): { readonly since: number; readonly because: string; readonly hint: string | undefined } | undefined;
}

/** Tells people what waits for them, what is not as it should be, and when it is over. Holds nothing up. */
export interface Notifying {
	start(channels: readonly ChannelConfig[], settleMs: number): void;
	channels(): readonly ChannelState[];
	/** Looks now, lays ready what is to be said, and resolves when what is due was tried. */
	turn(): Promise<void>;
	/** Resolves when nothing of it is going on any more. */
	stop(): Promise<void>;
}

const LOOK_EVERY_MS = 5000;
const RETIRE_EVERY_MS = 3_600_000;

export function makeNotifying(parts: NotifyingParts): Notifying {
	const { notices, sightings, configured, pageCertificate, databaseTrouble, log, clock, ending } = parts;
	const postman = makePostman(parts);
	const reports = makeReports(parts);
	let channels: readonly ChannelConfig[] = [];
	/** How long what was told of has to stay well before it is told to be over. */
	let settleMs = 0;
	/** A channel may not have heard yet of what is there. */
	let isToCatchUp = false;
	let timer: NodeJS.Timeout | undefined;
	let underway: Promise<void> | undefined;
	let retiredAt = Number.NEGATIVE_INFINITY;
	/** The last trouble of our own, so that it is said once. */
	let said: string | undefined;

	const exists = (kind: MatterKind, about: string): boolean =>
		about === PAGE ? pageCertificate() !== undefined : configured()[kind === "target" ? "targets" : "sources"].includes(about);
	const channelsFor = ({ matter, state }: MatterNotice): readonly string[] =>
		channels
			.filter(({ on }) => on.includes(matter.detail.kind) && (state !== "recovered" || on.includes("recovered")))
			.map(({ name }) => name);

	const lookOnce = (): void => {
		const now = clock();
		const before = notices.matters();
		const after = look(before, sightings(now), exists, now, settleMs);
		const open = isToCatchUp ? after.matters.filter(({ told, wellSince }) => told !== undefined && wellSince === undefined) : [];
		isToCatchUp &&= open.length > 0;
		if (open.length === 0 && after.notices.length === 0 && outline(before) === outline(after.matters)) return;
		const outcome = postman.noting(() => {
			notices.keep(after.matters, after.notices, channelsFor);
			for (const matter of open) {
				const notice = { matter, state: "opened", at: now } as const;
				notices.catchUp(notice, channelsFor(notice));
			}
		});
		// Of "busy" nothing comes: the next look finds the same.
		if (outcome === "busy") return;
		isToCatchUp = false;
		for (const { matter, state } of after.notices) log.info({ ...fieldsOf(matter), state }, "to be told");
	};

	/** What is wrong with the database is kept in memory alone: a restart may repeat it, which is better than silence. */
	let unkept: readonly Matter[] = [];
	const lookAtDatabase = (): void => {
		const trouble = databaseTrouble();
		const about = { kind: "database", about: "database" } as const;
		const sighting: Sighting =
			trouble === undefined
				? { ...about, isThere: false, isFinal: false }
				: {
						...{ ...about, isThere: true, since: trouble.since, run: undefined, runAt: undefined },
						detail: { kind: about.kind, because: trouble.because, hint: trouble.hint },
					};
		const after = look(unkept, [sighting], () => true, clock(), settleMs);
		unkept = after.matters;
		for (const notice of after.notices) postman.tell(channelsFor(notice), notice);
	};

	const retire = (): void => {
		if (clock() - retiredAt < RETIRE_EVERY_MS) return;
		const names = channels.map(({ name }) => name);
		if (notices.attempt(() => notices.retire(names, clock())) !== "busy") retiredAt = clock();
	};

	const turn = async (): Promise<void> => {
		if (channels.length === 0) return;
		lookAtDatabase();
		try {
			lookOnce();
			retire();
			await reports.look(channels);
			said = undefined;
		} catch (error) {
			// Nothing is lost: the next look finds the same. Whatever it is, it is no reason to hold up what the daemon is for.
			const because = error instanceof Error ? error.message : String(error);
			const hint = error instanceof Failure ? error.hint : undefined;
			if (said !== because) log.warn({ because, hint }, "what is to be told cannot be kept; it is tried again");
			said = because;
		}
		await postman.round();
	};

	const tick = (): void => {
		if (underway !== undefined || ending.aborted) return;
		underway = turn().finally(() => {
			underway = undefined;
		});
	};

	return {
		start: (to, settle) => {
			channels = to;
			settleMs = settle;
			isToCatchUp = true;
			postman.replace(to);
			timer ??= setInterval(tick, LOOK_EVERY_MS);
		},
		channels: () => postman.channels(),
		turn,
		stop: async () => {
			clearInterval(timer);
			await underway;
			await postman.stop();
		},
	};
}

/** As much of matters as has to outlive us: what is said of them is found again by looking. */
function outline(matters: readonly Matter[]): string {
	return JSON.stringify(
		matters
			.map(({ key, since, runAt, wellSince, told, detail }) => [
				key,
				since,
				runAt,
				wellSince,
				told,
				detail.kind === "failed" ? detail.runs : 0,
			])
			.sort(),
	);
}
