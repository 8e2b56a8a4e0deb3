import { timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Failure } from "../core/errors.ts";
import { openPage, signInForm } from "./page/open.ts";
import type { PageParts } from "./page-parts.ts";
import { makeSessions, type Session } from "./session.ts";
import { roleOf } from "./token.ts";

/** Who asks, as far as the page knows. */
export interface Doorkeeper {
	/** Undefined: nobody has signed in. */
	sessionOf(request: FastifyRequest): Session | undefined;
	/** Whether who asks is signed in, for a request that lasts: asked again, it tells of the same session. Undefined: nobody has signed in. */
	watcherOf(request: FastifyRequest): (() => boolean) | undefined;
	/** The session of who sent one of its forms. Throws Failure FORBIDDEN, and nothing is to be done. */
	operatorOf(request: FastifyRequest, session: Session): void;
}

/** The way in and out of the page: a token for a session, whose id only a cookie carries. */
export function addSignIn(app: FastifyInstance, parts: PageParts): Doorkeeper {
	const { clock, isSecure, tokens, countGuess, show } = parts;
	const sessions = makeSessions(clock);
	// The prefix binds a cookie to this very host, where the browser can tell hosts apart: over TLS.
	const cookie = isSecure ? "__Host-dirsyncd" : "dirsyncd";
	const flags = { path: "/", httpOnly: true, sameSite: "strict", secure: isSecure } as const;

	const form = (reply: FastifyReply, status: number, next: string, wrong: string | undefined): FastifyReply => {
		const wayIn = signInForm({ next, wrong, isFromElsewhere: wrong === undefined && isFromElsewhere(reply.request) });
		return show(reply.code(status), { title: "Sign in", here: undefined, session: undefined }, openPage(parts.health(), wayIn));
	};

	app.get<{ Querystring: { next?: unknown } }>("/login", async (request, reply) =>
		form(reply, 200, localPath(request.query.next), undefined),
	);
	app.post("/login", async (request, reply) => {
		checkOrigin(request);
		const next = localPath(fieldOf(request.body, "next"));
		const role = roleOf(fieldOf(request.body, "token")?.trim(), tokens);
		if (role !== undefined) {
			sessions.end(request.cookies[cookie]);
			return reply.setCookie(cookie, sessions.begin(role), flags).redirect(next, 303);
		}
		const guesses = await countGuess(request);
		if (guesses.isAllowed || !guesses.isExceeded) return form(reply, 401, next, "This token is not the right one.");
		reply.header("retry-after", guesses.ttlInSeconds);
		return form(reply, 429, next, `Too many wrong tokens. Try again in ${guesses.ttlInSeconds} s.`);
	});
	app.post("/logout", async (request, reply) => {
		const id = request.cookies[cookie];
		const session = sessions.find(id);
		if (session !== undefined) checkForm(request, session);
		sessions.end(id);
		return reply.clearCookie(cookie, flags).redirect("/", 303);
	});

	return {
		sessionOf: (request) => sessions.find(request.cookies[cookie], request.headers["x-dirsyncd-live"] !== undefined),
		watcherOf: (request) => {
			const id = request.cookies[cookie];
			const isSignedIn = (): boolean => sessions.find(id, true) !== undefined;
			return isSignedIn() ? isSignedIn : undefined;
		},
		operatorOf: (request, session) => {
			checkForm(request, session);
			if (session.role !== "operator")
				throw new Failure("FORBIDDEN", "a viewer decides nothing", { hint: "Sign in with the admin token." });
		},
	};
}

/** Refuses what one of our own forms did not send. */
function checkForm(request: FastifyRequest, { csrf }: Session): void {
	checkOrigin(request);
	const given = Buffer.from(fieldOf(request.body, "csrf") ?? "");
	const right = Buffer.from(csrf);
	if (given.length !== right.length || !timingSafeEqual(given, right)) {
		throw new Failure("FORBIDDEN", "this form is of another session", { hint: "Open the page anew and try again." });
	}
}

/** Every browser says where a form that is posted stands. A gateway in front may speak TLS and we not: the host alone has to be ours. */
function checkOrigin(request: FastifyRequest): void {
	const { origin, host } = request.headers;
	if (origin !== undefined && URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return;
	throw new Failure("FORBIDDEN", "this form does not come from this page", { hint: "Behind a gateway, let it pass on the Host header." });
}

/** Whether a link on another site led here, as far as the browser says so. */
export function isFromElsewhere({ headers }: FastifyRequest): boolean {
	return headers["sec-fetch-site"] === "cross-site";
}

/** A path of this page, in the characters that URLs are made of (RFC 3986 §3.3), and nothing else: whoever signs in must not be sent elsewhere. */
function localPath(given: unknown): string {
	return typeof given === "string" && /^\/(?![/\\])[\w./?=&%:@+~!$'()*,;-]*$/.test(given) ? given : "/";
}

/** What a form says under a name. */
export function fieldOf(body: unknown, name: string): string | undefined {
	if (typeof body !== "object" || body === null) return undefined;
	const value = (body as Readonly<Record<string, unknown>>)[name];
	return typeof value === "string" ? value : undefined;
}
