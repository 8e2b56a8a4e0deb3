import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** From the quickest delta (some milliseconds) to a first full reading of a million (some minutes). */
const RUN_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Every metric of the project; README.md has the same table. */
export function makeTable(registry: Registry) {
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
		nextRun: new Gauge({
			name: "dirsyncd_next_run_timestamp_seconds",
			help: "When the next run is due by the schedule, by mode.",
			labelNames: ["source", "mode"],
			registers,
		}),
		runsDue: new Gauge({
			name: "dirsyncd_runs_due_since_success",
			help: "How often a run has come due since the last one that did not fail: full readings alone, or any run (delta). It starts anew with the process.",
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
			help: "Changes committed, by kind: create, update, entitlement, disable, enable or delete.",
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
		featureAccounts: new Gauge({
			name: "dirsyncd_feature_accounts",
			help: "Accounts that have a feature, active or not.",
			labelNames: ["feature"],
			registers,
		}),
		readBackAccounts: new Gauge({
			name: "dirsyncd_read_back_accounts",
			help: "What the last reading back of a target found: accounts as they were left, changed or missing there, and others that are not ours.",
			labelNames: ["target", "state"],
			registers,
		}),
		readBackAt: new Gauge({
			name: "dirsyncd_read_back_timestamp_seconds",
			help: "When a target was last read back.",
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
		databaseSize: new Gauge({
			name: "dirsyncd_database_size_bytes",
			help: "Size of the database with its write-ahead log.",
			registers,
		}),
		engineSilence: new Gauge({
			name: "dirsyncd_engine_silence_seconds",
			help: "How long the engine's thread has not answered: seconds in a large commit, and without end when it hangs.",
			registers,
		}),
		notices: new Counter({
			name: "dirsyncd_notices_total",
			help: "Tries to tell people by a channel, by result: sent or failed.",
			labelNames: ["channel", "result"],
			registers,
		}),
		noticesPending: new Gauge({
			name: "dirsyncd_notices_pending",
			help: "What people are to be told by a channel, and is not sent yet.",
			labelNames: ["channel"],
			registers,
		}),
		pageCertificate: new Gauge({
			name: "dirsyncd_page_certificate_expiry_timestamp_seconds",
			help: "When the certificate expires that the page itself shows (http.tls).",
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

export type Table = ReturnType<typeof makeTable>;
