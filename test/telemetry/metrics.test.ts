import { spawnSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import type { SourceView, TargetView } from "../../src/store/views.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { type Metrics, type MetricsState, makeMetrics } from "../../src/telemetry/metrics.ts";
import { makeReport } from "../support/reports.ts";
import { describeWith } from "../support/require.ts";

const corp: SourceView = {
	source: "corp",
	lastRun: undefined,
	lastSuccess: { full: 1_700_000_000_000, delta: undefined },
	sealed: true,
	entries: 300,
	held: { disable: 12, "group remove": 5 },
	quarantined: 2,
	strategy: "uSNChanged",
	groups: 4,
	memberships: 40,
};
const accounts: TargetView = {
	target: "accounts",
	accounts: 300,
	pending: 3,
	failed: 1,
	lastError: undefined,
	released: 0,
	trouble: undefined,
	readBack: { at: 1_700_000_000_000, counts: { same: 297, changed: 2, missing: 1, others: undefined } },
};
const state: MetricsState = {
	sources: [corp],
	targets: [accounts],
	accounts: [{ target: "accounts", state: "active", count: 280 }],
	features: [{ feature: "archive-search", count: 12 }],
	engineSilenceMs: 2500,
	channels: [{ channel: "admins", pending: 2 }],
	pageCertificate: 1_800_000_000_000,
	databaseBytes: 4096,
	times: [{ source: "corp", next: { full: undefined, delta: 1_700_000_300_000 }, dueSinceSuccess: 3, fullDueSinceSuccess: 1 }],
};

let metrics: Metrics;

beforeEach(() => {
	metrics = makeMetrics("1.2.3", () => state);
});

async function line(start: string): Promise<string | undefined> {
	return (await metrics.text()).split("\n").find((each) => each.startsWith(`${start} `));
}

const observe = (...reports: Partial<RunReport>[]): void => {
	for (const report of reports) metrics.observeRun(makeReport(report));
};

describe("the metrics", () => {
	it.each([
		['dirsyncd_last_success_timestamp_seconds{source="corp",mode="full"}', "1700000000"],
		['dirsyncd_sealed{source="corp"}', "1"],
		["dirsyncd_engine_silence_seconds", "2.5"],
		["dirsyncd_page_certificate_expiry_timestamp_seconds", "1800000000"],
		['dirsyncd_notices_pending{channel="admins"}', "2"],
		['dirsyncd_notices_total{channel="admins",result="failed"}', "0"],
		['dirsyncd_held_changes{source="corp",kind="disable"}', "12"],
		['dirsyncd_held_changes{source="corp",kind="delete"}', "0"],
		['dirsyncd_held_changes{source="corp",kind="group_remove"}', "5"],
		['dirsyncd_groups{source="corp"}', "4"],
		['dirsyncd_memberships{source="corp"}', "40"],
		['dirsyncd_quarantined{source="corp"}', "2"],
		['dirsyncd_accounts{target="accounts",state="active"}', "280"],
		['dirsyncd_accounts{target="accounts",state="disabled"}', "0"],
		['dirsyncd_pending_deliveries{target="accounts"}', "3"],
		['dirsyncd_read_back_accounts{target="accounts",state="changed"}', "2"],
		['dirsyncd_read_back_accounts{target="accounts",state="others"}', undefined],
		['dirsyncd_read_back_timestamp_seconds{target="accounts"}', "1700000000"],
		["dirsyncd_database_size_bytes", "4096"],
		['dirsyncd_next_run_timestamp_seconds{source="corp",mode="delta"}', "1700000300"],
		['dirsyncd_next_run_timestamp_seconds{source="corp",mode="full"}', undefined],
		['dirsyncd_runs_due_since_success{source="corp",mode="delta"}', "3"],
		['dirsyncd_runs_due_since_success{source="corp",mode="full"}', "1"],
		[`dirsyncd_build_info{version="1.2.3",node="${process.versions.node}"}`, "1"],
	])("show what stands in the database: %s is %s", async (start, value) => {
		expect(await line(start)).toBe(value && `${start} ${value}`);
	});

	it.each([
		['dirsyncd_runs_total{source="corp",mode="delta",outcome="succeeded"}', "2"],
		['dirsyncd_entries_read_total{source="corp"}', "14"],
		['dirsyncd_changes_total{source="corp",kind="create"}', "3"],
		['dirsyncd_changes_total{source="corp",kind="delete"}', "0"],
		['dirsyncd_group_changes_total{source="corp",kind="join"}', "7"],
		['dirsyncd_group_changes_total{source="corp",kind="delete"}', "0"],
		['dirsyncd_deliveries_total{target="accounts",kind="create",result="applied"}', "3"],
		['dirsyncd_delivery_duration_seconds_count{target="accounts"}', "1"],
		['dirsyncd_run_duration_seconds_count{source="corp",mode="delta"}', "2"],
		['dirsyncd_source_up{source="corp"}', "1"],
		['dirsyncd_target_up{target="accounts"}', "1"],
	])("add up what runs did: %s is %s", async (start, value) => {
		observe({ read: 10, created: 3 }, { read: 4, groups: { created: 1, updated: 0, deleted: 0, joined: 7, left: 0 } });
		metrics.observeDeliveries([{ target: "accounts", kind: "create", result: "applied", count: 3, seconds: 0.2 }]);
		metrics.observeTarget("accounts", true);
		expect(await line(start)).toBe(`${start} ${value}`);
	});

	it.each([
		{ code: "SOURCE_UNREACHABLE", up: "0", why: "nobody answered" },
		{ code: "SOURCE_BROKE", up: "0", why: "it broke in mid-reading" },
		{ code: "DATABASE_UNWRITABLE", up: "1", why: "that is not the source's fault" },
	] as const)("say source_up $up after $code: $why", async ({ code, up }) => {
		observe({}, { outcome: "failed", error: { code, message: "…", hint: undefined } });
		expect(await line('dirsyncd_source_up{source="corp"}')).toMatch(new RegExp(`${up}$`));
	});

	it("say of a source that is down nothing else after an approval, which reads nothing", async () => {
		observe({ outcome: "failed", error: { code: "SOURCE_UNREACHABLE", message: "…", hint: undefined } }, { trigger: "approve" });
		expect(await line('dirsyncd_source_up{source="corp"}')).toMatch(/0$/);
	});

	it("say of a target in trouble that it is out of reach, also right after a restart", async () => {
		const trouble = { because: "no answer", hint: undefined, since: 0, failures: 1, retryAt: 1 };
		metrics = makeMetrics("1.2.3", () => ({ ...state, targets: [{ ...accounts, trouble }] }));
		expect(await line('dirsyncd_target_up{target="accounts"}')).toMatch(/0$/);
	});

	it.each([
		'dirsyncd_runs_total{source="corp",mode="full",outcome="failed"}',
		'dirsyncd_changes_total{source="corp",kind="create"}',
		'dirsyncd_group_changes_total{source="corp",kind="join"}',
		'dirsyncd_entries_read_total{source="corp"}',
		'dirsyncd_deliveries_total{target="accounts",kind="disable",result="refused"}',
	])("have %s before anything happened, so that the first is an increase", async (start) => {
		expect(await line(start)).toBe(`${start} 0`);
	});

	it("say that a target is out of reach", async () => {
		metrics.observeTarget("accounts", false);
		expect(await line('dirsyncd_target_up{target="accounts"}')).toMatch(/0$/);
	});

	it("tell how long directory operations take and when the certificate expires", async () => {
		metrics.observeLdap("corp", "search", 0.2);
		metrics.observeCertificate("corp", 1_800_000_000_000);
		expect(await line('dirsyncd_ldap_request_duration_seconds_count{source="corp",operation="search"}')).toMatch(/1$/);
		expect(await line('dirsyncd_certificate_expiry_timestamp_seconds{source="corp"}')).toMatch(/1800000000$/);
	});

	it("say whether a source is watched, for as long as it is to be", async () => {
		expect(await line('dirsyncd_watch_up{source="corp"}')).toBeUndefined();
		metrics.observeWatch("corp", false);
		expect(await line('dirsyncd_watch_up{source="corp"}')).toMatch(/0$/);
		metrics.observeWatch("corp", true);
		expect(await line('dirsyncd_watch_up{source="corp"}')).toMatch(/1$/);
		metrics.observeWatch("corp", undefined);
		expect(await line('dirsyncd_watch_up{source="corp"}')).toBeUndefined();
	});

	it("forget the gauges of a source that is no longer configured", async () => {
		metrics.observeCertificate("former", 1);
		metrics.observeCertificate("corp", 1);
		const text = await metrics.text();
		expect(text).toContain('dirsyncd_certificate_expiry_timestamp_seconds{source="corp"}');
		expect(text).not.toContain('"former"');
	});

	it("come with those of Node itself", async () => {
		expect(await metrics.text()).toContain("process_resident_memory_bytes ");
	});

	it("hold no value of a person", async () => {
		observe({ server: "ldaps://dc1", warnings: ["Ada Lovelace has no mail"] });
		expect(await metrics.text()).not.toContain("Ada");
	});
});

describeWith(["promtool"], "promtool", () => {
	it("finds nothing to say about a metric of ours", async () => {
		observe({ created: 1 });
		metrics.observeDeliveries([{ target: "accounts", kind: "create", result: "applied", count: 1, seconds: 1 }]);
		metrics.observeTarget("accounts", true);
		metrics.observeLdap("corp", "bind", 1);
		metrics.observeCertificate("corp", 1);
		metrics.observeWatch("corp", true);
		const { stderr, stdout } = spawnSync("promtool", ["check", "metrics"], { input: await metrics.text(), encoding: "utf8" });
		const said = `${stdout}\n${stderr}`.split("\n").filter((each) => each.includes("dirsyncd_") || each.includes("error while linting"));
		expect(said).toEqual([]);
	});
});
