import type { SourceConfig } from "../config/config.ts";
import type { Loaded, SecretNeed } from "../config/load.ts";
import { findConfig } from "../config/lookup.ts";
import type { ChannelConfig } from "../config/notify-config.ts";
import type { TargetConfig } from "../config/target-config.ts";
import { Failure } from "../core/errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { Input } from "./command.ts";
import type { Context } from "./context.ts";
import { sayWarnings } from "./failure-text.ts";

export interface LoadedConfig extends Loaded {
	readonly isDemo: boolean;
}

/** The configuration, for a command that looks at it or starts with it: everything has to be there. */
export function loadWhole(context: Context, input: Input): LoadedConfig {
	return load(context, input, "required");
}

/** The configuration, for a command that may do without its secrets. */
export function loadFor(context: Context, input: Input): LoadedConfig {
	return load(context, input, "when-used");
}

function load({ doors, environment, directory }: Context, input: Input, secrets: SecretNeed): LoadedConfig {
	const { file, isDemo } = findConfig(input.values.get("config"), environment, directory);
	return { ...doors.loadConfig(file, environment, secrets), isDemo };
}

/** The configuration, for a command that goes to the directory: its warnings are said, since they are about that. */
export function loadToRead(context: Context, input: Input): LoadedConfig {
	const loaded = loadFor(context, input);
	if (!loaded.isDemo) sayWarnings(context.err, loaded.config.file, loaded.warnings);
	return loaded;
}

/** The sources that `--source` chooses: one, or all of them. */
export function chosenSources(loaded: Loaded, input: Input): readonly SourceConfig[] {
	return chosen("source", loaded.config.sources, loaded, input);
}

/** The targets that `--target` chooses: one, or all of them. */
export function chosenTargets(loaded: Loaded, input: Input): readonly TargetConfig[] {
	return chosen("target", loaded.config.targets, loaded, input);
}

/** The channels that `--notify` chooses: one, or all of them. */
export function chosenChannels(loaded: Loaded, input: Input): readonly ChannelConfig[] {
	return chosen("notify", loaded.config.notify, loaded, input, "channel");
}

function chosen<T extends { readonly name: string }>(
	option: "source" | "target" | "notify",
	all: readonly T[],
	loaded: Loaded,
	input: Input,
	kind: string = option,
): readonly T[] {
	const name = input.values.get(option);
	if (name === undefined) return all;
	const found = all.filter((each) => each.name === name);
	if (found.length > 0) return found;
	const names = all.map((each) => each.name);
	const meant = nearest(name, names);
	throw new Failure("USAGE", `there is no ${kind} ${JSON.stringify(name)} in ${loaded.config.file}`, {
		hint:
			names.length === 0 ? "there is none at all" : meant === undefined ? `the ${kind}s are ${names.join(", ")}` : `did you mean ${meant}?`,
	});
}

/** `--config FILE` as it was given, to be part of a command that is suggested. */
export function sameConfig(input: Input): string {
	const file = input.values.get("config");
	if (file === undefined) return "";
	if (/^[\w./:@%+=-]+$/.test(file)) return ` --config ${file}`;
	// Both shells of Windows know these quotes, and no file's name has them there.
	return process.platform === "win32" ? ` --config "${file}"` : ` --config '${file.replaceAll("'", "'\\''")}'`;
}
