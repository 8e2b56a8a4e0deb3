import { setImmediate, setTimeout } from "node:timers/promises";
import { BerWriter } from "../lib/ber.ts";
import { locate } from "./base.ts";
import { answerDirSync, dirSyncControl } from "./dirsync.ts";
import { dnForm, nameIn } from "./extended-dn.ts";
import type { Armed } from "./faults.ts";
import { type Pass, type Session, selectionFor, sightFor } from "./host.ts";
import { isDomainScope, type PagedControl, pagedControl, resume, setAside } from "./pages.ts";
import type { Control, SearchRequest } from "./request.ts";
import { answerTag, type Ending, pagedValue, type ResponseControl, wellDone, writeEntry, writeReference, writeResult } from "./response.ts";
import { refusal, resultCode } from "./result.ts";
import { controlOid, encodeRootDse } from "./rootdse.ts";
import { references, seek } from "./seek.ts";
import type { AdObject } from "./store.ts";
import { delayOf, dueAfter, strike, takes } from "./strike.ts";

/** Entries go to the socket in pieces of about this size. */
const PIECE_BYTES = 64 * 1024;
const NO_COOKIE = new Uint8Array(0);

export interface SearchTask {
	readonly id: number;
	readonly request: SearchRequest;
	readonly controls: readonly Control[];
	/** Aborted when the client abandons the search, or is gone. */
	readonly signal: AbortSignal;
	/** Number of this page within its search, and the faults that fit it. */
	readonly armedFor: (page: number) => readonly Armed[];
}

/** Answers one search request: all of it, or one page. */
export async function search(session: Session, task: SearchTask): Promise<void> {
	const { id, request, controls } = task;
	const isRoot = request.base === "" && request.scope === "base";
	if (!isRoot && session.account === undefined) return finish(session, id, notBound);
	const paged = isRoot ? undefined : pagedControl(controls);
	const isNext = paged !== undefined && paged.cookie.length > 0;
	const before = isNext ? session.passes.get(Buffer.from(paged.cookie).toString("hex")) : undefined;
	const armed = task.armedFor((before?.page ?? 0) + 1);
	const delayMs = delayOf(armed);
	if (delayMs > 0) await setTimeout(delayMs, undefined, { signal: task.signal });
	if (isRoot) return answerRoot(session, task, armed);
	const sync = dirSyncControl(controls);
	if (sync !== undefined) {
		const blow = await firstBlow(session, armed);
		return blow === undefined ? answerDirSync(session, task, sync) : finish(session, id, blow);
	}
	if (isNext && takes(armed, "cookie-refused")) session.passes.clear();
	const pass = isNext ? resume(session, paged, request) : begin(session, request, controls);
	if ("code" in pass) return finish(session, id, (await firstBlow(session, armed)) ?? pass);
	if (isNext) Object.assign(pass.sight, sightFor(session, showsDeleted(controls)));
	pass.page++;
	if (isNext && paged.size === 0) return finish(session, id, wellDone, paged, NO_COOKIE);
	return answerPage(session, task, pass, paged, armed);
}

const notBound = refusal(
	"operationsError",
	"000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v1db1",
);

async function answerRoot(session: Session, { id, request }: SearchTask, armed: readonly Armed[]): Promise<void> {
	const due = dueAfter(armed, 0);
	if (due !== undefined) {
		const blow = await strike(session, due);
		return blow.kind === "answer" ? finish(session, id, blow.end) : undefined;
	}
	const writer = new BerWriter(4096);
	writeEntry(writer, id, "", encodeRootDse(session.host.store, session.account, request.attributes));
	await session.out.send(writer.finish());
	return finish(session, id, wellDone);
}

async function firstBlow(session: Session, armed: readonly Armed[]): Promise<Ending | undefined> {
	const due = dueAfter(armed, 0);
	const blow = due === undefined ? undefined : await strike(session, due);
	return blow?.kind === "answer" ? blow.end : undefined;
}

function begin(session: Session, request: SearchRequest, controls: readonly Control[]): Pass | Ending {
	const { store } = session.host;
	const sight = sightFor(session, showsDeleted(controls));
	const base = locate(store, request.base, sight);
	if ("code" in base) return base;
	const isLocal = isDomainScope(controls);
	return {
		request,
		entries: seek(store, base, request, sight),
		form: dnForm(controls),
		references: isLocal ? [] : references(store, base, request.scope),
		sight,
		startedAt: performance.now(),
		sent: 0,
		page: 0,
	};
}

export function showsDeleted(controls: readonly Control[]): boolean {
	return controls.some(({ oid }) => oid === controlOid.showDeleted || oid === controlOid.showRecycled);
}

/** Why a page is over. */
type Stop =
	| { readonly kind: "full" | "end" | "abandoned" }
	| { readonly kind: "code"; readonly end: Ending }
	| { readonly kind: "silence" };

async function answerPage(
	session: Session,
	task: SearchTask,
	pass: Pass,
	paged: PagedControl | undefined,
	armed: readonly Armed[],
): Promise<void> {
	const { id } = task;
	if (paged !== undefined && takes(armed, "empty-page")) return finish(session, id, wellDone, paged, setAside(session, pass));
	const stop = await sendEntries(session, task, pass, paged, armed);
	switch (stop.kind) {
		case "silence":
		case "abandoned":
			return;
		case "code":
			return finish(session, id, stop.end);
		case "full":
			return takes(armed, "no-paged-control")
				? finish(session, id, wellDone)
				: finish(session, id, wellDone, paged, setAside(session, pass));
		case "end":
			for (const url of pass.references) await session.out.send(writeReference(id, url));
			return takes(armed, "no-paged-control") ? finish(session, id, wellDone) : finish(session, id, wellDone, paged, NO_COOKIE);
	}
}

async function sendEntries(
	session: Session,
	{ id, request, signal }: SearchTask,
	pass: Pass,
	paged: PagedControl | undefined,
	armed: readonly Armed[],
): Promise<Stop> {
	const { host, out } = session;
	const selection = selectionFor(host, request, pass.form);
	const hiding = makeHiding(pass, lostAttributes(armed));
	const most = Math.min(paged === undefined || paged.size === 0 ? host.limits.maxPageSize : paged.size, host.limits.maxPageSize);
	let writer = new BerWriter(PIECE_BYTES + 4096);
	let written = 0;
	const flush = async (): Promise<void> => {
		if (written === 0) return;
		const piece = writer.finish();
		written = 0;
		writer = new BerWriter(PIECE_BYTES + 4096);
		await out.send(piece);
	};
	for (let count = 0; ; ) {
		if (signal.aborted) return { kind: "abandoned" };
		const due = dueAfter(armed, pass.sent);
		if (due !== undefined) {
			await flush();
			const blow = await strike(session, due);
			return blow.kind === "answer" ? { kind: "code", end: blow.end } : { kind: "silence" };
		}
		if (isLate(pass)) return flush().then(() => ({ kind: "code", end: timeLimit }));
		if (paged !== undefined && count === most) return flush().then(() => ({ kind: "full" }));
		const next = pass.entries.next();
		if (next.done === true) return flush().then(() => ({ kind: "end" }));
		if (next.value === "pause") {
			await setImmediate();
			continue;
		}
		const isOver = count >= most || (request.sizeLimit > 0 && pass.sent >= request.sizeLimit);
		if (isOver) return flush().then(() => ({ kind: "code", end: sizeLimit }));
		const attributes = selection.encode(next.value, hiding(next.value));
		writeEntry(writer, id, nameIn(next.value, pass.form), attributes);
		written += attributes.length;
		count++;
		pass.sent++;
		if (written >= PIECE_BYTES) await flush();
	}
}

const sizeLimit: Ending = {
	...wellDone,
	code: resultCode.sizeLimitExceeded,
	text: "00000000: LdapErr: DSID-0C090A7F, comment: size limit, data 0, v1db1",
};
const timeLimit: Ending = {
	...wellDone,
	code: resultCode.timeLimitExceeded,
	text: "00000000: LdapErr: DSID-0C090A80, comment: time limit, data 0, v1db1",
};

function isLate({ request, startedAt }: Pass): boolean {
	return request.timeLimit > 0 && performance.now() - startedAt > request.timeLimit * 1000;
}

/** What is left out of an entry: hidden by rights, or lost by a fault. */
function makeHiding({ sight }: Pass, lost: ReadonlySet<string> | undefined): (object: AdObject) => ReadonlySet<string> {
	if (lost === undefined) return (object) => sight.hiddenOn(object);
	const both = new Map<ReadonlySet<string>, ReadonlySet<string>>();
	return (object) => {
		const hidden = sight.hiddenOn(object);
		const found = both.get(hidden) ?? new Set([...hidden, ...lost]);
		both.set(hidden, found);
		return found;
	};
}

function lostAttributes(armed: readonly Armed[]): ReadonlySet<string> | undefined {
	const lost = new Set<string>();
	for (const { fault, strike } of armed) {
		if (fault.kind !== "lost-attribute") continue;
		strike();
		lost.add(fault.attribute.toLowerCase());
	}
	return lost.size === 0 ? undefined : lost;
}

export function finish(session: Session, id: number, end: Ending, paged?: PagedControl, cookie: Uint8Array = NO_COOKIE): Promise<void> {
	const controls: ResponseControl[] = paged === undefined ? [] : [{ oid: controlOid.paged, value: pagedValue(0, cookie) }];
	return session.out.send(writeResult(id, answerTag.search, end, controls));
}
