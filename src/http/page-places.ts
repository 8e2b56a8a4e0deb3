import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../core/errors.ts";
import type { Explanation } from "../explain/explanation.ts";
import type { Place } from "../store/slice.ts";
import type { AccountView } from "../store/views.ts";
import { decodePlace, encodePlace, type Filled, fill } from "./filling.ts";
import { ACCOUNTS_SHOWN, accountsPage } from "./page/accounts.ts";
import { personPage } from "./page/person.ts";
import { revertPage, UNDONE_SHOWN } from "./page/revert.ts";
import { CHANGES_SHOWN, runPage } from "./page/run.ts";
import { runNumber } from "./page/run-number.ts";
import { RUNS_SHOWN, runsPage } from "./page/runs.ts";
import type { PageParts } from "./page-parts.ts";
import type { Session } from "./session.ts";

export interface PlacesParts extends Pick<PageParts, "look" | "reads" | "clock" | "show"> {
	/** For who has signed in; everybody else is shown the way in. */
	signedIn<T extends FastifyRequest>(
		answer: (request: T, reply: FastifyReply, session: Session) => Promise<FastifyReply>,
	): (request: T, reply: FastifyReply) => Promise<FastifyReply>;
}

/** Accounts that are shown where nobody is called just so. */
const ALIKE_SHOWN = 20;

/** The places of the page behind the overview: runs, what one did, accounts, and why one is as it is. */
export function addPlaces(app: FastifyInstance, { look, reads, clock, show, signedIn }: PlacesParts): void {
	const accountsWith = (text: string, after: Place | undefined, limit: number, reply: FastifyReply): Promise<Filled<AccountView>> => {
		const filter = { source: undefined, active: undefined, target: undefined, state: undefined, userName: undefined };
		const asked = { ...filter, text: text === "" ? undefined : text };
		return fill(
			(place, most) => reads.accounts(asked, place, most),
			{ after, limit },
			() => reply.raw.destroyed,
		);
	};

	app.get(
		"/runs",
		signedIn<FastifyRequest<{ Querystring: { before?: unknown } }>>(async (request, reply, session) => {
			const { before } = request.query;
			const runs = look.runs(RUNS_SHOWN + 1, before === undefined ? undefined : runNumber(before));
			return show(reply, { title: "Runs", here: "/runs", session }, runsPage(runs, clock()));
		}),
	);
	app.get(
		"/runs/:run",
		signedIn<FastifyRequest<{ Params: { run: string }; Querystring: { after?: unknown } }>>(async (request, reply, session) => {
			const id = runNumber(request.params.run);
			const run = look.run(id);
			if (run === undefined) throw new Failure("NOT_FOUND", `there is no run ${id}`, { hint: "Old ones are dropped (retention.runs)." });
			const after = placeIn("changes", ["number"], request.query.after);
			const slice = (place: Place | undefined, most: number) => reads.runChanges(id, place, most);
			const { items, reached } = await fill(slice, { after, limit: CHANGES_SHOWN }, () => reply.raw.destroyed);
			const next = reached && `after=${encodePlace("changes", reached)}`;
			const changes = { changes: items, isFirst: after === undefined, next };
			return show(reply, { title: `Run ${id}`, here: undefined, session }, runPage(run, changes, session, clock()));
		}),
	);
	app.get(
		"/runs/:run/revert",
		signedIn<FastifyRequest<{ Params: { run: string } }>>(async (request, reply, session) => {
			const run = runNumber(request.params.run);
			const preview = await reads.preview({ run, kind: undefined, user: undefined }, UNDONE_SHOWN);
			return show(reply, { title: `Take back run ${run}`, here: undefined, session }, revertPage(preview, session));
		}),
	);
	app.get(
		"/accounts",
		signedIn<FastifyRequest<{ Querystring: { text?: unknown; after?: unknown } }>>(async (request, reply, session) => {
			const text = typeof request.query.text === "string" ? request.query.text.trim().slice(0, 200) : "";
			const after = placeIn("accounts", ["string", "number"], request.query.after);
			const { items, reached } = await accountsWith(text, after, ACCOUNTS_SHOWN, reply);
			const next = reached && new URLSearchParams({ ...(text !== "" && { text }), after: encodePlace("accounts", reached) }).toString();
			return show(reply, { title: "Accounts", here: "/accounts", session }, accountsPage(text, items, next));
		}),
	);
	app.get(
		"/people",
		signedIn<FastifyRequest<{ Querystring: { user?: unknown } }>>(async (request, reply, session) => {
			const user = typeof request.query.user === "string" ? request.query.user.trim() : "";
			if (user === "") throw new Failure("USAGE", "nobody is named", { hint: "Write a userName, an e-mail address, a DN or a GUID." });
			const explanations = await look.explain(user);
			const alike = explanations.some(isKnown) ? [] : (await accountsWith(user, undefined, ALIKE_SHOWN, reply)).items;
			return show(reply, { title: user, here: undefined, session }, personPage(user, explanations, alike, session));
		}),
	);
}

function isKnown({ anchor, dn }: Explanation): boolean {
	return anchor !== undefined || dn !== undefined;
}

function placeIn(list: string, kinds: readonly ("number" | "string")[], text: unknown): Place | undefined {
	if (text === undefined) return undefined;
	const place = typeof text === "string" ? decodePlace(list, kinds, text) : undefined;
	if (place === undefined) throw new Failure("USAGE", "this is no page of the list", { hint: "Begin with its first." });
	return place;
}
