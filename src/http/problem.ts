import type { FastifyReply } from "fastify";
import { Failure } from "../core/errors.ts";
import { kindOf, type ProblemCode } from "./problem-table.ts";

/** Problem details (RFC 9457), with what the command line needs to say it as its own. */
export interface ProblemDetails {
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	/** What was asked for. */
	readonly instance?: string;
	/** Everything that is wrong with the request, each with its place. */
	readonly errors?: readonly ProblemPart[];
	readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** One thing that is wrong: `parameter` of the path or the query, or `pointer` into the body (RFC 6901, as a fragment). */
export interface ProblemPart {
	readonly parameter?: string;
	readonly pointer?: string;
	readonly detail: string;
	readonly value: unknown;
	readonly remedy: string;
}

const PROBLEM_TYPE = "application/problem+json";

export function problem(code: ProblemCode, message: string, hint?: string): ProblemDetails {
	const { type, title, status } = kindOf(code);
	const detail = hint === undefined ? message : `${message}. ${hint}`;
	return { type, title, status, detail, error: { code, message, ...(hint !== undefined && { hint }) } };
}

/** What went wrong with a request, for who made it. A bug is named and not described: its text may hold anything. */
export function problemOf(error: unknown): ProblemDetails {
	if (error instanceof Failure) return problem(error.code, error.message, error.hint);
	const status = statusOf(error);
	if (status === undefined || !(error instanceof Error)) {
		return problem("INTERNAL", "this request met a bug of dirsyncd", "The daemon's log says more.");
	}
	if (status === 413) return problem("TOO_LARGE", "the body is too large", "16 KiB are enough for everything here.");
	if (status === 414) return problem("USAGE", "a name in the path is too long", "1,000 characters are enough for everything here.");
	if (status === 415) return problem("UNSUPPORTED_MEDIA_TYPE", "the body is no JSON", "Send Content-Type: application/json.");
	return { ...problem("USAGE", error.message), status };
}

/** Answers with a problem. */
export function refuse(reply: FastifyReply, details: ProblemDetails): FastifyReply {
	const instance = reply.request.url;
	return reply
		.code(details.status)
		.type(PROBLEM_TYPE)
		.serializer((given: unknown) => given as string)
		.send(JSON.stringify({ ...details, instance }));
}

/** What the web server itself refuses: bad JSON, a body too large, an unknown media type. */
function statusOf(error: unknown): number | undefined {
	if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
	const { statusCode } = error;
	return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
