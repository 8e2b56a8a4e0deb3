import type { SourceConfig } from "../config/config.ts";
import { Failure, unreachable } from "../core/errors.ts";
import { attributesOf } from "../core/mapping.ts";
import { plainSchema, type Schema } from "../core/matching.ts";
import { makeActiveDirectory } from "./active-directory/active-directory.ts";
import { type Delegation, delegate, type Extent } from "./active-directory/delegation/delegation.ts";
import { diagnose as diagnoseActiveDirectory } from "./active-directory/diagnose.ts";
import { activeDirectoryDefaults } from "./active-directory/options.ts";
import { type Survey, surveyDomain } from "./active-directory/survey.ts";
import { diagnose as diagnoseGenericLdap } from "./generic-ldap/diagnose.ts";
import { makeGenericLdap } from "./generic-ldap/generic-ldap.ts";
import { ldapSchema } from "./generic-ldap/schema.ts";
import { diagnoseServer, diagnoseServers, type Finding } from "./ldap/diagnose.ts";
import type { Operation } from "./ldap/dial.ts";
import type { Discovery } from "./ldap/discovery.ts";
import { makeServerMemory } from "./ldap/server-memory.ts";
import { makeSrvResolver } from "./ldap/srv.ts";
import type { Source } from "./source.ts";

/** What a source is given besides its configuration. */
export interface Surroundings {
	/** DNs of people, groups and containers that are never disabled without approval. */
	readonly protect: readonly string[];
	/** Attributes that are read besides those of the mapping: what targets ask for. */
	readonly attributes: readonly string[];
	/** Groups that rules name, by DN, GUID, SID or name: read wherever they are. */
	readonly ruleGroups: readonly string[];
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
	readonly observe: {
		/** After each operation on a server; for the metric. */
		request(operation: Operation, seconds: number): void;
		/** At each connection: when the server's certificate expires, Unix milliseconds. */
		certificate(expiresAt: number): void;
	};
}

/** The source that a configuration describes, by its type. Throws Failure SECRET_UNREADABLE, CONFIG_INVALID or ENTRY_UNREADABLE. */
export function makeSource(config: SourceConfig, surroundings: Surroundings): Source {
	const { name, insecure, bases, users, timeouts, pageSize } = config;
	const options = {
		...{ name, insecure, bases, users, timeouts, pageSize },
		...connectionOf(config),
		...surroundings,
		attributes: attributesRead(config, surroundings),
		pausesMs: activeDirectoryDefaults.pausesMs,
	};
	switch (config.type) {
		case "active-directory":
			return makeActiveDirectory({ ...options, groups: config.groups, changes: config.changes, watch: config.watch });
		case "ldap": {
			const { groups, changes, preset, overrides } = config;
			return makeGenericLdap({ ...options, groups, changes, preset, overrides });
		}
		default:
			return unreachable(config);
	}
}

/** How a filter is judged on what the entries of a source show. */
export function schemaOf({ type }: SourceConfig): Schema {
	return type === "ldap" ? ldapSchema : plainSchema;
}

/** Looks at a source step by step; changes nothing. */
export function diagnoseSource(
	config: SourceConfig,
	{ clock, ...surroundings }: Pick<Surroundings, "protect" | "clock" | "attributes" | "ruleGroups">,
	signal: AbortSignal,
): AsyncIterable<Finding> {
	const { urls, discovery, tls } = connectionOf(config);
	const { protect, ruleGroups } = surroundings;
	const connection = { urls, discovery, tls, protect, ruleGroups, attributes: attributesRead(config, surroundings) };
	return config.type === "ldap"
		? diagnoseGenericLdap({ ...config, ...connection }, clock, signal)
		: diagnoseActiveDirectory({ ...config, ...connection }, clock, signal);
}

/** What a source's account is to be allowed, and may do already. Throws what signing in throws, and CONFIG_INVALID for another directory. */
export async function delegateSource(
	config: SourceConfig,
	{ clock, ...surroundings }: Pick<Surroundings, "protect" | "clock" | "attributes" | "ruleGroups">,
	extent: Extent,
	signal: AbortSignal,
): Promise<Delegation> {
	if (config.type === "ldap") {
		throw new Failure(
			"CONFIG_INVALID",
			`the source ${config.name} is no Active Directory, and other directories have no common way to delegate`,
			{
				hint: "Name a source of type active-directory by --source.",
			},
		);
	}
	const { urls, discovery, tls } = connectionOf(config);
	const asked = { ...surroundings, attributes: attributesRead(config, surroundings) };
	return delegate({ ...config, ...asked, urls, discovery, tls }, extent, clock, signal);
}

/** The way to a source's servers, step by step, as `diagnoseSource` begins. Nobody signs in. */
export async function* diagnoseReach(config: SourceConfig, clock: () => number, signal: AbortSignal): AsyncGenerator<Finding, void> {
	const servers = { ...config, ...connectionOf(config) };
	for (const address of yield* diagnoseServers(
		{ ...servers, memory: makeServerMemory(clock), readBefore: [], random: () => 0, clock },
		signal,
	)) {
		yield* diagnoseServer({ ...servers, address, clock }, signal);
	}
}

/** Signs in at a domain controller, and counts who is where. */
export function surveySource(config: SourceConfig, clock: () => number, signal: AbortSignal): Promise<Survey> {
	const { urls, discovery, tls } = connectionOf(config);
	return surveyDomain({ ...config, urls, discovery, tls }, clock, signal);
}

function attributesRead({ mapping }: SourceConfig, { attributes }: Pick<Surroundings, "attributes">): readonly string[] {
	return [...new Set([...attributesOf(mapping), ...attributes])].sort();
}

/** How the servers are reached and who we are there, secrets in clear. */
function connectionOf({ urls, domain, bind, tls, insecure }: SourceConfig) {
	const discovery: Discovery | undefined = domain && {
		domain: domain.name,
		site: domain.site,
		resolver: makeSrvResolver(),
		scheme: tls.startTls || insecure ? "ldap" : "ldaps",
	};
	return {
		urls,
		discovery,
		bind: "sasl" in bind ? bind : { user: bind.user, password: bind.password.reveal() },
		tls: { ...tls, key: tls.key?.reveal() },
	};
}
