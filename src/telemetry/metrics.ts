import { collectDefaultMetrics, type Gauge, Registry } from "prom-client";
import { changeKinds, type DeliveryKind } from "../core/change.ts";
import type { SourceView, TargetView } from "../store/views.ts";
import type { DeliveryCount, Mode, RunReport } from "../sync/report.ts";
import { makeTable, type Table } from "./metrics-table.ts";

/** What the gauges show, asked for at each scrape: of the sources and targets that are configured now, and of no others. */
export interface MetricsState {
	readonly sources: readonly SourceView[];
	readonly targets: readonly TargetView[];
	readonly accounts: readonly { readonly target: string; readonly state: "active" | "disabled"; readonly count: number }[];
	readonly features: readonly { readonly feature: string; readonly count: number }[];
	/** With its write-ahead log; undefined before it was looked at. */
	readonly databaseBytes: number | undefined;
	readonly times: readonly Times[];
	readonly channels: readonly { readonly channel: string; readonly pending: number }[];
	/** When the certificate expires that the page shows, Unix milliseconds; undefined: it shows none. */
	readonly pageCertificate: number | undefined;
	/** How long the engine's thread has owed a sign of life. */
	readonly engineSilenceMs: number;
}

/** Where one source stands in its schedule. */
interface Times {
	readonly source: string;
	/** Unix milliseconds; undefined for a schedule that does not come due any more. */
	readonly next: Readonly<Record<Mode, number | undefined>>;
	/** How often a run came due since the last one that did not fail, and how often a full one did since the last full one. */
	readonly dueSinceSuccess: number;
	readonly fullDueSinceSuccess: number;
}

export interface Metrics {
	readonly contentType: string;
	/** The exposition text of one scrape. */
	text(): Promise<string>;
	observeRun(report: RunReport): void;
	/** A run that ended without a report, as when the engine died under it. */
	observeLostRun(source: string, mode: Mode): void;
	observeDeliveries(deliveries: readonly DeliveryCount[]): void;
	/** Whether a target takes anything. */
	observeTarget(target: string, isUp: boolean): void;
	observeLdap(source: string, operation: string, seconds: number): void;
	/** Undefined: not to be watched any more. */
	observeWatch(source: string, isUp: boolean | undefined): void;
	/** Unix milliseconds. */
	observeCertificate(source: string, expiresAt: number): void;
	observeNotice(channel: string, result: NoticeResult): void;
}

const noticeResults = ["sent", "failed"] as const;
export type NoticeResult = (typeof noticeResults)[number];

/** What was seen last; shown for as long as it is configured. */
interface Seen {
	readonly sourceUp: Map<string, boolean>;
	readonly watchUp: Map<string, boolean>;
	readonly targetUp: Map<string, boolean>;
	/** Unix milliseconds. */
	readonly certificates: Map<string, number>;
}

/** Metrics in a registry of their own. `state` is called once a scrape. */
export function makeMetrics(version: string, state: () => MetricsState): Metrics {
	const registry = new Registry();
	const table = makeTable(registry);
	const seen: Seen = { sourceUp: new Map(), watchUp: new Map(), targetUp: new Map(), certificates: new Map() };
	table.buildInfo.set({ version, node: process.versions.node }, 1);
	collectDefaultMetrics({ register: registry });
	return {
		contentType: registry.contentType,
		text: () => {
			show(table, state(), seen);
			return registry.metrics();
		},
		observeRun: (report) => observeRun(table, seen, report),
		observeLostRun: (source, mode) => table.runs.inc({ source, mode, outcome: "failed" }),
		observeDeliveries: (deliveries) => observeDeliveries(table, deliveries),
		observeTarget: (target, isUp) => {
			seen.targetUp.set(target, isUp);
		},
		observeLdap: (source, operation, seconds) => table.ldapRequestDuration.observe({ source, operation }, seconds),
		observeWatch: (source, isUp) => {
			if (isUp === undefined) seen.watchUp.delete(source);
			else seen.watchUp.set(source, isUp);
		},
		observeNotice: (channel, result) => table.notices.inc({ channel, result }),
		observeCertificate: (source, expiresAt) => {
			seen.certificates.set(source, expiresAt);
		},
	};
}

function observeRun(table: Table, seen: Seen, report: RunReport): void {
	const { source, mode } = report;
	table.runs.inc({ source, mode, outcome: report.outcome });
	table.runDuration.observe({ source, mode }, report.durationMs / 1000);
	table.entriesRead.inc({ source }, report.read);
	const counts = {
		create: report.created,
		update: report.updated,
		entitlement: report.entitlements ?? 0,
		disable: report.disabled,
		enable: report.enabled,
		delete: report.deleted,
	};
	for (const kind of changeKinds) table.changes.inc({ source, kind }, counts[kind]);
	if (report.groups !== undefined) {
		const { created, updated, deleted, joined, left } = report.groups;
		const kinds = { create: created, update: updated, delete: deleted, join: joined, leave: left };
		for (const [kind, count] of Object.entries(kinds)) table.groupChanges.inc({ source, kind }, count);
	}
	const up = isUp(report);
	if (up !== undefined) seen.sourceUp.set(source, up);
}

/** Undefined: the run failed for another reason than its source, which says nothing about the source. */
function isUp({ trigger, outcome, error }: RunReport): boolean | undefined {
	// One that takes back another reads nothing, nor does one that carries out what was held.
	if (trigger === "revert" || trigger === "approve") return undefined;
	if (outcome !== "failed") return true;
	return error?.code.startsWith("SOURCE_") ? false : undefined;
}

function observeDeliveries(table: Table, deliveries: readonly DeliveryCount[]): void {
	for (const { target, kind, result, count, seconds } of deliveries) {
		table.deliveries.inc({ target, kind, result }, count);
		if (count > 0) table.deliveryDuration.observe({ target }, seconds / count);
	}
}

/** Sets the gauges anew: what is not configured any more is not there any more. */
function show(
	table: Table,
	{ sources, targets, accounts, features, databaseBytes, times, engineSilenceMs, ...more }: MetricsState,
	seen: Seen,
): void {
	const { lastSuccess, sealed, heldChanges, quarantined, sourceUp, watchUp, certificateExpiry, pendingDeliveries, targetUp } = table;
	for (const gauge of [
		lastSuccess,
		sealed,
		heldChanges,
		table.groups,
		table.memberships,
		quarantined,
		sourceUp,
		watchUp,
		certificateExpiry,
		table.accounts,
		table.featureAccounts,
		pendingDeliveries,
		targetUp,
		table.readBackAccounts,
		table.readBackAt,
		table.databaseSize,
		table.nextRun,
		table.runsDue,
		table.noticesPending,
		table.pageCertificate,
	]) {
		gauge.reset();
	}
	for (const view of sources) {
		const { source } = view;
		beginSource(table, source);
		for (const mode of ["full", "delta"] as const) setIfKnown(lastSuccess, { source, mode }, seconds(view.lastSuccess[mode]));
		setIfKnown(sealed, { source }, bit(view.sealed));
		for (const kind of changeKinds) heldChanges.set({ source, kind }, view.held[kind] ?? 0);
		for (const kind of ["delete", "remove"]) heldChanges.set({ source, kind: `group_${kind}` }, view.held[`group ${kind}`] ?? 0);
		table.groups.set({ source }, view.groups);
		table.memberships.set({ source }, view.memberships);
		quarantined.set({ source }, view.quarantined);
		setIfKnown(sourceUp, { source }, bit(seen.sourceUp.get(source)));
		setIfKnown(watchUp, { source }, bit(seen.watchUp.get(source)));
		setIfKnown(certificateExpiry, { source }, seconds(seen.certificates.get(source)));
	}
	setIfKnown(table.databaseSize, {}, databaseBytes);
	table.engineSilence.set(engineSilenceMs / 1000);
	setIfKnown(table.pageCertificate, {}, seconds(more.pageCertificate));
	for (const { channel, pending } of more.channels) {
		table.noticesPending.set({ channel }, pending);
		// Zeroes, too, so that the first one that fails is an increase.
		for (const result of noticeResults) table.notices.inc({ channel, result }, 0);
	}
	for (const { source, next, dueSinceSuccess, fullDueSinceSuccess } of times) {
		for (const mode of ["full", "delta"] as const) setIfKnown(table.nextRun, { source, mode }, seconds(next[mode]));
		table.runsDue.set({ source, mode: "delta" }, dueSinceSuccess);
		table.runsDue.set({ source, mode: "full" }, fullDueSinceSuccess);
	}
	for (const { feature, count } of features) table.featureAccounts.set({ feature }, count);
	for (const { target, pending, readBack, trouble } of targets) {
		beginTarget(table, target);
		pendingDeliveries.set({ target }, pending);
		setIfKnown(table.readBackAt, { target }, seconds(readBack?.at));
		for (const state of ["same", "changed", "missing", "others"] as const) {
			setIfKnown(table.readBackAccounts, { target, state }, readBack?.counts[state]);
		}
		// Its trouble outlives us; that it is up is known only once it was tried.
		setIfKnown(targetUp, { target }, trouble === undefined ? bit(seen.targetUp.get(target)) : 0);
		for (const state of ["active", "disabled"] as const) {
			const counted = accounts.find((each) => each.target === target && each.state === state);
			table.accounts.set({ target, state }, counted?.count ?? 0);
		}
	}
}

/** A counter that is missing until its first event hides that event from `increase()`: zeroes from the first scrape on. */
function beginSource(table: Table, source: string): void {
	for (const mode of ["full", "delta"] as const) {
		for (const outcome of ["succeeded", "held", "partial", "failed"] as const) table.runs.inc({ source, mode, outcome }, 0);
	}
	table.entriesRead.inc({ source }, 0);
	for (const kind of changeKinds) table.changes.inc({ source, kind }, 0);
	for (const kind of ["create", "update", "delete", "join", "leave"]) table.groupChanges.inc({ source, kind }, 0);
}

function beginTarget(table: Table, target: string): void {
	for (const kind of ["create", "update", "disable", "enable", "delete"] satisfies DeliveryKind[]) {
		for (const result of ["applied", "refused", "later"] as const) table.deliveries.inc({ target, kind, result }, 0);
	}
}

/** What is not known yet is not shown: a gauge that is missing says so, and a zero would not. */
function setIfKnown<Label extends string>(gauge: Gauge<Label>, labels: Record<Label, string>, value: number | undefined): void {
	if (value !== undefined) gauge.set(labels, value);
}

function seconds(ms: number | undefined): number | undefined {
	return ms === undefined ? undefined : ms / 1000;
}

function bit(is: boolean | undefined): number | undefined {
	return is === undefined ? undefined : Number(is);
}
