import type { FastifyReply, FastifyRequest } from "fastify";
import type { Piece } from "../lib/html.ts";
import type { Api } from "./api.ts";
import type { Health } from "./health.ts";
import type { Look } from "./look.ts";
import type { Frame } from "./page/layout.ts";
import type { Reads } from "./reads.ts";
import type { Tokens } from "./token.ts";

/** What the page stands on. */
export interface PageParts {
	readonly api: Pick<Api, "approve" | "reject" | "sync" | "revert" | "unpin" | "readBack">;
	readonly look: Look;
	readonly reads: Pick<Reads, "accounts" | "runChanges" | "preview">;
	readonly tokens: Tokens;
	/** Over TLS. */
	readonly isSecure: boolean;
	readonly clock: () => number;
	health(): Health;
	/** Counts a wrong token against its address. */
	countGuess(request: FastifyRequest): Promise<Guesses>;
	/** Sends a document. */
	show(reply: FastifyReply, frame: Omit<Frame, "version" | "now" | "going" | "stamp">, main: Piece): FastifyReply;
}

export type Guesses =
	| { readonly isAllowed: true }
	| { readonly isAllowed: false; readonly isExceeded: boolean; readonly ttlInSeconds: number };
