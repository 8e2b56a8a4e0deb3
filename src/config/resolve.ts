import path from "node:path";
import { type ChangeKind, changeKinds } from "../core/change.ts";
import type { Limit, Limits } from "../core/gate.ts";
import { activeDirectoryMapping, googleMapping, ldapMapping, type Mapping, type MappingField } from "../core/mapping.ts";
import { changesOf } from "./belonging.ts";
import type { Config, GroupKind, Listen, LogConfig, SourceConfig } from "./config.ts";
import { parseListen, parseSize } from "./formats.ts";
import { resolveChannel } from "./resolve-notify.ts";
import { resolveTarget } from "./resolve-target.ts";
import { ms, withoutUndefined } from "./resolve-values.ts";
import type { ValidConfig } from "./schema.ts";
import { makeSecret } from "./secret.ts";
import type { Semantics } from "./semantics.ts";

/** The documented limits; what a configuration sets takes their place one by one. */
const defaultLimits: Limits = {
	update: { percent: 50, floor: 10 },
	entitlement: { percent: 20, floor: 10 },
	disable: { count: 50, percent: 5, floor: 3 },
	delete: { count: 10, percent: 1, floor: 3 },
};

/** The documented limits of groups: groups deleted, and memberships removed. */
const defaultGroupLimits = {
	deleted: { count: 10, percent: 10, floor: 3 },
	removed: { percent: 10, floor: 50 },
} as const satisfies Readonly<Record<string, Limit>>;

/** Makes a configuration that has no problems complete: defaults, absolute paths, milliseconds. */
export function resolve(file: string, valid: ValidConfig, semantics: Semantics): Config {
	return {
		file,
		database: path.resolve(path.dirname(file), valid.database),
		http: { listen: listen(valid.http.listen), tls: serverTls(semantics) },
		log: resolveLog(path.dirname(file), valid.log),
		sources: valid.sources.map((source, index) =>
			resolveSource(source, {
				...{ at: `sources[${index}]`, directory: path.dirname(file), semantics },
				...{ mapping: valid.mapping, limits: valid.limits },
			}),
		),
		lifecycle: {
			onDisabled: valid.lifecycle.onDisabled,
			onOutOfScope: valid.lifecycle.onOutOfScope,
			onDeleted: valid.lifecycle.onDeleted,
			deleteAfterMs: valid.lifecycle.deleteAfter === "never" ? undefined : ms(valid.lifecycle.deleteAfter),
		},
		match: valid.match,
		protect: valid.protect,
		features: valid.features.map(({ name, source, when }) => ({ name, source, when })),
		policies: valid.policies.map(({ name, source, when, value }) => ({ name, source, when, value: String(value) })),
		targets: valid.targets.map((target, index) =>
			resolveTarget(target, {
				...{ at: `targets[${index}]`, directory: path.dirname(file), semantics },
				...{ lifecycle: actionsOf(valid.lifecycle), limits: resolveAccountLimits(valid.limits, target.limits) },
			}),
		),
		notify: valid.notify.map((channel, index) => resolveChannel(channel, `notify[${index}]`, semantics)),
		settleMs: ms(valid.settle),
		retention: { runsMs: ms(valid.retention.runs), changesMs: ms(valid.retention.changes) },
		demo:
			valid.demo === undefined
				? undefined
				: { listen: listen(valid.demo.listen), people: valid.demo.people, seed: valid.demo.seed, paceMs: ms(valid.demo.pace) },
	};
}

function resolveLog(directory: string, { level, file }: ValidConfig["log"]): LogConfig {
	if (file === undefined) return { level, file };
	const { frequency, keep } = file;
	return { level, file: { path: path.resolve(directory, file.path), bytes: parseSize(file.size) ?? 0, frequency, keep } };
}

/** What checks and schema have found to be whole. */
function serverTls({ certificates, secrets }: Semantics): Config["http"]["tls"] {
	const [cert, key] = [certificates.get("http.tls.cert"), secrets.get("http.tls.key")];
	return cert === undefined || key === undefined ? undefined : { cert, key };
}

type ValidSource = ValidConfig["sources"][number];

interface Surroundings {
	/** The keys of this source's secrets and certificates begin with it. */
	readonly at: string;
	readonly directory: string;
	readonly semantics: Semantics;
	readonly mapping: ValidConfig["mapping"];
	readonly limits: ValidConfig["limits"];
}

function resolveSource(source: ValidSource, surroundings: Surroundings): SourceConfig {
	const { type, changes } = source;
	const any = resolveAny(source, surroundings);
	if (type === "active-directory") {
		return { ...any, type, changes: chosen(changesOf[type], changes), watch: source.watch ?? false };
	}
	return {
		...any,
		type,
		preset: source.preset ?? "openldap",
		changes: chosen(changesOf[type], changes),
		overrides: {
			anchor: source.anchor,
			people: source.people,
			disabled: source.disabled,
			groupClasses: source.groups?.objects,
			members: source.groups?.members,
		},
	};
}

/** What sources of all types have. */
function resolveAny(source: ValidSource, { at, directory, semantics, mapping, limits }: Surroundings) {
	const { bind, tls, timeouts } = source;
	const bases = listOf(source.base);
	const keyFile = typeof tls.key === "string" ? tls.key : tls.key?.file;
	const absolute = (file: string | undefined) => (file === undefined ? undefined : path.resolve(directory, file));
	return {
		name: source.name,
		urls: source.urls ?? [],
		domain: source.domain === undefined ? undefined : { name: source.domain, site: source.site },
		bind:
			bind.sasl === undefined
				? { user: bind.user ?? "", password: semantics.secrets.get(`${at}.bind.password`) ?? makeSecret("") }
				: { sasl: bind.sasl, authorizationId: bind.authorizationId },
		tls: {
			ca: semantics.certificates.get(`${at}.tls.ca`),
			caFile: absolute(tls.ca),
			cert: semantics.certificates.get(`${at}.tls.cert`),
			certFile: absolute(tls.cert),
			key: semantics.secrets.get(`${at}.tls.key`),
			keyFile: absolute(keyFile),
			startTls: tls.startTls,
			servername: tls.servername,
		},
		insecure: source.insecure,
		bases,
		users: { filter: source.users.filter, exclude: source.users.exclude, groups: source.users.groups },
		groups: source.groups === undefined ? undefined : resolveGroups(source.groups, bases),
		schedule: source.schedule,
		timeouts: { connectMs: ms(timeouts.connect), bindMs: ms(timeouts.bind), requestMs: ms(timeouts.request) },
		pageSize: source.pageSize,
		...resolveLimits(limits, source.limits),
		mapping: withoutEmpty({ ...defaultMapping(source), ...withoutUndefined(mapping) }),
	};
}

function resolveGroups(
	{ base, filter, exclude, type = "all" }: NonNullable<ValidSource["groups"]>,
	bases: readonly string[],
): SourceConfig["groups"] {
	const kinds: readonly GroupKind[] = type === "all" ? ["security", "distribution"] : [type];
	return { bases: base === undefined ? bases : listOf(base), filter, exclude, kinds };
}

/** What a source of this type maps when nothing else is said. */
export function defaultMapping(source: Pick<ValidSource, "type" | "preset"> | SourceConfig): Mapping {
	const { type } = source;
	const preset = "preset" in source ? source.preset : undefined;
	if (type === "active-directory") return activeDirectoryMapping;
	return preset === "google" ? googleMapping : ldapMapping;
}

function listOf(texts: string | readonly string[]): readonly string[] {
	return typeof texts === "string" ? [texts] : texts;
}

/** Whichever of the known is given: that it is one of them was checked. */
function chosen<T extends string>(known: readonly T[], given: string): T {
	const found = known.find((each) => each === given);
	if (found === undefined) throw new Error(`none of ${known.join(", ")}: ${given}`);
	return found;
}

type ValidLimits = ValidConfig["limits"];

function resolveLimits(all: ValidLimits, own: ValidLimits | undefined): Pick<SourceConfig, "limits" | "groupLimits"> {
	const limit = (usual: Limit, name: "groups" | "members") => resolveLimit(usual, { ...given(all[name]), ...given(own?.[name]) });
	const groupLimits = { deleted: limit(defaultGroupLimits.deleted, "groups"), removed: limit(defaultGroupLimits.removed, "members") };
	return { limits: resolveAccountLimits(all, own), groupLimits };
}

type AccountLimits = Pick<ValidLimits, ChangeKind>;

function resolveAccountLimits(all: AccountLimits, own: AccountLimits | undefined): Limits {
	const limits: Partial<Record<ChangeKind, Limit>> = {};
	for (const kind of changeKinds) {
		const resolved = resolveLimit(defaultLimits[kind], { ...given(all[kind]), ...given(own?.[kind]) });
		if (resolved !== undefined) limits[kind] = resolved;
	}
	return limits;
}

function actionsOf({ onDisabled, onOutOfScope, onDeleted }: ValidConfig["lifecycle"]) {
	return { onDisabled, onOutOfScope, onDeleted };
}

type Given = ReturnType<typeof given>;

/** The numbers that stand in the configuration. */
function given(limit: ValidLimits[ChangeKind] | undefined) {
	return limit === undefined ? {} : withoutUndefined(limit);
}

/** Undefined when neither a count nor a share is left. */
function resolveLimit(usual: Limit | undefined, own: Given): Limit | undefined {
	const { count, percent, floor } = { ...usual, ...own };
	const numbers = { ...(typeof count === "number" ? { count } : undefined), ...(typeof percent === "number" ? { percent } : undefined) };
	return Object.keys(numbers).length > 0 ? { ...numbers, floor: floor ?? 0 } : undefined;
}

function withoutEmpty(mapping: Mapping): Mapping {
	return Object.fromEntries(Object.entries(mapping).filter(([, template]) => template !== "")) as Partial<Record<MappingField, string>>;
}

function listen(text: string): Listen {
	const parsed = parseListen(text);
	if (parsed === undefined) throw new Error(`not an address: ${text}`);
	return parsed;
}
