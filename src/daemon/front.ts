import { Failure } from "../core/errors.ts";
import type { Api } from "../http/api.ts";
import { type BesideFacts, type Health, type HealthFacts, judgeHealth } from "../http/health.ts";
import type { Look } from "../http/look.ts";
import type { HttpParts } from "../http/server.ts";
import type { Works } from "./works.ts";

/** What HTTP shows of the daemon, from the first moment to the last. */
export interface Front {
	readonly http: Pick<HttpParts, "health" | "isReady" | "metrics" | "api" | "look">;
	/** The works are open. */
	connect(works: Works): void;
	stopping(): void;
}

export interface FrontParts {
	readonly version: string;
	readonly clock: () => number;
	/** How the log is, which is there before the works are. */
	readonly log: () => BesideFacts;
}

export function makeFront({ version, clock, log }: FrontParts): Front {
	const startedAt = clock();
	let works: Works | undefined;
	let phase: HealthFacts["phase"] = "starting";

	const health = (): Health => {
		const facts = works?.facts() ?? { sources: [], targets: [], database: undefined, engine: undefined, beside: [] };
		return judgeHealth({ now: clock(), startedAt, version, phase, ...facts, beside: [log(), ...facts.beside] });
	};

	const open = (): Works => {
		if (works !== undefined && phase === "running") return works;
		throw new Failure("CANCELLED", `dirsyncd is ${phase}`, { hint: "Try again in a moment." });
	};

	const api: Api = {
		sync: async (source, mode) => open().sync(source, mode),
		approve: async (plan, by) => open().approve(plan, by),
		reject: async (plan, by) => open().reject(plan, by),
		revert: async (request, by) => open().revert(request, by),
		unpin: async (user, by) => open().unpin(user, by),
		forget: async (target, user, by) => open().forget(target, user, by),
		readBack: async (target) => open().readBack(target),
		sources: () => open().sources(),
		status: () => ({ ...open().status(), startedAt: new Date(startedAt).toISOString(), version, health: health() }),
		plans: () => open().plans(),
	};

	const look: Look = {
		sources: () => works?.look.sources() ?? [],
		targets: () => works?.look.targets() ?? [],
		heldBriefly: (most) => works?.look.heldBriefly(most) ?? [],
		quarantine: () => works?.look.quarantine() ?? [],
		runs: (limit, before) => works?.look.runs(limit, before) ?? [],
		run: (id) => works?.look.run(id),
		changes: (run) => open().look.changes(run),
		rules: () => works?.look.rules() ?? [],
		explain: async (user) => open().look.explain(user),
	};

	return {
		http: {
			health,
			isReady: () => phase === "running",
			metrics: {
				contentType: "text/plain; version=0.0.4; charset=utf-8",
				// Before there is anything to count, a scrape finds nothing, which is no error.
				text: async () => works?.metrics() ?? "",
			},
			api,
			look,
		},
		connect: (to) => {
			works = to;
			phase = "running";
		},
		stopping: () => {
			phase = "stopping";
		},
	};
}
