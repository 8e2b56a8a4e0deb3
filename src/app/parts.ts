import { attributesAskedBy, rulesFor } from "../config/asked.ts";
import type { Config, SourceConfig } from "../config/config.ts";
import type { TargetConfig } from "../config/target-config.ts";
import { Failure } from "../core/errors.ts";
import { compileMapping } from "../core/mapping.ts";
import { compileRules } from "../core/rules.ts";
import type { EngineOptions, Listener } from "../engine.ts";
import { digest } from "../lib/digest.ts";
import { makeSource, schemaOf } from "../source/sources.ts";
import type { Connection } from "../store/database.ts";
import { openFileTargets } from "../store/file-targets.ts";
import { openLocalAccounts } from "../store/local-accounts.ts";
import { openLocalGroups } from "../store/local-groups.ts";
import type { Session } from "../store/session.ts";
import { groupsOfRules } from "../sync/rules.ts";
import type { SyncSource } from "../sync/settings.ts";
import { hasView, makeViews, viewsText } from "../sync/views.ts";
import type { Target } from "../target/target.ts";
import { makeTarget } from "../target/targets.ts";

/** A source in the engine. `heard` is whoever listens to the run that is going on. */
export interface Part {
	readonly sync: SyncSource;
	readonly heard: { by: Listener };
	session: Session | undefined;
	isBusy: boolean;
}

export type Surroundings = Pick<EngineOptions, "clock" | "random">;

export function makeParts(config: Config, surroundings: Surroundings): readonly Part[] {
	return config.sources.map((source) => {
		const heard = { by: silent };
		return { sync: makeSync(config, source, surroundings, heard), heard, session: undefined, isBusy: false };
	});
}

export function makeSync(config: Config, source: SourceConfig, { clock, random }: Surroundings, heard: Part["heard"]): SyncSource {
	const { name, mapping, users, groups, limits, groupLimits } = source;
	const observe = {
		request: (operation: string, seconds: number) => heard.by.ldap(name, operation, seconds),
		certificate: (expiresAt: number) => heard.by.certificate(name, expiresAt),
	};
	const views = makeViews(config.targets, { mapping, schema: schemaOf(source) });
	const viewed = viewsText(config.targets);
	const rules = rulesFor(config, name);
	const entitling = compileRules(rules, schemaOf(source));
	const hasRules = entitling.all.length > 0;
	return {
		source: makeSource(source, {
			protect: config.protect,
			attributes: attributesAskedBy(config, name),
			ruleGroups: [...groupsOfRules({ entitling, views }).values()],
			...{ clock, random, observe },
		}),
		mapping: compileMapping(mapping),
		lifecycle: config.lifecycle,
		limits,
		groupLimits,
		match: config.match === "none" ? undefined : config.match,
		// Whether groups are read at all: then everyone's are worked out, also of those whose entry stayed the same.
		views,
		entitling,
		rules: digest(
			JSON.stringify([
				mapping,
				config.lifecycle,
				config.match,
				users.groups,
				groups !== undefined,
				...(viewed === undefined && !hasRules ? [] : [viewed ?? null]),
				...(hasRules ? [rules] : []),
			]),
		).toString("hex"),
	};
}

export function namesOfViews({ targets }: Config): readonly string[] {
	return targets.filter(hasView).map(({ name }) => name);
}

export function openTarget(target: TargetConfig, db: Connection, { clock, random }: Surroundings): Target {
	const { name } = target;
	const openMirror = () => ({ accounts: openLocalAccounts(db, name), groups: openLocalGroups(db, name), file: openFileTargets(db, name) });
	return makeTarget(target, { openMirror, clock, random });
}

export function partOf(parts: readonly Part[], name: string): Part {
	const part = parts.find(({ sync }) => sync.source.name === name);
	if (part === undefined) {
		throw unknownSource(
			parts.map(({ sync }) => sync.source),
			name,
		);
	}
	return part;
}

export function unknownSource(sources: readonly { readonly name: string }[], name: string): Failure {
	const known = sources.map((source) => source.name).join(", ");
	return new Failure("NOT_FOUND", `there is no source ${name} in the configuration`, { hint: `There is: ${known}.` });
}

export function unknownTarget({ targets }: Config, name: string): Failure {
	const known = targets.map((target) => target.name).join(", ");
	return new Failure("NOT_FOUND", `there is no target ${name} in the configuration`, { hint: `There is: ${known}.` });
}

export const silent: Listener = { progress: () => {}, ldap: () => {}, certificate: () => {} };
