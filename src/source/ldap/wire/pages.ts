import { Failure } from "../../../core/errors.ts";
import { resultFailure } from "../result.ts";
import { pagedResults, type SearchRequest } from "./encode.ts";
import { describeSearch, type Session } from "./session.ts";

export interface PagesOptions {
	readonly pageSize: number;
	/** Told each reason for which absence from this search proves nothing. */
	readonly unsealed: (reason: string) => void;
	/** Whether a referral leads outside of what was asked for. */
	readonly isForeign: (url: string) => boolean;
}

/** Empty pages in a row after which a server is taken to be going round in circles. AD sends some when a filter is sparse. */
const MOST_EMPTY_PAGES = 1000;
/** And the time it gets for them. */
const LONGEST_EMPTY_MS = 15 * 60_000;

/**
 * A search to its end, page by page; read once. The next page is asked for as soon as its cookie is there and flows while the
 * last one is worked on: one in the reader's hands, one waiting, never more. The search has ended when a paged-results control
 * that was really there carried an EMPTY COOKIE, never at an empty page (RFC 2696). Throws Failure on any result but success.
 */
export async function* readPages(
	session: Session,
	request: SearchRequest,
	options: PagesOptions,
): AsyncGenerator<readonly Uint8Array[], void> {
	const paging = startPaging(session, request, options);
	try {
		for (;;) {
			const page = await paging.next();
			if (page === undefined) return;
			yield page;
		}
	} finally {
		paging.stop();
	}
}

/** The whole of a search that is long but not the directory. */
export async function readAll(session: Session, request: SearchRequest, options: PagesOptions): Promise<readonly Uint8Array[]> {
	const entries: Uint8Array[] = [];
	for await (const page of readPages(session, request, options)) for (const raw of page) entries.push(raw);
	return entries;
}

function startPaging(session: Session, request: SearchRequest, { pageSize, unsealed, isForeign }: PagesOptions) {
	const ready: (readonly Uint8Array[])[] = [];
	let filling: Uint8Array[] = [];
	let seen = 0;
	let emptyPages = 0;
	let lastEntryAt = performance.now();
	let firstOfPage: Uint8Array | undefined;
	let cookie: Uint8Array | undefined;
	let id: number | undefined;
	let end: "open" | "ended" | Failure = "open";
	let wake: (() => void) | undefined;

	const finish = (how: "ended" | Failure): void => {
		end = how;
		id = undefined;
		wake?.();
	};
	const flush = (): void => {
		if (filling.length === 0) return;
		ready.push(filling);
		filling = [];
		wake?.();
	};
	const circles = (what: string): Failure =>
		new Failure("SOURCE_PROTOCOL", `${session.server} ${what} in ${describeSearch(request)}`, {
			hint: "The server's paging goes round in circles; nothing of this reading is used.",
		});

	const ask = (from: Uint8Array): void => {
		cookie = undefined;
		seen = 0;
		id = session.start(
			{ ...request, controls: [pagedResults(pageSize, from), ...(request.controls ?? [])] },
			{
				entry: (raw) => {
					if (seen++ === 0 && isSame(firstOfPage, raw)) return failCircles("sent the same page twice");
					if (seen === 1) firstOfPage = raw;
					filling.push(raw);
					// A server that ignores the page size: hand out what is there, and let the rest wait in the socket.
					if (filling.length < pageSize) return;
					flush();
					if (ready.length > 1) session.hold();
				},
				reference: (urls) => {
					if (urls.every((url) => !isForeign(url)))
						unsealed(`a part of the directory lies elsewhere and was not read: ${urls.join(" or ")}`);
				},
				done: (result) => {
					if (result.code !== 0) return finish(resultFailure(describeSearch(request), result, session.account));
					emptyPages = seen === 0 ? emptyPages + 1 : 0;
					if (seen > 0) lastEntryAt = performance.now();
					flush();
					if (result.cookie === undefined) {
						unsealed(`${session.server} sent no paged-results control, so nothing says that ${describeSearch(request)} was complete`);
						return finish("ended");
					}
					if (result.cookie.length === 0) return finish("ended");
					const isStuck = emptyPages > MOST_EMPTY_PAGES || (emptyPages > 0 && performance.now() - lastEntryAt > LONGEST_EMPTY_MS);
					if (isStuck) return finish(circles(`sent ${emptyPages} empty pages in a row`));
					id = undefined;
					cookie = result.cookie;
					askOn();
				},
				failed: finish,
			},
		);
	};
	const failCircles = (what: string): void => {
		if (id !== undefined) session.abandon(id);
		finish(circles(what));
	};
	/** Asks for the next page unless one waits already. */
	const askOn = (): void => {
		if (cookie !== undefined && ready.length === 0) ask(cookie);
	};

	ask(new Uint8Array(0));
	return {
		next: async (): Promise<readonly Uint8Array[] | undefined> => {
			for (;;) {
				const page = ready.shift();
				if (page !== undefined) {
					if (ready.length === 0) session.resume();
					askOn();
					return page;
				}
				if (end instanceof Failure) throw end;
				if (end === "ended") return undefined;
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
				wake = undefined;
			}
		},
		stop: (): void => {
			if (id !== undefined) session.abandon(id);
			id = undefined;
		},
	};
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
	return one !== undefined && Buffer.compare(one, other) === 0;
}
