import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { asAsked, dashboard, expressions } from "../support/dashboard.ts";
import { type Prometheus, type Sample, startPrometheus, until } from "../support/prometheus.ts";
import { describeWith } from "../support/require.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";

const folderOfRules = path.join(import.meta.dirname, "../../deploy/prometheus");
const ruleText = ["recording.yml", "alerts.yml"].map((name) => readFileSync(path.join(folderOfRules, name), "utf8")).join("\n");

interface Rule {
	readonly alert?: string;
	readonly record?: string;
	readonly expr: string;
	readonly annotations: Readonly<Record<string, string>>;
}
const rules = (name: string): readonly Rule[] =>
	parse(readFileSync(path.join(folderOfRules, name), "utf8")).groups.flatMap((group: { readonly rules: readonly Rule[] }) => group.rules);
const alerts = rules("alerts.yml");
/** The metrics in the rules' expressions. */
const asked = new Set(
	[...ruleText.matchAll(/^ +expr: (.*)$/gm)].flatMap(
		([, expression = ""]) => expression.match(/(?<![\w:])(?:up|process_\w+|dirsyncd_\w+)\b/g) ?? [],
	),
);

// Twice as long as is waited for one thing, on a machine that does other things, too.
vi.setConfig({ testTimeout: 120_000 });

describeWith(["prometheus", "openssl"], "a real Prometheus that scrapes a daemon", () => {
	let folder: string;
	let certificates: Certificates;
	let directory: Demo;
	let gateway: ScimDouble;
	let daemon: DaemonProcess;
	let prometheus: Prometheus;
	/** Ends the life of the company. */
	let rest = (): void => {};

	beforeAll(async () => {
		// Its own certificate is nobody's whom this process knows; Prometheus looks at it.
		process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-prometheus-"));
		certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
		directory = await startDirectory(0);
		gateway = await startScimDouble();
		daemon = startDaemon(configure());
		await daemon.said(({ msg, mode }) => msg === "run succeeded" && mode === "full");
		await ask("POST", "targets/gateway/read-back");
		prometheus = await startPrometheus(path.join(folder, "prometheus"), new URL(await daemon.url()).host, certificates.ca);
	});

	// Whatever a test before stopped or broke, and however it ended.
	beforeEach(() => {
		gateway.how.authorization = "Bearer scim-token";
		live();
	});

	afterAll(async () => {
		delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
		await prometheus?.stop();
		await daemon?.end("SIGKILL");
		await gateway?.close();
		rest();
		await directory?.close();
		rmSync(folder, { recursive: true, maxRetries: 5 });
	});

	function startDirectory(port: number): Promise<Demo> {
		const tls = { key: readFileSync(certificates.key), cert: readFileSync(certificates.file("good")), port };
		return startDemo({ people: { kind: "company", count: 60 }, tls });
	}

	/** From now on something happens three times a second, and no more often. */
	function live(): void {
		rest();
		rest = directory.life?.start(300, () => {}) ?? rest;
	}

	async function ask(method: "GET" | "POST", what: string): Promise<unknown> {
		const authorization = `Bearer ${readFileSync(path.join(folder, "dirsyncd.db-token"), "utf8").trim()}`;
		const response = await fetch(new URL(`/api/v1/${what}`, await daemon.url()), { method, headers: { authorization } });
		const answer = await response.json();
		if (!response.ok) throw new Error(JSON.stringify(answer));
		return answer;
	}

	/** A configuration in which everything is used that has a metric. */
	function configure(): string {
		const { bindUser, bindPassword, baseDn, secureUrl } = directory;
		const file = path.join(folder, "dirsyncd.yaml");
		writeFileSync(
			file,
			`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0, tls: { cert: ${certificates.file("good")}, key: ${certificates.key} } }
notify:
  - { name: chat, type: webhook, url: "http://127.0.0.1:1/", insecure: true, secret: ${"a".repeat(32)} }
sources:
  - name: corp
    type: active-directory
    urls: [${secureUrl}]
    tls: { ca: ${certificates.ca} }
    bind: { user: ${bindUser}, password: ${bindPassword} }
    base: ${baseDn}
    users: { exclude: ["CN=Users,${baseDn}"] }
    groups: {}
    watch: true
    timeouts: { connect: 2s, bind: 2s, request: 2s }
    schedule: { delta: "* * * * * *", full: "*/5 * * * * *" }
features:
  - { name: archive-search, when: { group: Archive Users } }
targets:
  - { name: accounts, type: local }
  - { name: gateway, type: scim, url: "${gateway.url}", auth: { bearer: scim-token }, insecure: true }
`,
		);
		return file;
	}

	const isAny = ({ length }: readonly Sample[]): boolean => length > 0;
	const isNumber = (samples: readonly Sample[]): boolean => samples.some(({ value }) => Number.isFinite(value));
	const alert = async (name: string) => (await prometheus.alerts()).find(({ labels }) => labels["alertname"] === name);
	const untilFiring = (name: string) => until(alert.bind(undefined, name), (found) => found?.state === "firing");
	const untilQuiet = (name: string) => until(alert.bind(undefined, name), (found) => found === undefined);
	const untilShown = (expression: string, is = isAny) => until(prometheus.query.bind(undefined, expression), is);

	it("finds it up", async () => {
		await until(prometheus.targets, ([health]) => health === "up");
	});

	it("finds nothing to say about its metrics", async () => {
		const text = await (await fetch(new URL("/metrics", await daemon.url()))).text();
		// The gauges of prom-client itself, nodejs_active_…_total, are not named as Prometheus wants it.
		const ours = text.split("\n").filter((line) => /^(# (HELP|TYPE) )?dirsyncd_/.test(line));
		expect(ours.length).toBeGreaterThan(100);
		expect(execFileSync("promtool", ["check", "metrics"], { input: `${ours.join("\n")}\n`, encoding: "utf8" })).toBe("");
	});

	it.each([
		"instance_source:dirsyncd_last_success_age_seconds:min",
		"instance_source:dirsyncd_held_changes:sum",
		"instance_source:dirsyncd_certificate_left_seconds:min",
		"instance_target:dirsyncd_pending_deliveries:min2h",
	])("records %s", async (name) => {
		const [sample] = await untilShown(name);
		expect(sample?.value).toBeGreaterThanOrEqual(0);
	});

	it("gets what a reading back of a target found as soon as there was one", async () => {
		await untilShown('dirsyncd_read_back_accounts{state="same"} > 0');
	});

	it.each(expressions)("has data for the panel $title: $expr", async ({ expr }) => {
		await untilShown(asAsked(expr, "10s"), isNumber);
	});

	it.each(dashboard.templating.list.filter(({ type }) => type === "query"))("has values for the variable $name", async ({ definition }) => {
		const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(definition ?? "") ?? [];
		expect((await untilShown(metric))[0]?.metric[label]).toMatch(/./);
	});

	it.each([...asked])("has what an alert asks for: %s", async (name) => {
		await untilShown(name);
	});

	it.each(alerts)("has series for what $alert asks, with the labels that its words name", async ({ expr, annotations }) => {
		// Without what it is compared with, and without what takes series away.
		const asked = expr.replace(/ unless .*$/, "").replaceAll(/ (?:==|[<>]=?) [\d.]+(?: \* [\d.]+)*/g, "");
		const [sample] = await untilShown(asked);
		const labels = Object.values(annotations).flatMap((text) => [...text.matchAll(/\$labels\.(\w+)/g)].map(([, name]) => name));
		expect(labels.filter((name) => sample?.metric[name as string] === undefined)).toEqual([]);
	});

	it.each([...alerts, ...rules("recording.yml")].map((rule) => ({ ...rule, name: rule.alert ?? rule.record })))(
		"has every metric of $name with every label that it names",
		async ({ expr }) => {
			const grouped = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(/, */));
			const named = [...expr.matchAll(/(?<![\w:])((?:up|process_\w+|dirsyncd_\w+|instance\w*:\w+:\w+)\b)(?:\{([^}]*)\})?/g)];
			expect(named.length).toBeGreaterThan(0);
			for (const [, name = "", selector = ""] of named) {
				const [sample] = await untilShown(name);
				const selected = [...selector.matchAll(/(\w+)=/g)].map(([, label]) => label as string);
				expect([...new Set([...grouped, ...selected])].filter((label) => sample?.metric[label] === undefined)).toEqual([]);
			}
		},
	);

	it("fires DirsyncdChangesHeld when many are disabled at once, and says no more when that is approved", async () => {
		rest();
		const people = [...directory.directory.all()].filter(({ dn, attributes }) => /^CN=.*OU=People,/i.test(dn) && attributes.has("mail"));
		for (const { guid } of people.slice(0, 30)) directory.directory.disable(`<GUID=${guid}>`);
		const fired = await untilFiring("DirsyncdChangesHeld");
		expect(fired?.annotations["summary"]).toMatch(/^corp: \d+ changes wait for your decision$/);
		expect(fired?.annotations["runbook"]).toContain("dirsyncd plan --source corp");
		await until(
			async () => {
				const held = (await ask("GET", "plans")) as { readonly items: readonly { readonly plan: string }[] };
				// A plan may have become another one since it was shown: then it is shown, and approved, anew.
				for (const { plan } of held.items) await ask("POST", `plans/${encodeURIComponent(plan)}/approve`).catch(() => {});
				return alert("DirsyncdChangesHeld");
			},
			(found) => found === undefined,
		);
	});

	it("fires DirsyncdTargetDown when a target refuses us as a whole, and what it misses waits", async () => {
		gateway.how.authorization = "Bearer another";
		const { labels, annotations } = (await untilFiring("DirsyncdTargetDown")) ?? {};
		expect({ labels, annotations }).toMatchObject({
			labels: { target: "gateway" },
			annotations: { runbook: "dirsyncd check --target gateway" },
		});
		await untilShown('dirsyncd_pending_deliveries{target="gateway"} > 0');
	});

	describe("when the directory is stopped", () => {
		beforeAll(async () => {
			await untilQuiet("DirsyncdSourceDown");
			rest();
			await directory.close();
		});

		it.each([
			{ name: "DirsyncdSourceDown", says: /no server of it answers/ },
			{ name: "DirsyncdNoSuccess", says: /The last success was \d.* ago/ },
		])("fires $name, with the command to type", async ({ name, says }) => {
			const annotations = (await untilFiring(name))?.annotations;
			expect(annotations).toMatchObject({ description: expect.stringMatching(says), runbook: "dirsyncd check --source corp" });
		});

		it("says no more when it is back", async () => {
			directory = await startDirectory(Number(new URL(directory.secureUrl as string).port));
			for (const name of ["DirsyncdSourceDown", "DirsyncdNoSuccess"]) await untilQuiet(name);
		});
	});
});
