import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { rootCertificates } from "node:tls";
import { parseDocument } from "yaml";
import { type Loaded, loadConfig } from "../../src/config/load.ts";

const project = path.join(import.meta.dirname, "../..");

/** A file of deploy/ as plain values. Throws at what YAML does not allow, a key that stands twice for one. */
// biome-ignore lint/suspicious/noExplicitAny: what the tests ask of it is what they test.
export function readDeployed(name: string): any {
	const document = parseDocument(readFileSync(path.join(project, "deploy", name), "utf8"));
	for (const problem of [...document.errors, ...document.warnings]) throw problem;
	return document.toJS();
}

/** What follows an instruction of the Dockerfile, once for each time that it is there. */
export function instructions(name: string): string[] {
	const lines = readFileSync(path.join(project, "Dockerfile"), "utf8").replace(/\\\n/g, " ").split("\n");
	return lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
}

/** What the Dockerfile says of the image, as far as who runs it has to know. */
export const image = {
	user: Number(instructions("USER")[0]?.split(":")[0]),
	port: Number(instructions("EXPOSE")[0]),
	volume: instructions("VOLUME")[0] as string,
	config: instructions("ENV")[0]?.match(/DIRSYNCD_CONFIG=(\S+)/)?.[1] as string,
};

/** Loads a configuration as if `files` were where it looks for them; those that end in .pem are certificates. */
export function loadDeployed(text: string, files: readonly string[]): Loaded {
	const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-deployed-"));
	try {
		for (const file of files) {
			const there = path.join(folder, file);
			mkdirSync(path.dirname(there), { recursive: true });
			writeFileSync(there, file.endsWith(".pem") ? `${rootCertificates[0]}\n` : "not a real one", { mode: 0o400 });
		}
		const config = path.join(folder, image.config);
		mkdirSync(path.dirname(config), { recursive: true });
		writeFileSync(config, text.replaceAll("/run/secrets/", path.join(folder, "run/secrets/")));
		return loadConfig(config, {});
	} finally {
		rmSync(folder, { recursive: true });
	}
}
