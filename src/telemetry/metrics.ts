import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { changeKinds } from "../core/change.ts";
import type { SourceView, TargetView } from "../store/views.ts";
import type { DeliveryCount, Mode, RunReport } from "../sync/report.ts";

/** What the gauges show, asked for at each scrape: of the sources and targets that are configured now, and of no others. */
export interface MetricsState {
	readonly sources: readonly SourceView[];
	readonly targets: readonly TargetView[];
	readonly accounts: readonly { readonly target: string; readonly state: "active" | "disabled"; readonly count: number }[];
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
}

/** From the quickest delta (some milliseconds) to a first full reading of a million (some minutes). */
const RUN_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Every metric of the project; README.md has the same table. */
function makeTable(registry: Registry) {
	const registers = [registry];
	return {
		buildInfo: new Gauge({
			name: "dirsyncd_build_info",
			help: "Always 1; the labels say which version runs on which Node.",
			labelNames: ["version", "node"],
			registers,
		}),
		runs: new Counter({
			name: "dirsyncd_runs_total",
			help: "Runs ended, by outcome: succeeded, held, partial or failed.",
			labelNames: ["source", "mode", "outcome"],
			registers,
		}),
		runDuration: new Histogram({
			name: "dirsyncd_run_duration_seconds",
			help: "How long runs took, from connecting to delivering.",
			labelNames: ["source", "mode"],
			buckets: RUN_SECONDS,
			registers,
		}),
		lastSuccess: new Gauge({
			name: "dirsyncd_last_success_timestamp_seconds",
			help: "When the newest run that did not fail ended, by mode.",
			labelNames: ["source", "mode"],
			registers,
		}),
		entriesRead: new Counter({
			name: "dirsyncd_entries_read_total",
			help: "Entries that sources returned.",
			labelNames: ["source"],
			registers,
		}),
		sealed: new Gauge({
			name: "dirsyncd_sealed",
			help: "Whether the last full reading was proven complete (1) or not (0).",
			labelNames: ["source"],
			registers,
		}),
		changes: new Counter({
			name: "dirsyncd_changes_total",
			help: "Changes committed, by kind: create, update, disable, enable or delete.",
			labelNames: ["source", "kind"],
			registers,
		}),
		groupChanges: new Counter({
			name: "dirsyncd_group_changes_total",
			help: "Changes of groups committed, by kind: create, update, delete; and memberships: join, leave.",
			labelNames: ["source", "kind"],
			registers,
		}),
		groups: new Gauge({
			name: "dirsyncd_groups",
			help: "Groups kept at the targets.",
			labelNames: ["source"],
			registers,
		}),
		memberships: new Gauge({
			name: "dirsyncd_memberships",
			help: "Accounts in groups, nested groups included.",
			labelNames: ["source"],
			registers,
		}),
		deliveries: new Counter({
			name: "dirsyncd_deliveries_total",
			help: "Deliveries to targets, by result: applied, refused or later.",
			labelNames: ["target", "kind", "result"],
			registers,
		}),
		deliveryDuration: new Histogram({
			name: "dirsyncd_delivery_duration_seconds",
			help: "How long one delivery to a target took, as the mean of those that were told together.",
			labelNames: ["target"],
			buckets: REQUEST_SECONDS,
			registers,
		}),
		accounts: new Gauge({
			name: "dirsyncd_accounts",
			help: "Accounts at a target, by state: active or disabled.",
			labelNames: ["target", "state"],
			registers,
		}),
		pendingDeliveries: new Gauge({
			name: "dirsyncd_pending_deliveries",
			help: "Accounts that a target has not yet got as they are wanted.",
			labelNames: ["target"],
			registers,
		}),
		heldChanges: new Gauge({
			name: "dirsyncd_held_changes",
			help: "Changes that wait for a person to approve or reject them, by kind.",
			labelNames: ["source", "kind"],
			registers,
		}),
		quarantined: new Gauge({
			name: "dirsyncd_quarantined",
			help: "Entries and accounts set aside, each with its reason.",
			labelNames: ["source"],
			registers,
		}),
		sourceUp: new Gauge({
			name: "dirsyncd_source_up",
			help: "Whether the last run could read the source (1) or not (0).",
			labelNames: ["source"],
			registers,
		}),
		watchUp: new Gauge({
			name: "dirsyncd_watch_up",
			help: "Whether change notification of a source that is to be watched stands (1) or not (0).",
			labelNames: ["source"],
			registers,
		}),
		targetUp: new Gauge({
			name: "dirsyncd_target_up",
			help: "Whether the target can be reached and lets us in (1) or not (0), as far as it was tried.",
			labelNames: ["target"],
			registers,
		}),
		ldapRequestDuration: new Histogram({
			name: "dirsyncd_ldap_request_duration_seconds",
			help: "How long operations on a directory server took.",
			labelNames: ["source", "operation"],
			buckets: REQUEST_SECONDS,
			registers,
		}),
		certificateExpiry: new Gauge({
			name: "dirsyncd_certificate_expiry_timestamp_seconds",
			help: "When the directory server's certificate expires, as seen at the last connection.",
			labelNames: ["source"],
			registers,
		}),
	};
}

type Table = ReturnType<typeof makeTable>;

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
		disable: report.disabled,
		enable: report.enabled,
		delete: report.deleted,
	};
	// Also zeroes: a counter that is missing until its first event hides that event from `increase()`.
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
function isUp({ outcome, error }: RunReport): boolean | undefined {
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
function show(table: Table, { sources, targets, accounts }: MetricsState, seen: Seen): void {
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
		pendingDeliveries,
		targetUp,
	]) {
		gauge.reset();
	}
	for (const view of sources) {
		const { source } = view;
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
	for (const { target, pending } of targets) {
		pendingDeliveries.set({ target }, pending);
		setIfKnown(targetUp, { target }, bit(seen.targetUp.get(target)));
		for (const state of ["active", "disabled"] as const) {
			const counted = accounts.find((each) => each.target === target && each.state === state);
			table.accounts.set({ target, state }, counted?.count ?? 0);
		}
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
