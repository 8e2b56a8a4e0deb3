import path from "node:path";
import { type ChangeKind, changeKinds } from "../core/change.ts";
import type { Limit, Limits } from "../core/gate.ts";
import { activeDirectoryMapping, type Mapping, type MappingField } from "../core/mapping.ts";
import { parseDuration } from "../lib/duration.ts";
import type { Config, Listen, SourceConfig } from "./config.ts";
import { parseListen } from "./formats.ts";
import type { ValidConfig } from "./schema.ts";
import { makeSecret } from "./secret.ts";
import type { Semantics } from "./semantics.ts";

/** The documented limits; what a configuration sets takes their place one by one. */
const defaultLimits: Limits = {
	update: { percent: 50, floor: 10 },
	disable: { count: 50, percent: 5, floor: 3 },
	delete: { count: 10, percent: 1, floor: 3 },
};

/** Makes a configuration that has no problems complete: defaults, absolute paths, milliseconds. */
export function resolve(file: string, valid: ValidConfig, semantics: Semantics): Config {
	return {
		file,
		database: path.resolve(path.dirname(file), valid.database),
		http: { listen: listen(valid.http.listen) },
		log: valid.log,
		sources: valid.sources.map((source, index) => resolveSource(source, index, valid, semantics, path.dirname(file))),
		lifecycle: {
			onDisabled: valid.lifecycle.onDisabled,
			onOutOfScope: valid.lifecycle.onOutOfScope,
			onDeleted: valid.lifecycle.onDeleted,
			deleteAfterMs: valid.lifecycle.deleteAfter === "never" ? undefined : ms(valid.lifecycle.deleteAfter),
		},
		limits: resolveLimits(valid.limits),
		protect: valid.protect,
		targets: valid.targets,
		retention: { runsMs: ms(valid.retention.runs), changesMs: ms(valid.retention.changes) },
		demo:
			valid.demo === undefined
				? undefined
				: { listen: listen(valid.demo.listen), people: valid.demo.people, seed: valid.demo.seed, paceMs: ms(valid.demo.pace) },
	};
}

function resolveSource(
	source: ValidConfig["sources"][number],
	index: number,
	valid: ValidConfig,
	semantics: Semantics,
	directory: string,
): SourceConfig {
	return {
		name: source.name,
		type: source.type,
		urls: source.urls,
		bind: { user: source.bind.user, password: semantics.secrets.get(`sources[${index}].bind.password`) ?? makeSecret("") },
		tls: {
			ca: semantics.certificates.get(`sources[${index}].tls.ca`),
			caFile: source.tls.ca === undefined ? undefined : path.resolve(directory, source.tls.ca),
			startTls: source.tls.startTls,
			servername: source.tls.servername,
		},
		insecure: source.insecure,
		bases: typeof source.base === "string" ? [source.base] : source.base,
		users: { filter: source.users.filter, exclude: source.users.exclude },
		schedule: source.schedule,
		changes: source.changes,
		timeouts: { connectMs: ms(source.timeouts.connect), bindMs: ms(source.timeouts.bind), requestMs: ms(source.timeouts.request) },
		pageSize: source.pageSize,
		mapping: withoutEmpty({ ...activeDirectoryMapping, ...withoutUndefined(valid.mapping) }),
	};
}

function resolveLimits(limits: ValidConfig["limits"]): Limits {
	const resolved: Partial<Record<ChangeKind, Limit>> = {};
	for (const kind of changeKinds) {
		const { count, percent, floor } = { ...defaultLimits[kind], ...withoutUndefined(limits[kind]) };
		const numbers = { ...(typeof count === "number" ? { count } : undefined), ...(typeof percent === "number" ? { percent } : undefined) };
		if (Object.keys(numbers).length > 0) resolved[kind] = { ...numbers, floor: floor ?? 0 };
	}
	return resolved;
}

function withoutEmpty(mapping: Mapping): Mapping {
	return Object.fromEntries(Object.entries(mapping).filter(([, template]) => template !== "")) as Partial<Record<MappingField, string>>;
}

function withoutUndefined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
		[K in keyof T]?: Exclude<T[K], undefined>;
	};
}

/** Both were checked by the schema: what cannot be read here is a bug. */
function ms(duration: string): number {
	const parsed = parseDuration(duration);
	if (parsed === undefined) throw new Error(`not a duration: ${duration}`);
	return parsed;
}

function listen(text: string): Listen {
	const parsed = parseListen(text);
	if (parsed === undefined) throw new Error(`not an address: ${text}`);
	return parsed;
}
