import path from "node:path";
import { runCommandLine } from "../../src/cli/cli.ts";
import type { CheckStep, Context, DaemonCall, Delegation, Doors } from "../../src/cli/context.ts";
import type { Output } from "../../src/cli/output.ts";
import { databaseOf } from "../../src/config/glance.ts";
import { loadConfig } from "../../src/config/load.ts";
import { noCounts, noGroupCounts } from "../../src/core/change.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Holder } from "../../src/daemon/lock.ts";
import type { Engine, Planner, PlanResult, Trial } from "../../src/engine.ts";
import type { ChainProof } from "../../src/store/chain.ts";
import type { RunView, Views } from "../../src/store/views.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { directoryWith, good } from "../config/configure.ts";

/** The world around a command, in memory: what it says, and what it asks of the rooms behind it. */
export interface World {
	readonly engine: Partial<Engine>;
	readonly planner: Partial<Planner>;
	readonly trial: Partial<Trial>;
	readonly views: Partial<Views>;
	readonly holder: Holder | undefined;
	readonly daemon: (call: DaemonCall) => { readonly status: number; readonly body: unknown };
	readonly health: (url: string) => { readonly status: number; readonly body: unknown };
	readonly steps: readonly CheckStep[];
	readonly targetSteps: readonly CheckStep[];
	readonly delegation: Delegation;
	readonly verify: () => ChainProof | undefined;
	readonly sources: readonly string[];
	readonly isTerminal: boolean;
}

export interface Said {
	readonly code: number;
	readonly out: string;
	readonly err: string;
	readonly config: string;
}

/** Runs a command line in a world of which only what matters is given. */
export async function say(argv: readonly string[], world: Partial<World> = {}): Promise<Said> {
	const [first = "corp", ...others] = world.sources ?? ["corp"];
	const more = others.map((name) => good().split("\n").slice(1).join("\n").replace("name: corp", `name: ${name}`));
	const directory = directoryWith({ "dirsyncd.yaml": good().replace("name: corp", `name: ${first}`) + more.join("") });
	const out = memory(world.isTerminal ?? false);
	const err = memory(world.isTerminal ?? false);
	const context: Context = {
		out,
		err,
		environment: {},
		directory,
		clock: () => 1_800_000_000_000,
		user: "anna",
		version: "9.9.9",
		signal: new AbortController().signal,
		doors: doorsOf(world),
	};
	const code = await runCommandLine(context, argv);
	return { code, out: out.text(), err: err.text(), config: path.join(directory, "dirsyncd.yaml") };
}

function doorsOf(world: Partial<World>): Doors {
	const { holder } = world;
	return {
		loadConfig,
		databaseOf,
		openEngine: async () => ({ close: async () => {}, ...world.engine }) as Engine,
		openPlanner: async () => ({ close: async () => {}, ...world.planner }) as Planner,
		openTrial: async () => ({ notes: () => [], close: () => {}, ...world.trial }) as Trial,
		openViews: async () => ({ close: () => {}, ...world.views }) as Views,
		waitForLock: async () => {
			if (holder !== undefined) throw new Failure("DATABASE_LOCKED", "held", { cause: holder });
			return { announce: () => {}, release: () => {} };
		},
		holder: async () => holder,
		runDaemon: async () => {},
		diagnose: async function* () {
			yield* world.steps ?? [];
		},
		delegation: async () => {
			if (world.delegation === undefined) throw new Error("nobody was to ask");
			return world.delegation;
		},
		tryServers: async function* () {
			yield* world.steps ?? [];
		},
		survey: async () => ({ server: "ldaps://dc1", base: "DC=corp", people: 0, groups: 0, places: [] }),
		diagnoseTarget: async function* () {
			yield* world.targetSteps ?? [];
		},
		diagnoseChannel: async function* () {},
		verifyDatabase: async () => (world.verify === undefined ? wholeChain(0) : world.verify()),
		backUp: async () => {},
		restore: async () => ({ kept: undefined, lastRunAt: undefined, changes: 0 }),
		readToken: async (_file, which) => (which === "token" ? "token-of-the-daemon" : "token-of-viewers"),
		askHealth: async (url) => (world.health === undefined ? { status: 500, body: undefined } : world.health(url)),
		request: async (call) => (world.daemon === undefined ? { status: 500, body: undefined } : world.daemon(call)),
	};
}

/** What is written, kept. */
export function memory(isTerminal: boolean): Output & { text(): string } {
	let all = "";
	return {
		isTerminal,
		write: (text) => {
			all += text;
		},
		drained: async () => {},
		isClosed: () => false,
		paint: (_colour, text) => text,
		text: () => all,
	};
}

export function wholeChain(rows: number): ChainProof {
	return { kind: "whole", rows, last: { sequence: rows, digest: "ab".repeat(32) } };
}

/** A report as the daemon answers it. */
export function asAnswer(given: RunReport): object {
	return { ...given, startedAt: new Date(given.startedAt).toISOString() };
}

export function report(fields: Partial<RunReport> = {}): RunReport {
	return {
		run: 7,
		source: "corp",
		mode: "full",
		outcome: "succeeded",
		sealed: true,
		unsealed: [],
		read: 1000,
		created: 2,
		updated: 0,
		disabled: 0,
		enabled: 0,
		deleted: 0,
		entitlements: undefined,
		unchanged: 998,
		held: 0,
		quarantined: 0,
		delivered: 2,
		pending: 0,
		durationMs: 1234,
		groups: undefined,
		trigger: "command",
		startedAt: 1_799_999_000_000,
		server: "ldaps://dc1",
		strategy: undefined,
		fullBecause: undefined,
		warnings: [],
		error: undefined,
		plan: undefined,
		heldKinds: [],
		deliveries: [],
		revert: undefined,
		...fields,
	};
}

export function planOf(fields: Partial<PlanResult> = {}): PlanResult {
	return {
		source: "corp",
		mode: "full",
		sealed: true,
		unsealed: [],
		fullBecause: undefined,
		warnings: [],
		read: 1000,
		quarantined: 0,
		plan: `sha256:${"ab".repeat(32)}`,
		summary: noCounts,
		atTargets: 0,
		groups: noGroupCounts,
		held: [],
		changes: () => [],
		close: () => {},
		...fields,
	};
}

export function runView(fields: Partial<RunView> = {}): RunView {
	return {
		run: 7,
		source: "corp",
		mode: "full",
		trigger: "schedule",
		startedAt: 1_799_999_000_000,
		endedAt: 1_799_999_002_000,
		outcome: "succeeded",
		sealed: true,
		unsealed: [],
		fullBecause: undefined,
		server: "ldaps://dc1",
		error: undefined,
		read: 1000,
		created: 2,
		updated: 0,
		disabled: 0,
		enabled: 0,
		deleted: 0,
		entitlements: 0,
		held: 0,
		quarantined: 0,
		reverts: undefined,
		...fields,
	};
}
