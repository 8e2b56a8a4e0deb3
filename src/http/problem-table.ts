import { type FailureCode, failureCodes } from "../core/errors.ts";

/** What HTTP itself refuses, beside the failures of everything else. The same table stands in src/README.md. */
const ownCodes = {
	UNAUTHENTICATED: "no token, or a wrong one",
	METHOD_NOT_ALLOWED: "what is there does not take this method",
	TOO_LARGE: "the body is too large",
	UNSUPPORTED_MEDIA_TYPE: "the body is no application/json",
	TOO_MANY_REQUESTS: "too many wrong tokens from this address",
	INTERNAL: "a bug of dirsyncd; its log says more",
} as const satisfies Record<string, string>;

export type ProblemCode = FailureCode | keyof typeof ownCodes;

/** Whose fault it is, as HTTP says it. What is not here is ours: 500. */
const statuses: Readonly<Partial<Record<ProblemCode, number>>> = {
	USAGE: 400,
	UNAUTHENTICATED: 401,
	FORBIDDEN: 403,
	NOT_FOUND: 404,
	PLAN_UNKNOWN: 404,
	METHOD_NOT_ALLOWED: 405,
	AMBIGUOUS: 409,
	PLAN_CHANGED: 409,
	RUN_ALREADY_ACTIVE: 409,
	TOO_LARGE: 413,
	UNSUPPORTED_MEDIA_TYPE: 415,
	TOO_MANY_REQUESTS: 429,
	SOURCE_UNREACHABLE: 502,
	SOURCE_UNTRUSTED: 502,
	SOURCE_REFUSED: 502,
	SOURCE_BROKE: 502,
	SOURCE_LIMIT: 502,
	SOURCE_PROTOCOL: 502,
	SOURCE_BASE_MISSING: 502,
	TARGET_UNREACHABLE: 502,
	TARGET_REFUSED: 502,
	TARGET_LISTING_PARTIAL: 502,
	DATABASE_LOCKED: 503,
	DATABASE_UNWRITABLE: 503,
	ENGINE_DOWN: 503,
	CANCELLED: 503,
};

/** One kind of problem, the same wherever it is met. */
export interface ProblemKind {
	readonly code: ProblemCode;
	/** A URI reference that is stable, and leads to this table. */
	readonly type: string;
	readonly title: string;
	readonly status: number;
	readonly meaning: string;
}

/** Every problem there is, in the order of codes. */
export const problemKinds: readonly ProblemKind[] = Object.entries({ ...failureCodes, ...ownCodes })
	.map(([code, meaning]): ProblemKind => {
		const known = code as ProblemCode;
		return { code: known, type: `/api/v1/problems#${code}`, title: titleOf(known), status: statuses[known] ?? 500, meaning };
	})
	.sort((one, other) => (one.code < other.code ? -1 : 1));

const byCode = new Map(problemKinds.map((kind) => [kind.code, kind]));

export function kindOf(code: ProblemCode): ProblemKind {
	return byCode.get(code) as ProblemKind;
}

/** PLAN_CHANGED is "Plan Changed". */
function titleOf(code: ProblemCode): string {
	if (code === "USAGE") return "Bad Request";
	return code
		.toLowerCase()
		.split("_")
		.map((word) => word.replace(/^./, (letter) => letter.toUpperCase()))
		.join(" ");
}
