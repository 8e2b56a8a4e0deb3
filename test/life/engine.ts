import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { openEngine } from "../../src/app/engine.ts";
import { openPlanner } from "../../src/app/planner.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { openViews } from "../../src/store/open-views.ts";
import type { AccountView } from "../../src/store/views.ts";
import type { JudgedChange } from "../../src/sync/judged.ts";
import type { Progress, RunReport } from "../../src/sync/report.ts";
import type { Directory } from "../contract/directory.ts";

export interface Keeper {
	readonly databaseFile: string;
	/** `onProgress` is called while it goes on, to let something happen in the middle of it. */
	sync(mode: "full" | "delta" | "auto", onProgress?: (progress: Progress) => void): Promise<RunReport>;
	/** What a run would do, by a connection that cannot write. */
	plan(mode: "full" | "delta" | "auto"): Promise<readonly JudgedChange[]>;
	explain(user: string): Promise<readonly Explanation[]>;
	/** Carries out what is held under a plan's name. */
	approve(plan: string): Promise<RunReport>;
	/** By anchor. */
	accounts(): ReadonlyMap<string, AccountView>;
	close(): Promise<void>;
}

export interface KeeperSettings {
	readonly base: string;
	readonly exclude?: readonly string[];
	/** Further keys of the source. */
	readonly source?: Readonly<Record<string, unknown>>;
	/** Further lines of the configuration. */
	readonly more?: string;
}

/** The engine as a whole on a database of its own, with a configuration file as an operator would write it. */
export function openKeeper(directory: Directory, settings: KeeperSettings): Keeper {
	const folder = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-life-"));
	const file = path.join(folder, "dirsyncd.yaml");
	const { urls, bind } = directory.connection;
	const source = {
		name: "corp",
		type: "active-directory",
		urls,
		insecure: true,
		bind,
		base: settings.base,
		users: { exclude: settings.exclude ?? [] },
		...settings.source,
	};
	// JSON is YAML too.
	writeFileSync(file, `database: ./dirsyncd.db\nsources: ${JSON.stringify([source])}\n${settings.more ?? ""}`);
	const { config } = loadConfig(file, {});
	const engine = openEngine(config, { check: "always", clock: Date.now, random: Math.random });
	return {
		databaseFile: config.database,
		sync: (mode, progress = () => {}) =>
			engine.sync(
				{ source: "corp", mode, trigger: "command" },
				{ progress, ldap: () => {}, certificate: () => {} },
				new AbortController().signal,
			),
		plan: async (mode) => {
			const planner = openPlanner(config, { clock: Date.now, random: Math.random });
			try {
				const listener = { progress: () => {}, ldap: () => {}, certificate: () => {} };
				const plan = await planner.plan({ source: "corp", mode }, listener, new AbortController().signal);
				const changes = [...plan.changes()];
				plan.close();
				return changes;
			} finally {
				await planner.close();
			}
		},
		explain: async (user) => {
			const planner = openPlanner(config, { clock: Date.now, random: Math.random });
			try {
				return await planner.explain(user, new AbortController().signal);
			} finally {
				await planner.close();
			}
		},
		approve: (plan) =>
			engine.approve(plan, "tester", { progress: () => {}, ldap: () => {}, certificate: () => {} }, new AbortController().signal),
		accounts: () => {
			const views = openViews(config.database);
			try {
				return new Map([...views.accounts()].map((view) => [view.anchor, view]));
			} finally {
				views.close();
			}
		},
		close: async () => {
			await engine.close();
			rmSync(folder, { recursive: true });
		},
	};
}
