import { Failure } from "../core/errors.ts";
import type { Api } from "../http/api.ts";
import { type BesideFacts, type Health, type HealthFacts, judgeHealth } from "../http/health.ts";
import type { Look } from "../http/look.ts";
import type { Reads } from "../http/reads.ts";
import type { HttpParts } from "../http/server.ts";
import type { Works } from "./works.ts";

/** What HTTP shows of the daemon, from the first moment to the last. */
export interface Front {
	readonly http: Pick<HttpParts, "health" | "isReady" | "metrics" | "api" | "look" | "reads">;
	/** The works are open. */
	connect(works: Works): void;
	stopping(): void;
}

/** Who asked without saying who: nobody but an operator may. */
const NAMELESS = "operator";

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
		sync: async (source, mode, by) => open().sync(source, mode, by ?? NAMELESS),
		approve: async (plan, by) => open().approve(plan, by),
		reject: async (plan, by) => open().reject(plan, by),
		revert: async (request, by) => open().revert(request, by),
		unpin: async (user, by) => open().unpin(user, by),
		forget: async (target, user, by) => open().forget(target, user, by),
		readBack: async (target, by) => open().readBack(target, by ?? NAMELESS),
		sources: () => open().sources(),
	};

	const look: Look = {
		// What stands around every page, also around the one that says why there is no other.
		sources: () => works?.look.sources() ?? [],
		targets: () => works?.look.targets() ?? [],
		going: () => works?.look.going() ?? [],
		// Nothing of it is known before the database is open and after it is closed: no page may say that nothing is held.
		heldBriefly: (most) => open().look.heldBriefly(most),
		quarantineBriefly: (most) => open().look.quarantineBriefly(most),
		runs: (limit, before) => open().look.runs(limit, before),
		run: (id) => open().look.run(id),
		rules: () => open().look.rules(),
		explain: async (user) => open().look.explain(user),
	};

	const reads: Reads = {
		version: () => version,
		startedAt: () => startedAt,
		health,
		schedule: () => open().schedule(),
		sources: () => open().look.sources(),
		targets: () => open().look.targets(),
		heldBriefly: (most) => open().look.heldBriefly(most),
		run: (id) => open().look.run(id),
		rules: () => open().look.rules(),
		explain: async (user) => open().look.explain(user),
		accountsNamed: (user) => open().accountsNamed(user),
		strangers: (group, most) => open().strangers(group, most),
		preview: async (request, most) => open().preview(request, most),
		accounts: (filter, after, limit) => open().pages.accounts(filter, after, limit),
		groups: (filter, after, limit) => open().pages.groups(filter, after, limit),
		groupsByAnchor: (anchor) => open().pages.groupsByAnchor(anchor),
		members: (group, after, limit) => open().pages.members(group, after, limit),
		runs: (source, after, limit) => open().pages.runs(source, after, limit),
		runChanges: (run, after, limit) => open().pages.runChanges(run, after, limit),
		planChanges: (plan, after, limit) => open().pages.planChanges(plan, after, limit),
		quarantine: (source, after, limit) => open().pages.quarantine(source, after, limit),
		pins: (after, limit) => open().pages.pins(after, limit),
		log: (filter, after, limit) => open().pages.log(filter, after, limit),
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
			reads,
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
