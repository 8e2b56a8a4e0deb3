import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { commands } from "../../src/cli/commands.ts";
import { metricNames } from "../support/metric-names.ts";
import { describeWith } from "../support/require.ts";

const folder = path.join(import.meta.dirname, "../../deploy/prometheus");
const read = (name: string) => readFileSync(path.join(folder, name), "utf8");
const testFiles = readdirSync(path.join(folder, "tests")).map((name) => `tests/${name}`);

interface Rule {
	readonly alert?: string;
	readonly record?: string;
	readonly expr: string;
	readonly for?: string;
	readonly labels?: Readonly<Record<string, string>>;
	readonly annotations?: Readonly<Record<string, string>>;
}

interface Trial {
	readonly name: string;
	readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
}

const rulesOf = (name: string): readonly Rule[] => parse(read(name)).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const alerts = rulesOf("alerts.yml");
const records = rulesOf("recording.yml").map(({ record }) => record as string);
const trials = testFiles.flatMap((name): Trial[] => parse(read(name)).tests);

describe("the alerts", () => {
	it.each(alerts)("say what is wrong, what it means, how bad it is, what to type and after how long: $alert", (rule) => {
		expect(Object.keys(rule.annotations ?? {}).sort()).toEqual(["description", "runbook", "summary"]);
		expect(["critical", "warning", "info"]).toContain(rule.labels?.["severity"]);
		expect(rule.for).toMatch(/^\d+[mh]$/);
	});

	it("tell of nothing but what the daemon or Prometheus itself shows", () => {
		const others = ["up", "process_start_time_seconds"];
		const text = [...alerts, ...rulesOf("recording.yml")].map(({ expr }) => expr).join("\n");
		const named = [...text.matchAll(/(?<![\w:])(?:up|process_\w+|[a-z_]*:?dirsyncd_[\w:]+)(?=[{[)\s]|$)/gm)].map(([name]) => name);
		expect(named.length).toBeGreaterThan(20);
		expect([...new Set(named)].filter((name) => ![...metricNames, ...records, ...others].includes(name))).toEqual([]);
		expect(
			records.filter((name) => !named.includes(name) && !alerts.some((rule) => rule.annotations?.["description"]?.includes(name))),
		).toEqual([]);
	});

	it("name commands that there are", () => {
		const typed = alerts.flatMap((rule) => [...`${rule.annotations?.["runbook"]}`.matchAll(/dirsyncd ([a-z]+)/g)].map(([, name]) => name));
		expect(typed.length).toBeGreaterThan(10);
		expect(typed.filter((name) => !commands.some((command) => command.name === name))).toEqual([]);
	});

	it.each(alerts)("are tried where they must fire and where they must not: $alert", ({ alert }) => {
		const tried = trials.flatMap((trial) => trial.alert_rule_test).filter(({ alertname }) => alertname === alert);
		expect(tried.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
		expect(tried.some(({ exp_alerts }) => exp_alerts.length === 0)).toBe(true);
	});
});

describeWith(["promtool"], "the rules, by Prometheus' own eyes", () => {
	const promtool = (...args: string[]) =>
		execFileSync("promtool", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

	it("have no mistakes", () => {
		expect(promtool("check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml")).toContain("SUCCESS");
		expect(promtool("check", "config", "prometheus.yml")).toContain("2 rule files found");
	});

	it.each(testFiles)(
		"fire, and do not, as %s says",
		(file) => {
			expect(promtool("test", "rules", file)).toContain("SUCCESS");
		},
		120_000,
	);
});
