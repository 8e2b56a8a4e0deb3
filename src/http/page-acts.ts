import { setTimeout as pause } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../core/errors.ts";
import type { Look } from "./look.ts";
import { runNumber } from "./page/run-number.ts";
import type { PageParts } from "./page-parts.ts";
import type { Session } from "./session.ts";
import { fieldOf } from "./sign-in.ts";

export interface ActParts extends Pick<PageParts, "api"> {
	readonly look: Pick<Look, "heldBriefly">;
	/** For who has signed in; everybody else is shown the way in. */
	signedIn(
		answer: (request: FastifyRequest, reply: FastifyReply, session: Session) => Promise<FastifyReply>,
	): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;
	/** Throws Failure FORBIDDEN for a viewer, and for a form that is not ours. */
	operatorOf(request: FastifyRequest, session: Session): void;
}

/** Who did it, in the change log: whoever has the token, and the token has no name. */
const BY = "page";

/** What has not ended by then goes on, and is seen on the overview: a browser should not wait for a full reading. */
const SOON_MS = 3000;

/** What an operator does on the page. Each is a form of ours that leads to where it shows what came of it. */
export function addActs(app: FastifyInstance, { api, look, signedIn, operatorOf }: ActParts): void {
	/** `subject` is what the path or the form names; `work` says where to go then. */
	const act = (path: string, name: string, work: (subject: string, request: FastifyRequest) => Promise<string>): void => {
		app.post(
			path,
			signedIn(async (request, reply, session) => {
				operatorOf(request, session);
				const subject = (request.params as Readonly<Record<string, string>>)[name] ?? fieldOf(request.body, name) ?? "";
				return reply.redirect(await work(subject, request), 303);
			}),
		);
	};

	/** The page shows only what is held. Of any other plan the engine would read every directory whole, to see whether it makes that one. */
	const checkHeld = (plan: string): void => {
		if (look.heldBriefly(0).some((held) => held.plan === plan)) return;
		const hint = "It was decided, or it dissolved because the directory changed.";
		throw new Failure("PLAN_UNKNOWN", `no plan ${plan} is waiting`, { hint });
	};

	act("/plans/:plan/approve", "plan", async (plan) => {
		checkHeld(plan);
		return `/runs/${(await api.approve(plan, BY)).run}`;
	});
	act("/plans/:plan/reject", "plan", async (plan) => {
		checkHeld(plan);
		await api.reject(plan, BY);
		return "/";
	});
	act("/runs/:run/revert", "run", async (run) => {
		const report = await api.revert({ run: runNumber(run), kind: undefined, user: undefined }, BY);
		return `/runs/${report.run}`;
	});
	act("/people/unpin", "user", async (user) => {
		await api.unpin(user, BY);
		return `/people?user=${encodeURIComponent(user)}`;
	});
	act("/sources/:source/sync", "source", async (source, request) => {
		const report = await soon(api.sync(source, fieldOf(request.body, "mode") === "full" ? "full" : "auto", BY));
		return report === undefined ? "/" : `/runs/${report.run}`;
	});
	act("/targets/:target/read-back", "target", async (target) => {
		await soon(api.readBack(target, BY));
		return "/";
	});
}

/** What comes of it within a while. How it ends after that, the log and the overview say. */
async function soon<T>(work: Promise<T>): Promise<T | undefined> {
	const patience = new AbortController();
	try {
		return await Promise.race([work, pause(SOON_MS, undefined, { signal: patience.signal })]);
	} finally {
		patience.abort();
		work.catch(() => {});
	}
}
