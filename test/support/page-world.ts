import { makeSecret } from "../../src/config/secret.ts";
import type { AccountChange } from "../../src/core/change.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import type { Explanation } from "../../src/explain/explanation.ts";
import { judgeHealth } from "../../src/http/health.ts";
import type { Look } from "../../src/http/look.ts";
import type { PageParts } from "../../src/http/page-parts.ts";
import { type HttpParts, type HttpServer, openHttp } from "../../src/http/server.ts";
import type { Slice } from "../../src/store/slice.ts";
import type { AccountView, HeldBrief, LoggedChange, RunView } from "../../src/store/views.ts";
import type { RevertPreview } from "../../src/sync/report.ts";
import { nothingToSee } from "./looks.ts";
import { nothingToRead } from "./reads.ts";
import { makeReport } from "./reports.ts";

export const adminToken = "a-token-that-nobody-can-guess-0123456789";
export const viewerToken = "a-token-that-only-reads-0123456789-0123456789";
export const heldPlanHash = `sha256:${"ab".repeat(32)}`;
export const now = Date.parse("2026-03-02T12:00:00Z");

/** A page that shows a small company with something of everything, and writes down what is decided. */
export interface PageWorld {
	readonly server: HttpServer;
	readonly decided: unknown[];
	/** What is held, runs … can be put in its place. */
	look: Look;
	api: PageParts["api"];
	reads: PageParts["reads"];
	clock: number;
}

export async function openPageWorld(differences: Partial<Pick<HttpParts, "tls" | "listen">> = {}): Promise<PageWorld> {
	const decided: unknown[] = [];
	const never = async (): Promise<never> => {
		throw new Failure("CANCELLED", "not asked for here");
	};
	const world = {
		decided,
		clock: now,
		look: company(() => (decided.length === 0 ? [heldPlan()] : [])),
		reads: {
			...nothingToRead,
			accounts: () =>
				sliceOf([accountView("ada@corp.example.com"), { ...accountView("bob@corp.example.com"), because: "disabled in the directory" }]),
			preview: async () => undoing("ada@corp.example.com"),
			runChanges: (run) => sliceOf([loggedDisable(run, 1, "ada@corp.example.com"), loggedDisable(run, 2, "bob@corp.example.com")]),
		} as PageWorld["reads"],
		api: {
			approve: async (plan: string, by: string) => {
				decided.push({ approve: plan, by });
				return makeReport({ run: 41 });
			},
			reject: async (plan: string, by: string) => {
				decided.push({ reject: plan, by });
				return { source: "corp", rejected: 2 };
			},
			sync: async (source: string, mode: string, by?: string) => {
				decided.push({ sync: source, mode, by });
				return makeReport({ run: 39 });
			},
			revert: async ({ run }, by: string) => {
				decided.push({ revert: run, by });
				return makeReport({ run: 41 });
			},
			unpin: async (user: string, by: string) => {
				decided.push({ unpin: user, by });
				return { accounts: 1, pins: 2 };
			},
			readBack: async (target: string, by?: string) => {
				decided.push({ readBack: target, by });
				return {};
			},
		} as PageWorld["api"],
	};
	const server = await openHttp({
		listen: { host: "127.0.0.1", port: 0 },
		tls: undefined,
		...differences,
		tokens: { operator: makeSecret(adminToken), viewer: makeSecret(viewerToken) },
		clock: () => world.clock,
		health: () => judgeHealth(facts(world.look.heldBriefly(1).length)),
		isReady: () => true,
		metrics: { contentType: "text/plain", text: async () => "" },
		api: {
			...{ forget: never, sources: () => ["corp"] },
			approve: (plan, by) => world.api.approve(plan, by),
			reject: (plan, by) => world.api.reject(plan, by),
			sync: (...given) => world.api.sync(...given),
			revert: (request, by) => world.api.revert(request, by),
			unpin: (user, by) => world.api.unpin(user, by),
			readBack: (...given) => world.api.readBack(...given),
		},
		look: {
			sources: () => world.look.sources(),
			targets: () => world.look.targets(),
			heldBriefly: (most) => world.look.heldBriefly(most),
			quarantineBriefly: (most) => world.look.quarantineBriefly(most),
			runs: (limit, before) => world.look.runs(limit, before),
			run: (id) => world.look.run(id),
			rules: () => world.look.rules(),
			going: () => world.look.going(),
			explain: (user) => world.look.explain(user),
		},
		reads: {
			...nothingToRead,
			accounts: (...given) => world.reads.accounts(...given),
			runChanges: (...given) => world.reads.runChanges(...given),
			preview: (...given) => world.reads.preview(...given),
		},
		onBug: (error) => {
			throw error;
		},
	});
	return Object.assign(world, { server });
}

function facts(held: number): Parameters<typeof judgeHealth>[0] {
	const lastRun = {
		run: 40,
		mode: "delta",
		outcome: held > 0 ? "held" : "succeeded",
		endedAt: now - 60_000,
		unsealed: [],
		error: undefined,
		hint: undefined,
	} as const;
	return {
		...{ now, startedAt: now - 3_600_000, version: "1.2.3", phase: "running", database: undefined, engine: undefined, beside: [] },
		sources: [
			{
				...{ source: "corp", running: undefined, next: { full: now + 3_600_000, delta: now + 30_000 }, intervalMs: 60_000 },
				...{
					dueSinceSuccess: 0,
					lastSuccessAt: now - 60_000,
					lastRun,
					held: held > 0 ? { disable: 2 } : {},
					quarantined: 1,
					watching: undefined,
				},
			},
		],
		targets: [
			{ target: "accounts", pending: 0, failed: 0, trouble: undefined },
			{
				...{ target: "mail-gateway", pending: 3, failed: 1 },
				trouble: { since: now - 60_000, because: "it answers 503", hint: "Look at its log.", retryAt: now + 60_000 },
			},
		],
	};
}

export const adaAnchor = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
const ada = { userName: "ada@corp.example.com", displayName: "Ada Lovelace", active: true };

export function disabling(name: string, why = "deleted in the directory"): AccountChange {
	const before = { ...ada, userName: name };
	return {
		subject: "account",
		kind: "disable",
		target: undefined,
		anchor: adaAnchor as Anchor,
		name,
		why,
		before,
		after: { ...before, active: false },
	};
}

export function loggedDisable(run: number, sequence: number, name: string): LoggedChange {
	return { ...disabling(name), sequence, at: now, run, source: "corp", result: "committed" };
}

export function accountView(name: string): AccountView {
	return {
		...{ source: "corp", anchor: adaAnchor, account: { ...ada, userName: name }, because: undefined, pins: [], groups: [] },
		targets: { accounts: { state: "applied" }, "mail-gateway": { state: "failed", error: "userName is taken" } },
	};
}

/** Taking back what `disabling` did. */
export function undoing(name: string): RevertPreview {
	const { before, after, ...change } = disabling(name, "taken back");
	const kinds = [{ subject: "account", target: undefined, kind: "enable", count: 1, limit: "1 of 20 (5 %)" }] as const;
	return {
		...{ source: "corp", plan: heldPlanHash, held: kinds, count: 1 },
		summary: { create: 0, update: 0, entitlement: 0, disable: 0, enable: 1, delete: 0 },
		changes: [{ ...change, kind: "enable", before: after, after: before }],
		revert: { run: 40, leftAlone: [{ name: "bob@corp.example.com", why: "its mail changed since" }], leftAloneCount: 1 },
	};
}

/** All there is of a list. */
export function sliceOf<Item>(items: readonly Item[]): Slice<Item> {
	return { items, size: 0, reached: undefined };
}

export function heldPlan(changes = [disabling("ada@corp.example.com"), disabling("bob@corp.example.com")]): HeldBrief {
	const kinds = [{ subject: "account", target: undefined, kind: "disable", count: changes.length, limit: "2 of 20 (10 %)" }] as const;
	return { plan: heldPlanHash, source: "corp", since: now - 600_000, kinds, count: changes.length, first: changes };
}

export function makeRun(differences: Partial<RunView> = {}): RunView {
	return {
		...{
			run: 40,
			source: "corp",
			mode: "delta",
			trigger: "schedule",
			startedAt: now - 60_000,
			endedAt: now - 59_000,
			outcome: "succeeded",
		},
		...{ sealed: true, unsealed: [], fullBecause: undefined, server: "dc1.corp.example.com", error: undefined, read: 12 },
		...{ created: 0, updated: 1, disabled: 0, enabled: 0, deleted: 0, entitlements: 0, held: 0, quarantined: 0, reverts: undefined },
		...differences,
	};
}

function company(heldBriefly: () => readonly HeldBrief[]): Look {
	const runs = Array.from({ length: 30 }, (_, index) =>
		makeRun({
			...{ run: 40 - index, startedAt: now - (index + 1) * 60_000, endedAt: now - (index + 1) * 60_000 + 400 + ((index * 37) % 11) * 150 },
			...{ updated: (index * 7) % 13, created: index % 3, outcome: index === 4 ? "failed" : index === 0 ? "held" : "succeeded" },
			...(index === 4 && { error: "ldaps://dc1.corp.example.com cannot be reached: refused" }),
		}),
	);
	const [lastRun] = runs;
	return {
		...nothingToSee,
		heldBriefly,
		sources: () => [
			{
				...{ source: "corp", lastRun, lastSuccess: { full: now - 3_600_000, delta: now - 60_000 }, sealed: true, entries: 1204 },
				...{ held: { disable: 2 }, quarantined: 1, strategy: "DirSync", groups: 30, memberships: 400 },
			},
		],
		targets: () => [
			{
				target: "accounts",
				accounts: 1204,
				pending: 0,
				failed: 0,
				released: 0,
				lastError: undefined,
				trouble: undefined,
				readBack: undefined,
			},
			{
				...{
					target: "mail-gateway",
					accounts: 900,
					pending: 3,
					failed: 1,
					released: 0,
					lastError: "userName is taken",
					readBack: undefined,
				},
				trouble: { since: now - 60_000, because: "it answers 503", hint: "Look at its log.", retryAt: now + 60_000, failures: 2 },
			},
		],
		quarantineBriefly: () => ({
			count: 1,
			first: [
				{
					source: "corp",
					anchor: adaAnchor,
					name: "carl@corp.example.com",
					reason: "the e-mail address carl@corp.example.com is dora's",
					since: now - 600_000,
				},
			],
		}),
		runs: (limit, before) => runs.filter(({ run }) => before === undefined || run < before).slice(0, limit),
		run: (id) =>
			runs.find(({ run }) => run === id) ?? (id === 41 ? makeRun({ run: 41, trigger: "approve", disabled: 2, updated: 0 }) : undefined),
		rules: () => [
			{ kind: "feature", name: "vpn", value: undefined, accounts: 12, rules: [{ place: "features[0]", through: "group Sales" }] },
			{ kind: "policy", name: "quota", value: "50 GB", accounts: 1192, rules: [{ place: "policies[0]", through: "everybody" }] },
		],
		explain: async (user) => [explanationOf(user)],
	};
}

export function explanationOf(user: string): Explanation {
	return {
		...{ source: "corp", anchor: adaAnchor as Anchor, dn: "CN=Ada Lovelace,OU=People,DC=corp,DC=example,DC=com", state: "held" },
		...{
			summary: `${user} is to be disabled, and that waits for approval.`,
			scope: { isIn: true, line: "sources[0].base", why: "beneath the base" },
		},
		entry: {
			attributes: { mail: ["ada@corp.example.com"], title: ["Countess"] },
			server: "dc1.corp.example.com",
			at: now - 60_000,
			run: 40,
			seen: undefined,
		},
		fields: [
			{
				field: "userName",
				value: "ada@corp.example.com",
				template: "{userPrincipalName}",
				line: undefined,
				used: ["userPrincipalName"],
				from: { userPrincipalName: ["ada@corp.example.com"] },
				instead: undefined,
			},
		],
		groups: [{ name: "Sales", dn: "CN=Sales,DC=corp,DC=example,DC=com", through: ["Sales Berlin"], isPrimary: false }],
		features: [
			{
				name: "vpn",
				value: "on",
				planned: undefined,
				rules: [{ line: "features[0]", value: undefined, verdict: "gives", why: "in the group Sales" }],
			},
		],
		policies: [],
		account: { account: ada, because: undefined, since: undefined, dueAt: undefined, isProtected: false },
		quarantine: undefined,
		held: [
			{
				kind: "disable",
				target: undefined,
				why: "deleted in the directory",
				because: "2 of 20 (10 %)",
				plan: heldPlanHash,
				since: now - 600_000,
			},
		],
		...{ refused: [], pins: [], notes: [] },
		targets: [
			{
				...{ target: "accounts", scope: undefined, wanted: "active", applied: "active", differs: [], state: "applied", remoteId: "77" },
				...{ origin: "created", attempts: 0, nextAt: undefined, error: undefined, trouble: undefined },
			},
		],
		changes: [{ at: now - 3_600_000, run: 12, kind: "create", target: undefined, why: "new in the directory", result: "committed" }],
	};
}
