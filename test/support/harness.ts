import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Account } from "../../src/core/account.ts";
import type { ChangeKind } from "../../src/core/change.ts";
import type { GroupLimits, Limits } from "../../src/core/gate.ts";
import type { Lifecycle } from "../../src/core/lifecycle.ts";
import { compileMapping, type Mapping } from "../../src/core/mapping.ts";
import type { MatchField } from "../../src/core/match.ts";
import { plainSchema } from "../../src/core/matching.ts";
import { compileRules, type Rules } from "../../src/core/rules.ts";
import { asFailure, openDatabase, openReadOnly, openSibling } from "../../src/store/database.ts";
import { openLocalAccounts } from "../../src/store/local-accounts.ts";
import { openLocalGroups } from "../../src/store/local-groups.ts";
import { openViews } from "../../src/store/open-views.ts";
import { makeIds, openSession } from "../../src/store/session.ts";
import { type CycleContext, cycle } from "../../src/sync/cycle.ts";
import { findHeld, findShown, reject } from "../../src/sync/decide.ts";
import type { SyncTarget } from "../../src/sync/deliver-context.ts";
import { type DeliveryNews, makeDeliveries } from "../../src/sync/deliveries.ts";
import { type JudgedChange, judgedChanges } from "../../src/sync/judged.ts";
import { unpin } from "../../src/sync/pins.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { sourceOfRun } from "../../src/sync/revert.ts";
import { plan } from "../../src/sync/run.ts";
import { hasView, makeViews, type TargetTerms, viewsText } from "../../src/sync/views.ts";
import { type WhatIf, type WhatIfTerms, whatIf } from "../../src/sync/whatif.ts";
import { makeLocalTarget } from "../../src/target/local/local.ts";
import type { Target } from "../../src/target/target.ts";
import type { FakeSource } from "./fake-source.ts";

export const testMapping: Mapping = { userName: "{upn ?? cn}", displayName: "{cn}", "emails.primary": "{mail}", manager: "{manager}" };

export const testLifecycle: Lifecycle = { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: undefined };

const noRules: Rules = { features: [], policies: [] };

export interface HarnessOptions {
	readonly lifecycle?: Lifecycle;
	readonly limits?: Limits;
	readonly groupLimits?: GroupLimits;
	readonly match?: MatchField;
	readonly mapping?: Mapping;
	/** An existing database; else one of its own in a new folder. */
	readonly file?: string;
	/** Another source on the same database. */
	readonly beside?: { readonly file: string; readonly ids: () => number };
	readonly targets?: (local: Target) => readonly Target[];
	/** How long a run waits for its deliveries; by default until they are done. */
	readonly patienceMs?: number;
	/** What becomes of accounts that are there before us, at every target. */
	readonly adopt?: SyncTarget["adopt"];
	/** What gives features and policies. */
	readonly rules?: Rules;
	/** What targets have of their own, by name. */
	readonly views?: Readonly<Record<string, Partial<Omit<TargetTerms, "name">>>>;
}

function termsOf({ views }: HarnessOptions): readonly TargetTerms[] {
	const none = { when: undefined, mapping: undefined, lifecycle: undefined, limits: {} };
	return Object.entries(views ?? {}).map(([name, own]) => ({ ...none, ...own, name }));
}

/** Everything behind the source port, real: SQLite in a file, the run, the local target. Time stands still unless it is set. */
export function openHarness(fake: FakeSource, options: HarnessOptions = {}) {
	const folder = options.file === undefined && options.beside === undefined ? mkdtempSync(path.join(tmpdir(), "dirsyncd-")) : undefined;
	const file = options.beside?.file ?? options.file ?? path.join(folder as string, "dirsyncd.db");
	const time = { now: Date.UTC(2026, 10, 1) };
	const db = openDatabase(file, { check: "always", now: time.now });
	const ids = options.beside?.ids ?? makeIds(db);
	const session = openSession(openSibling(file), ids);
	session.transaction(() => session.runs.interruptOpen(time.now));
	const local = makeLocalTarget("accounts", openLocalAccounts(db, "accounts"), openLocalGroups(db, "accounts"));
	const targets = options.targets?.(local) ?? [local];
	const adopt = options.adopt ?? "never";
	const news: DeliveryNews[] = [];
	const names = targets.map(({ name }) => name);
	const terms = termsOf(options);
	session.setTargets(
		names,
		targets.filter(({ groups }) => groups !== undefined).map(({ name }) => name),
		terms.filter(hasView).map(({ name }) => name),
	);
	const mapping = options.mapping ?? testMapping;
	const lifecycle = options.lifecycle ?? testLifecycle;
	const context: CycleContext = {
		session,
		sync: {
			source: fake.source,
			mapping: compileMapping(mapping),
			lifecycle,
			limits: options.limits ?? {},
			groupLimits: options.groupLimits ?? { deleted: undefined, removed: undefined },
			match: options.match,
			entitling: compileRules(options.rules ?? noRules),
			views: makeViews(terms, { mapping, schema: plainSchema }),
			rules: JSON.stringify([mapping, lifecycle, fake.settings.groups, fake.settings.scopeGroups, viewsText(terms), options.rules]),
		},
		deliveries: makeDeliveries({
			session,
			targets: targets.map((target) => ({ target, adopt })),
			clock: () => time.now,
			random: () => 0,
			waitsMs: 0,
			onNews: (told) => news.push(told),
			onError: (error) => {
				throw error;
			},
		}),
		patienceMs: () => options.patienceMs,
		clock: () => time.now,
		onProgress: () => {},
		asFailure: (error) => asFailure(file, error),
	};
	const never = new AbortController().signal;
	const views = <T>(use: (opened: ReturnType<typeof openViews>) => T): T => {
		const opened = openViews(file);
		try {
			return use(opened);
		} finally {
			opened.close();
		}
	};

	return {
		file,
		ids,
		time,
		context,
		local,
		/** What was told of deliveries. */
		news,
		views,
		sync: (mode: "full" | "delta" | "auto" = "auto", signal = never): Promise<RunReport> =>
			cycle(context, { kind: "sync", mode, trigger: "command" }, signal),
		plan: async (mode: "full" | "delta" | "auto" = "auto"): Promise<{ name: string; changes: JudgedChange[] }> => {
			const planned = await plan(context, { kind: "read", mode }, [], true, never);
			const changes = [...judgedChanges(session)];
			session.clear();
			return { name: planned.plan ?? "", changes };
		},
		/** What this harness' configuration would do, by a connection that cannot write. */
		whatIf: async (more: Partial<WhatIfTerms> = {}): Promise<WhatIf> => {
			const reader = openSession(openReadOnly(file), ids);
			try {
				reader.ledger.readTargets(
					names,
					terms.filter(hasView).map((target) => target.name),
				);
				const own = terms.flatMap((target) =>
					target.mapping === undefined ? [] : [[target.name, { ...mapping, ...target.mapping }] as const],
				);
				const templates = { everywhere: mapping, at: new Map(own) };
				return await whatIf(
					{ ...context, session: reader },
					{ scopeGroups: [], protect: [], knowsIdentity: true, newTargets: [], templates, ...more },
					never,
				);
			} finally {
				reader.close();
			}
		},
		approve: async (name: string): Promise<RunReport> => {
			const decision = findHeld(context, name) ?? (await findShown(context, name, never));
			if (decision === undefined) throw new Error("unknown plan");
			return cycle(context, { kind: "approve", plan: name, decision, by: "tester" }, never);
		},
		reject: (name: string): number => reject(context, name, "tester", time.now),
		revert: (run: number, only: { readonly kind?: ChangeKind; readonly user?: string } = {}): Promise<RunReport> => {
			const request = { run, kind: only.kind, user: only.user };
			sourceOfRun(session, request);
			return cycle(context, { kind: "revert", request, by: "tester" }, never);
		},
		/** What `revert` would do, and leave alone. */
		planRevert: async (run: number): Promise<{ changes: JudgedChange[]; leftAlone: readonly string[] }> => {
			const planned = await plan(context, { kind: "revert", request: { run, kind: undefined, user: undefined } }, [], true, never);
			const changes = [...judgedChanges(session)];
			session.clear();
			return { changes, leftAlone: (planned.revert?.leftAlone ?? []).map(({ name, why }) => `${name}: ${why}`) };
		},
		unpin: (user: string) => unpin(session, user, "tester", time.now),
		/** The accounts as the target has them, by anchor. */
		accounts: async (): Promise<Record<string, Account>> => {
			const accounts: Record<string, Account> = {};
			for await (const { anchor, account } of local.reader?.list(never) ?? []) if (anchor !== undefined) accounts[anchor] = account;
			return accounts;
		},
		/** The groups as the target has them, by name, with their members' anchors. */
		groups: async (of: Target = local): Promise<Record<string, string[]>> => {
			const anchors = new Map<string, string>();
			for await (const { remoteId, anchor } of of.reader?.list(never) ?? []) anchors.set(remoteId, anchor ?? remoteId);
			const groups: Record<string, string[]> = {};
			for await (const { group, members } of of.groups?.list(never) ?? []) {
				groups[group.displayName] = members.map((id) => anchors.get(id) ?? `nobody (${id})`).sort();
			}
			return groups;
		},
		close: (): void => {
			session.close();
			db.close();
			if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
		},
	};
}

export type Harness = ReturnType<typeof openHarness>;
