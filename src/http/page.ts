import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../core/errors.ts";
import { addLive, stampOf } from "./live.ts";
import { goingNow } from "./page/going.ts";
import { layout } from "./page/layout.ts";
import { openPage, signInForm } from "./page/open.ts";
import { overview } from "./page/overview.ts";
import { personPage } from "./page/person.ts";
import { refusalPage } from "./page/refusal.ts";
import { runPage } from "./page/run.ts";
import { runNumber } from "./page/run-number.ts";
import { RUNS_SHOWN, runsPage } from "./page/runs.ts";
import { addActs } from "./page-acts.ts";
import type { PageParts } from "./page-parts.ts";
import { problemOf } from "./problem.ts";
import type { Session } from "./session.ts";
import { addSignIn, isFromElsewhere } from "./sign-in.ts";

/** What the page does not make itself. */
export interface PageSurroundings extends Omit<PageParts, "show"> {
	/** An error that is no Failure: a bug. */
	onBug(error: unknown, where: string): void;
}

/** The page: documents made here, whole, for a browser that runs no scripts. Everything about people needs a session. */
export async function addPage(app: FastifyInstance, surroundings: PageSurroundings): Promise<void> {
	const { api, look, health, clock } = surroundings;
	await app.register(cookie);
	// In this scope alone: the API takes JSON, which no form of another site can send.
	await app.register(formbody);
	const show: PageParts["show"] = (reply, frame, main) => {
		const now = clock();
		const fresh = frame.session && { going: goingNow(look.going(), now), stamp: stampOf(surroundings) };
		const whole = { going: undefined, stamp: undefined, ...fresh, ...frame, version: health().version, now };
		return reply.type("text/html; charset=utf-8").send(layout(whole, main));
	};
	const { sessionOf, watcherOf, operatorOf } = addSignIn(app, { ...surroundings, show });

	app.setErrorHandler((error, request, reply) => {
		const details = problemOf(error);
		if (details.status >= 500 && !(error instanceof Failure))
			surroundings.onBug(error, `${request.method} ${request.routeOptions.url ?? ""}`);
		return show(reply.code(details.status), { title: details.title, here: undefined, session: sessionOf(request) }, refusalPage(details));
	});

	/** For who has signed in; everybody else is shown the way in, and comes back here. */
	const signedIn =
		<T extends FastifyRequest>(answer: (request: T, reply: FastifyReply, session: Session) => Promise<FastifyReply>) =>
		async (request: T, reply: FastifyReply): Promise<FastifyReply> => {
			const session = sessionOf(request);
			if (session !== undefined) return answer(request, reply, session);
			return reply.redirect(request.method === "GET" ? `/login?next=${encodeURIComponent(request.url)}` : "/login", 303);
		};

	app.get("/", async (request, reply) => {
		const session = sessionOf(request);
		const frame = { title: health().status, here: "/", session };
		return show(
			reply,
			frame,
			session === undefined
				? openPage(health(), signInForm({ next: "/", wrong: undefined, isFromElsewhere: isFromElsewhere(request) }))
				: overview(look, health(), session, clock()),
		);
	});
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
		signedIn<FastifyRequest<{ Params: { run: string } }>>(async (request, reply, session) => {
			const run = look.run(runNumber(request.params.run));
			if (run === undefined)
				throw new Failure("NOT_FOUND", `there is no run ${request.params.run}`, { hint: "Old ones are dropped (retention.runs)." });
			return show(reply, { title: `Run ${run.run}`, here: undefined, session }, runPage(run, look.changes(run.run), session, clock()));
		}),
	);
	app.get(
		"/people",
		signedIn<FastifyRequest<{ Querystring: { user?: unknown } }>>(async (request, reply, session) => {
			const { user } = request.query;
			if (typeof user !== "string" || user.trim() === "")
				throw new Failure("USAGE", "nobody is named", { hint: "Write a userName, an e-mail address, a DN or a GUID." });
			return show(
				reply,
				{ title: user.trim(), here: undefined, session },
				personPage(user.trim(), await look.explain(user.trim()), session),
			);
		}),
	);
	addActs(app, { api, signedIn, operatorOf });
	addLive(app, { look, health, clock, watcherOf });
}
