import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaemonProcess, startDaemon } from "../support/daemons.ts";
import { image, loadDeployed, readDeployed } from "../support/deployed.ts";

const root = path.join(import.meta.dirname, "../..");
const files = readdirSync(path.join(root, "deploy/kubernetes"));
const { resources } = readDeployed("kubernetes/kustomization.yaml");
const [configMap, service, statefulSet, networkPolicy, podMonitor] = [
	...["configmap.yaml", "service.yaml", "statefulset.yaml", "networkpolicy.yaml", "podmonitor.yaml"],
].map((file) => readDeployed(`kubernetes/${file}`));
const pod = statefulSet.spec.template;
const [container] = pod.spec.containers;
const label = { "app.kubernetes.io/name": "dirsyncd" };
const mountOf = (name: string): string => container.volumeMounts.find((mount: { name: string }) => mount.name === name)?.mountPath;

describe("deploy/kubernetes", () => {
	it("applies every file there is, but what needs the Prometheus operator", () => {
		expect(files.filter((file) => !resources.includes(file)).sort()).toEqual(["kustomization.yaml", "podmonitor.yaml"]);
		expect(resources.filter((file: string) => !files.includes(file))).toEqual([]);
	});

	it.each([
		[configMap, "v1", "ConfigMap"],
		[service, "v1", "Service"],
		[statefulSet, "apps/v1", "StatefulSet"],
		[networkPolicy, "networking.k8s.io/v1", "NetworkPolicy"],
		[podMonitor, "monitoring.coreos.com/v1", "PodMonitor"],
	])("has a $2 of $1", (object, apiVersion, kind) => {
		expect(object).toMatchObject({ apiVersion, kind, metadata: { name: "dirsyncd", labels: label } });
	});

	it("is one pod, that all the others mean", () => {
		expect(statefulSet.spec.replicas).toBe(1);
		expect(pod.metadata.labels).toEqual(label);
		expect(service.spec.selector).toEqual(label);
		for (const { spec } of [statefulSet, podMonitor]) expect(spec.selector.matchLabels).toEqual(label);
		expect(networkPolicy.spec.podSelector.matchLabels).toEqual(label);
		expect(statefulSet.spec.serviceName).toBe(service.metadata.name);
	});

	it("is reached where the image listens", () => {
		expect(container.ports).toEqual([{ name: "http", containerPort: image.port }]);
		expect(service.spec.ports).toEqual([{ name: "http", port: image.port, targetPort: "http" }]);
		expect(networkPolicy.spec.ingress[0].ports).toEqual([{ protocol: "TCP", port: "http" }]);
		expect(podMonitor.spec.podMetricsEndpoints[0]).toMatchObject({ port: "http", path: "/metrics" });
	});

	it("is the job that the alerts know", () => {
		expect(pod.metadata.labels[podMonitor.spec.jobLabel]).toBe("dirsyncd");
		expect(readFileSync(path.join(root, "deploy/prometheus/alerts.yml"), "utf8")).toContain('job="dirsyncd"');
	});

	it("runs the image that compose.yaml builds, as its user, without a right", () => {
		expect(container.image).toBe(readDeployed("compose.yaml").services.dirsyncd.image);
		expect(pod.spec.securityContext).toMatchObject({
			runAsNonRoot: true,
			...{ runAsUser: image.user, runAsGroup: image.user, fsGroup: image.user },
			seccompProfile: { type: "RuntimeDefault" },
		});
		expect(container.securityContext).toEqual({
			allowPrivilegeEscalation: false,
			readOnlyRootFilesystem: true,
			capabilities: { drop: ["ALL"] },
		});
		expect(pod.spec.automountServiceAccountToken).toBe(false);
	});

	it("gives it longer to stop than it may take", () => {
		expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(10);
	});

	it("mounts each volume that it has, and none that it has not", () => {
		const declared = [...pod.spec.volumes, ...statefulSet.spec.volumeClaimTemplates.map(({ metadata }: { metadata: object }) => metadata)];
		const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort();
		expect(names(container.volumeMounts)).toEqual(names(declared));
	});

	it("has its data on a volume that stays, and its configuration where the image looks for it", () => {
		expect(mountOf("data")).toBe(image.volume);
		expect(statefulSet.spec.volumeClaimTemplates[0].metadata.name).toBe("data");
		expect(pod.spec.volumes).toContainEqual({ name: "config", configMap: { name: configMap.metadata.name } });
		expect(`${mountOf("config")}/${Object.keys(configMap.data)[0]}`).toBe(image.config);
	});

	it("shows its secret to nobody but its user", () => {
		const { secret } = pod.spec.volumes.find(({ name }: { name: string }) => name === "secrets");
		expect(secret).toEqual({ secretName: "dirsyncd", defaultMode: 0o400 });
	});

	it("has a configuration that is valid there, of which the README makes the secret", () => {
		const text = configMap.data["dirsyncd.yaml"] as string;
		const asked = [...text.matchAll(/^[^#\n]*?(?:file|ca): (\/[\w./-]+)/gm)].map(([, file]) => file as string);
		expect(asked.map(path.posix.dirname)).toEqual([mountOf("secrets"), mountOf("secrets")]);
		const made = readFileSync(path.join(root, "README.md"), "utf8").match(/^kubectl create secret generic dirsyncd .*$/m)?.[0];
		for (const file of asked) expect(made).toMatch(new RegExp(`--from-file=${path.posix.basename(file)}(=| |$)`));
		const { config, warnings } = loadDeployed(text, asked);
		expect(warnings.map((warning) => warning.path)).toEqual(["http.listen"]);
		expect(config.http.listen).toEqual({ host: "0.0.0.0", port: image.port });
		expect(path.posix.dirname(config.database)).toBe(mountOf("data"));
	});
});

describe("the probes of deploy/kubernetes, of a real daemon whose directory is down", () => {
	let folder: string;
	let daemon: DaemonProcess;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-probes-"));
		const file = path.join(folder, "dirsyncd.yaml");
		writeFileSync(
			file,
			`database: ./dirsyncd.db
http: { listen: 127.0.0.1:0 }
sources:
  - name: corp
    type: active-directory
    urls: [ldap://127.0.0.1:1]
    insecure: true
    bind: { user: reader, password: not-a-real-one }
    base: DC=corp,DC=example,DC=com
`,
		);
		daemon = startDaemon(file);
		await daemon.url();
	});
	afterAll(async () => {
		await daemon?.end("SIGTERM");
		rmSync(folder, { recursive: true, maxRetries: 5 });
	});

	it.each(["startupProbe", "livenessProbe", "readinessProbe"])("%s is content", async (probe) => {
		const { path: asked, port } = container[probe].httpGet;
		expect(port).toBe("http");
		expect((await fetch(new URL(asked, await daemon.url()))).status).toBe(200);
	});
});
