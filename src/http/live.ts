import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { digest } from "../lib/digest.ts";
import { markupOf } from "../lib/html.ts";
import type { Health } from "./health.ts";
import type { Look } from "./look.ts";
import { goingNow } from "./page/going.ts";

export interface LiveParts {
	readonly look: Pick<Look, "going" | "sources" | "targets">;
	readonly clock: () => number;
	health(): Health;
	/** Whether who asks has signed in, and, asked later, still is. */
	watcherOf(request: FastifyRequest): (() => boolean) | undefined;
}

/** How often is looked whether there is something to tell, while somebody listens. */
const PACE_MS = 500;
/** A gateway in between takes a stream that is silent for longer for a dead one. */
const SILENT_MS = 15_000;
/** Pages that are open at once; each holds a socket. */
const MOST_LISTENERS = 100;
/** More than this is waiting for a browser that does not read: it gets the next news, which tell all. */
const MOST_WAITING_BYTES = 65_536;

interface Listener {
	readonly stream: Readable;
	readonly isSignedIn: () => boolean;
	heard: string;
	heardAt: number;
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): what goes on now, as markup, and the stamp of
 * everything else that the page shows. A page whose stamp is another one asks for itself again. Nothing that has no session hears.
 */
export function addLive(app: FastifyInstance, parts: LiveParts): void {
	const { clock, watcherOf } = parts;
	const listeners = new Set<Listener>();
	let timer: NodeJS.Timeout | undefined;

	const tell = (listener: Listener, news: string, now: number): void => {
		if (!listener.isSignedIn()) return void listener.stream.push(null);
		if (listener.stream.readableLength > MOST_WAITING_BYTES) return;
		if (news !== listener.heard) listener.stream.push(`data: ${news}\n\n`);
		else if (now - listener.heardAt >= SILENT_MS) listener.stream.push(":\n\n");
		else return;
		listener.heard = news;
		listener.heardAt = now;
	};
	const beat = (): void => {
		const [news, now] = [newsOf(parts), clock()];
		for (const listener of listeners) tell(listener, news, now);
	};
	const forget = (listener: Listener): void => {
		listeners.delete(listener);
		if (listeners.size === 0) clearInterval(timer);
	};

	app.get("/events", { exposeHeadRoute: true }, async (request, reply) => {
		const isSignedIn = watcherOf(request);
		if (isSignedIn === undefined) return reply.code(401).send();
		reply.type("text/event-stream").header("x-accel-buffering", "no");
		if (request.method === "HEAD") return reply.send();
		if (listeners.size >= MOST_LISTENERS) return reply.code(503).send();
		const listener: Listener = { stream: new Readable({ read: () => {} }), isSignedIn, heard: "", heardAt: clock() };
		listener.stream.once("close", () => forget(listener));
		if (listeners.size === 0) timer = setInterval(beat, PACE_MS);
		listeners.add(listener);
		tell(listener, newsOf(parts), clock());
		return reply.send(listener.stream);
	});
	// Before the server waits for what is underway: this would never end by itself.
	app.addHook("preClose", async () => {
		for (const { stream } of listeners) stream.push(null);
	});
}

function newsOf(parts: LiveParts): string {
	const going = markupOf(goingNow(parts.look.going(), parts.clock()));
	return JSON.stringify({ going, stamp: stampOf(parts) });
}

/** Differs when the page would show something else; once a minute at least, since it says how long ago things were. */
export function stampOf({ look, health, clock }: Omit<LiveParts, "watcherOf">): string {
	const { status, notes } = health();
	const minute = Math.floor(clock() / 60_000);
	return digest(JSON.stringify([minute, status, notes, look.sources(), look.targets()])).toString("base64url");
}
