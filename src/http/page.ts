import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../core/errors.ts";
import { addLive, stampOf } from "./live.ts";
import { goingNow } from "./page/going.ts";
import { layout } from "./page/layout.ts";
import { openPage, signInForm } from "./page/open.ts";
import { overview } from "./page/overview.ts";
import { refusalPage } from "./page/refusal.ts";
import { addActs } from "./page-acts.ts";
import type { PageParts } from "./page-parts.ts";
import { addPlaces } from "./page-places.ts";
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
	addPlaces(app, { ...surroundings, signedIn, show });
	addActs(app, { api, look, signedIn, operatorOf });
	addLive(app, { look, health, clock, watcherOf });
}
