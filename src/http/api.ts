import type { FastifyInstance } from "fastify";
import { changeKinds } from "../core/change.ts";
import { Failure } from "../core/errors.ts";
import type { Forgotten } from "../store/forget.ts";
import type { Unpinned } from "../store/pins.ts";
import type { HeldPlanView } from "../store/views.ts";
import type { RevertRequest, RunReport } from "../sync/report.ts";

/** What the API may ask of the daemon. Everything throws Failures. */
export interface Api {
	/** Waits for a run that is going on, then makes one. */
	sync(source: string, mode: "full" | "delta" | "auto", by?: string): Promise<RunReport>;
	approve(plan: string, by: string): Promise<RunReport>;
	reject(plan: string, by: string): Promise<{ readonly source: string; readonly rejected: number }>;
	/** Takes a run back: see the command of the same name. */
	revert(request: RevertRequest, by: string): Promise<RunReport>;
	unpin(user: string, by: string): Promise<Unpinned>;
	/** See the command of the same name. */
	forget(target: string, user: string | undefined, by: string): Promise<Forgotten>;
	/** Reads a target back, and does what the configuration says about what is not as we left it. */
	readBack(target: string, by?: string): Promise<object>;
	/** Names of the sources, in the order of the configuration. */
	sources(): readonly string[];
	status(): unknown;
	plans(): readonly HeldPlanView[];
}

/** The routes of /api/v1. */
export function addApi(app: FastifyInstance, api: Api): void {
	app.get("/status", async () => api.status());
	app.get("/plans", async () => api.plans());
	app.post("/sync", async (request) => {
		const { source, mode } = parseSync(request.body);
		if (source !== undefined) return api.sync(source, mode);
		return Promise.all(api.sources().map((name) => api.sync(name, mode)));
	});
	app.post<{ Params: { plan: string } }>("/plans/:plan/approve", async (request) =>
		api.approve(parsePlan(request.params.plan), parseBy(request.body)),
	);
	app.post<{ Params: { plan: string } }>("/plans/:plan/reject", async (request) =>
		api.reject(parsePlan(request.params.plan), parseBy(request.body)),
	);
	app.post<{ Params: { run: string } }>("/runs/:run/revert", async (request) => {
		const { kind, user, by } = parseRevert(request.body);
		return api.revert({ run: parseRun(request.params.run), kind, user }, by);
	});
	app.post<{ Params: { user: string } }>("/accounts/:user/unpin", async (request) => api.unpin(request.params.user, parseBy(request.body)));
	app.post<{ Params: { target: string } }>("/targets/:target/forget", async (request) => {
		const { user, by } = parseForget(request.body);
		return api.forget(request.params.target, user, by);
	});
	app.post<{ Params: { target: string } }>("/targets/:target/read-back", async (request) => api.readBack(request.params.target));
}

/** `{kind?, account?, by?}`. */
function parseRevert(body: unknown): Omit<RevertRequest, "run"> & { readonly by: string } {
	const { kind, account, by } = members(body, ["kind", "account", "by"]);
	const known = changeKinds.find((each) => each === kind);
	if (kind !== undefined && known === undefined) throw usage(`kind is none of ${changeKinds.join(", ")}`);
	if (account !== undefined && (typeof account !== "string" || account.trim() === "")) throw usage("account is not a name");
	return { kind: known, user: account, by: parseBy({ by }) };
}

function parseRun(text: string): number {
	if (!/^[1-9]\d{0,14}$/.test(text)) throw usage(`${JSON.stringify(text)} is not the number of a run`);
	return Number(text);
}

/** `{user?, by?}`. */
function parseForget(body: unknown): { readonly user: string | undefined; readonly by: string } {
	const { user, by } = members(body, ["user", "by"]);
	if (user !== undefined && (typeof user !== "string" || user.trim() === "")) throw usage("user is not a name");
	return { user, by: parseBy({ by }) };
}

/** `{source?, mode?: "full" | "delta" | "auto"}`, or `full: true` for mode full. */
function parseSync(body: unknown): { readonly source: string | undefined; readonly mode: "full" | "delta" | "auto" } {
	const { source, mode, full } = members(body, ["source", "mode", "full"]);
	if (source !== undefined && typeof source !== "string") throw usage("source is not a text");
	if (full !== undefined && typeof full !== "boolean") throw usage("full is neither true nor false");
	if (mode !== undefined && mode !== "full" && mode !== "delta" && mode !== "auto") throw usage("mode is none of full, delta and auto");
	return { source, mode: mode ?? (full === true ? "full" : "auto") };
}

function parseBy(body: unknown): string {
	const { by } = members(body, ["by"]);
	if (by === undefined) return "api";
	if (typeof by !== "string" || by.trim() === "" || by.length > 200) throw usage("by is not a name");
	return by;
}

function parsePlan(text: string): string {
	if (!/^sha256:[0-9a-f]{64}$/.test(text)) throw usage(`${JSON.stringify(text)} is not the hash of a plan`);
	return text;
}

function members(body: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
	if (body === undefined || body === null) return {};
	if (typeof body !== "object" || Array.isArray(body)) throw usage("the body is not a JSON object");
	const unknown = Object.keys(body).find((key) => !known.includes(key));
	if (unknown !== undefined) throw usage(`${JSON.stringify(unknown)} is not known here`);
	return body as Readonly<Record<string, unknown>>;
}

function usage(message: string): Failure {
	return new Failure("USAGE", message, { hint: "src/README.md describes the API." });
}
