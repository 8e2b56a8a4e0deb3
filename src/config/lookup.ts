import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../core/errors.ts";
import type { Environment } from "./expand.ts";

/** Where the configuration is looked for, and whether it is one of the operator's own. */
export interface FoundConfig {
	readonly file: string;
	readonly isDemo: boolean;
}

/** The demo's configuration, which comes with the package: from src/config and from dist/config alike. */
const demoFile = fileURLToPath(new URL("../../config/demo.yaml", import.meta.url));

/** `--config`, else $DIRSYNCD_CONFIG, else ./dirsyncd.yaml, else the demo. */
export function findConfig(option: string | undefined, environment: Environment, directory: string): FoundConfig {
	return findOwnConfig(option, environment, directory) ?? { file: demoFile, isDemo: true };
}

/** The operator's own configuration, where only such a one makes sense. Throws CONFIG_INVALID when there is none. */
export function requireOwnConfig(option: string | undefined, environment: Environment, directory: string): FoundConfig {
	const found = findOwnConfig(option, environment, directory);
	if (found !== undefined) return found;
	throw new Failure(
		"CONFIG_INVALID",
		`there is no configuration: no --config, no DIRSYNCD_CONFIG, and no ${path.join(directory, "dirsyncd.yaml")}`,
		{
			hint: "Copy config/dirsyncd.example.yaml to dirsyncd.yaml and adapt it, or give its path by --config FILE.",
		},
	);
}

function findOwnConfig(option: string | undefined, environment: Environment, directory: string): FoundConfig | undefined {
	// An empty variable is how one is unset in a unit file or a compose file.
	const named = option ?? (environment["DIRSYNCD_CONFIG"] || undefined);
	if (named !== undefined) return { file: path.resolve(directory, named), isDemo: false };
	const here = path.join(directory, "dirsyncd.yaml");
	return existsSync(here) ? { file: here, isDemo: false } : undefined;
}
