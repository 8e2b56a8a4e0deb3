import { Failure, type FailureCode } from "../core/errors.ts";

/** Problem details (RFC 9457), with what the command line needs to say it as its own. */
export interface ProblemDetails {
	readonly type: "about:blank";
	readonly title: string;
	readonly status: number;
	readonly detail: string;
	readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

export const PROBLEM_TYPE = "application/problem+json";

const titles: Readonly<Record<number, string>> = {
	400: "Bad Request",
	401: "Unauthorized",
	403: "Forbidden",
	404: "Not Found",
	405: "Method Not Allowed",
	409: "Conflict",
	413: "Content Too Large",
	415: "Unsupported Media Type",
	429: "Too Many Requests",
	500: "Internal Server Error",
	502: "Bad Gateway",
	503: "Service Unavailable",
};

const statuses: Readonly<Partial<Record<FailureCode, number>>> = {
	USAGE: 400,
	NOT_FOUND: 404,
	FORBIDDEN: 403,
	PLAN_UNKNOWN: 404,
	PLAN_CHANGED: 409,
	RUN_ALREADY_ACTIVE: 409,
	DATABASE_LOCKED: 503,
	DATABASE_UNWRITABLE: 503,
	CANCELLED: 503,
	SOURCE_UNREACHABLE: 502,
	SOURCE_UNTRUSTED: 502,
	SOURCE_REFUSED: 502,
	SOURCE_BROKE: 502,
	SOURCE_LIMIT: 502,
	SOURCE_PROTOCOL: 502,
	SOURCE_BASE_MISSING: 502,
	TARGET_UNREACHABLE: 502,
	TARGET_REFUSED: 502,
};

export function problem(status: number, code: string, message: string, hint?: string): ProblemDetails {
	const detail = hint === undefined ? message : `${message}. ${hint}`;
	return {
		type: "about:blank",
		title: titles[status] ?? "Error",
		status,
		detail,
		error: { code, message, ...(hint !== undefined && { hint }) },
	};
}

/** What went wrong with a request, for who made it. A bug is named and not described: its text may hold anything. */
export function problemOf(error: unknown): ProblemDetails {
	if (error instanceof Failure) return problem(statuses[error.code] ?? 500, error.code, error.message, error.hint);
	const status = statusOf(error);
	if (status !== undefined && error instanceof Error) return problem(status, "USAGE", error.message);
	return problem(500, "INTERNAL", "this request met a bug of dirsyncd", "The daemon's log says more.");
}

/** What the web server itself refuses: bad JSON, a body too large, an unknown media type. */
function statusOf(error: unknown): number | undefined {
	if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
	const { statusCode } = error;
	return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}
