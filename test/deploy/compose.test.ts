import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { dashboard } from "../support/dashboard.ts";
import { image, loadDeployed, readDeployed } from "../support/deployed.ts";
import { describeWith } from "../support/require.ts";

const deploy = path.join(import.meta.dirname, "../../deploy");
const compose = readDeployed("compose.yaml");
const { dirsyncd, prometheus, grafana } = compose.services;
const services: readonly (readonly [string, typeof dirsyncd])[] = Object.entries(compose.services);
const configText = readFileSync(path.join(deploy, "compose/dirsyncd/dirsyncd.yaml"), "utf8");

/** Of the Compose specification what is used here: a key that is misspelt would be passed over by nobody but Compose. */
const known = {
	top: ["name", "services", "volumes", "secrets"],
	service: [
		...["image", "build", "restart", "read_only", "cap_drop", "security_opt", "pids_limit", "mem_limit", "tmpfs", "stop_grace_period"],
		...["ports", "volumes", "secrets", "environment"],
	],
	secret: ["source", "target", "uid", "gid", "mode"],
};

interface Mount {
	readonly from: string;
	readonly to: string;
	readonly isBind: boolean;
	readonly isReadOnly: boolean;
}

function mountsOf({ volumes = [] }: { readonly volumes?: readonly string[] }): Mount[] {
	return volumes.map((volume) => {
		const [from = "", to = "", how] = volume.split(":");
		return { from, to, isBind: from.startsWith("."), isReadOnly: how === "ro" };
	});
}

/** Where a service sees a file of deploy/. */
function seenBy(service: typeof dirsyncd, file: string): string | undefined {
	const mount = mountsOf(service).find(({ from, isBind }) => isBind && path.join(deploy, from) === path.join(deploy, file));
	return mount?.to;
}

describe("deploy/compose.yaml", () => {
	it("says only what Compose knows", () => {
		expect(Object.keys(compose).filter((key) => !known.top.includes(key))).toEqual([]);
		for (const [name, service] of services) {
			expect([name, Object.keys(service).filter((key) => !known.service.includes(key))]).toEqual([name, []]);
			for (const secret of service.secrets ?? []) expect(Object.keys(secret).filter((key) => !known.secret.includes(key))).toEqual([]);
		}
	});

	it("mounts what is there, to read, and volumes that it declares, to write", () => {
		const mounts = services.flatMap(([, service]) => mountsOf(service));
		expect(mounts.filter(({ isBind, from }) => isBind && !existsSync(path.join(deploy, from)))).toEqual([]);
		expect(mounts.filter(({ isBind, isReadOnly }) => isBind !== isReadOnly)).toEqual([]);
		const volumes = mounts.filter(({ isBind }) => !isBind).map(({ from }) => from);
		expect(volumes.sort()).toEqual(Object.keys(compose.volumes).sort());
		for (const [, service] of services) {
			const places = mountsOf(service).map(({ to }) => to);
			expect(places.filter((place) => !path.posix.isAbsolute(place))).toEqual([]);
			expect(new Set(places).size).toBe(places.length);
		}
	});

	it("lets only this machine reach what it publishes", () => {
		for (const [, { ports }] of services) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
		expect(dirsyncd.ports).toEqual([`127.0.0.1:${image.port}:${image.port}`]);
	});

	it("takes every right from every container", () => {
		for (const [, service] of services) {
			expect(service).toMatchObject({ cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
		}
		for (const service of [dirsyncd, prometheus]) expect(service.read_only).toBe(true);
	});

	it("names versions of what it does not build itself", () => {
		expect(existsSync(path.join(deploy, dirsyncd.build, "Dockerfile"))).toBe(true);
		for (const { image: name } of [prometheus, grafana]) expect(name).toMatch(/:v?\d+\.\d+\.\d+$/);
		expect(Number(grafana.image.match(/:(\d+)/)[1])).toBeGreaterThanOrEqual(10);
	});

	it("gives dirsyncd its configuration, its data and longer to stop than it may take, and leaves the rest to the image", () => {
		expect(seenBy(dirsyncd, "compose/dirsyncd")).toBe(path.posix.dirname(image.config));
		expect(mountsOf(dirsyncd).find(({ from }) => from === "data")?.to).toBe(image.volume);
		expect(Number(dirsyncd.stop_grace_period.match(/^(\d+)s$/)[1])).toBeGreaterThan(10);
		expect(dirsyncd).not.toHaveProperty("environment");
	});

	it("gives secrets as files that their reader alone may read, and that git never sees", () => {
		const used = services.flatMap(([, { secrets = [] }]) => secrets.map(({ source }: { source: string }) => source));
		expect(used.sort()).toEqual(Object.keys(compose.secrets).sort());
		for (const [name, { file }] of Object.entries<{ file: string }>(compose.secrets)) {
			expect(file).toBe(`./compose/secrets/${name}`);
		}
		expect(readFileSync(path.join(deploy, "../.gitignore"), "utf8").split("\n")).toContain("deploy/compose/secrets/");
		for (const [, { secrets = [] }] of services) for (const { mode } of secrets) expect(mode).toBe(0o400);
		expect(dirsyncd.secrets[0].uid).toBe(String(image.user));
	});
});

describe("the configuration of deploy/compose.yaml", () => {
	const secrets = (dirsyncd.secrets as readonly { target: string }[]).map(({ target }) => `/run/secrets/${target}`);

	it("is valid where Compose puts it, and warns of nothing but the plain listener", () => {
		const { config, warnings } = loadDeployed(configText, [...secrets, `${path.posix.dirname(image.config)}/corp-ca.pem`]);
		expect(warnings.map((warning) => warning.path)).toEqual(["http.listen"]);
		expect(config.http.listen).toEqual({ host: "0.0.0.0", port: image.port });
		expect(path.posix.dirname(config.database)).toBe(image.volume);
	});

	it("asks for no secret that is not mounted", () => {
		const asked = [...configText.matchAll(/^[^#\n]*file: (\S+)/gm)].map(([, file]) => file);
		expect(asked).toEqual(secrets);
	});

	it("is what editors check by the schema", () => {
		const [, schema] = configText.match(/\$schema=(\S+)/) as RegExpMatchArray;
		expect(existsSync(path.join(deploy, "compose/dirsyncd", schema as string))).toBe(true);
	});
});

describe("Prometheus and Grafana in deploy/compose.yaml", () => {
	it("scrape as deploy/prometheus does, but another container", () => {
		const here = readDeployed("compose/prometheus.yml");
		const there = readDeployed("prometheus/prometheus.yml");
		const [job] = there.scrape_configs;
		job.static_configs = [{ targets: [`dirsyncd:${image.port}`] }];
		expect(here).toEqual(there);
	});

	it("find their rules beside the configuration", () => {
		const folder = path.posix.dirname(seenBy(prometheus, "compose/prometheus.yml") as string);
		for (const rule of readDeployed("compose/prometheus.yml").rule_files)
			expect(seenBy(prometheus, `prometheus/${rule}`)).toBe(`${folder}/${rule}`);
	});

	it("know each other, and the dashboard finds its data", () => {
		const { datasources } = readDeployed("grafana/provisioning/datasources/prometheus.yaml");
		const [port] = (prometheus.ports[0] as string).split(":").slice(-1);
		expect(datasources).toMatchObject([{ type: "prometheus", access: "proxy", url: `http://prometheus:${port}`, isDefault: true }]);
		expect((dashboard.templating.list.find(({ name }) => name === "datasource") as { query?: string } | undefined)?.query).toBe(
			"prometheus",
		);
		expect(seenBy(grafana, "grafana/provisioning/datasources")).toBe("/etc/grafana/provisioning/datasources");
		expect(seenBy(grafana, "grafana/provisioning/dashboards")).toBe("/etc/grafana/provisioning/dashboards");
		const [provider] = readDeployed("grafana/provisioning/dashboards/dirsyncd.yaml").providers;
		const shown = seenBy(grafana, "grafana/dashboard.json") as string;
		expect(path.posix.dirname(shown)).toBe(provider.options.path);
		expect(grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(shown);
		expect(grafana.environment.GF_SECURITY_ADMIN_PASSWORD__FILE).toBe(`/run/secrets/${grafana.secrets[0].target}`);
	});
});

describeWith(["promtool"], "deploy/compose's Prometheus configuration, by Prometheus' own eyes", () => {
	it("has no mistakes, laid out as it is mounted", () => {
		const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-compose-"));
		try {
			for (const { from, to, isBind } of mountsOf(prometheus))
				if (isBind) copyFileSync(path.join(deploy, from), path.join(folder, path.posix.basename(to)));
			const said = execFileSync("promtool", ["check", "config", path.join(folder, "prometheus.yml")], {
				encoding: "utf8",
				stdio: ["ignore", "pipe", "pipe"],
			});
			for (const rules of readDeployed("compose/prometheus.yml").rule_files)
				expect(said).toMatch(new RegExp(`Checking .*${rules}\\n +SUCCESS`));
		} finally {
			rmSync(folder, { recursive: true });
		}
	});
});
