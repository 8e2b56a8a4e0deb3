import type { Config } from "../config/config.ts";
import { Failure, type FailureCode, failureCodes } from "../core/errors.ts";
import type { SyncRequest } from "../engine.ts";
import type { Forgotten } from "../store/forget.ts";
import type { Unpinned } from "../store/pins.ts";
import type { RevertRequest, RunReport } from "../sync/report.ts";
import type { Context } from "./context.ts";

/** The daemon that holds the database, as far as the commands need it. It waits for a run to end, however long that takes. */
export interface Daemon {
	readonly url: string;
	sync(request: Omit<SyncRequest, "trigger">): Promise<RunReport>;
	approve(plan: string, by: string): Promise<RunReport>;
	reject(plan: string, by: string): Promise<Rejection>;
	revert(request: RevertRequest, by: string): Promise<RunReport>;
	unpin(user: string, by: string): Promise<Unpinned>;
	forget(target: string, user: string | undefined, by: string): Promise<Forgotten>;
}

/** What came of a rejection. */
export interface Rejection {
	readonly source: string;
	readonly rejected: number;
}

/** Speaks to a daemon over its API, with the token that it keeps beside the database. */
export function reachDaemon({ doors, signal }: Context, config: Config, url: string): Daemon {
	const post = async (path: string, body: unknown): Promise<unknown> => {
		const token = await doors.readToken(config.database, "token");
		const certificate = config.http.tls?.cert;
		const answer = await doors.request({ url: new URL(path, url).href, method: "POST", token, body, certificate }, signal);
		if (answer.status >= 200 && answer.status < 300) return answer.body;
		throw failureOf(url, answer.status, answer.body);
	};
	return {
		url,
		sync: async (request) => asReport(url, await post("/api/v1/sync", request)),
		approve: async (plan, by) => asReport(url, await post(`/api/v1/plans/${encodeURIComponent(plan)}/approve`, { by })),
		revert: async ({ run, kind, user }, by) =>
			asReport(
				url,
				await post(`/api/v1/runs/${run}/revert`, { ...(kind !== undefined && { kind }), ...(user !== undefined && { account: user }), by }),
			),
		unpin: async (user, by) => asUnpinned(url, await post(`/api/v1/accounts/${encodeURIComponent(user)}/unpin`, { by })),
		forget: async (target, user, by) =>
			asForgotten(url, await post(`/api/v1/targets/${encodeURIComponent(target)}/forget`, { ...(user !== undefined && { user }), by })),
		reject: async (plan, by) => asRejection(url, await post(`/api/v1/plans/${encodeURIComponent(plan)}/reject`, { by })),
	};
}

/** What the daemon refused, as if it had been refused here. */
function failureOf(url: string, status: number, body: unknown): Failure {
	const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : undefined;
	if (error === undefined) {
		const hint = status === 401 || status === 403 ? "The token beside the database is not this daemon's: restart the daemon." : undefined;
		return new Failure("DAEMON_UNREACHABLE", `the daemon at ${url} answered ${status}`, hint === undefined ? {} : { hint });
	}
	const { code, message, hint } = error;
	const known = typeof code === "string" && Object.hasOwn(failureCodes, code) ? (code as FailureCode) : "DAEMON_UNREACHABLE";
	return new Failure(
		known,
		typeof message === "string" ? message : `the daemon at ${url} answered ${status}`,
		typeof hint === "string" ? { hint } : {},
	);
}

function asReport(url: string, body: unknown): RunReport {
	// The daemon on the other side is of this version: it holds the database that this process would otherwise open.
	if (isRecord(body) && typeof body["run"] === "number" && typeof body["outcome"] === "string" && typeof body["startedAt"] === "string") {
		return { ...body, startedAt: Date.parse(body["startedAt"]) } as unknown as RunReport;
	}
	throw notUnderstood(url);
}

function asRejection(url: string, body: unknown): Rejection {
	if (isRecord(body) && typeof body["source"] === "string" && typeof body["rejected"] === "number") return body as unknown as Rejection;
	throw notUnderstood(url);
}

function asForgotten(url: string, body: unknown): Forgotten {
	if (isRecord(body) && typeof body["accounts"] === "number" && typeof body["groups"] === "number") return body as unknown as Forgotten;
	throw notUnderstood(url);
}

function asUnpinned(url: string, body: unknown): Unpinned {
	if (isRecord(body) && typeof body["accounts"] === "number" && typeof body["pins"] === "number") return body as unknown as Unpinned;
	throw notUnderstood(url);
}

function notUnderstood(url: string): Failure {
	return new Failure("DAEMON_UNREACHABLE", `the daemon at ${url} gave an answer that is not understood`, {
		hint: "Use the same version of dirsyncd for both.",
	});
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
