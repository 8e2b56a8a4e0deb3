import type { Secret } from "../config/secret.ts";
import type { ScimTarget, TargetConfig } from "../config/target-config.ts";
import { Failure } from "../core/errors.ts";
import { type LocalGroupTable, type LocalTable, makeLocalTarget } from "./local/local.ts";
import type { ScimOptions } from "./scim/options.ts";
import { makeScimTarget } from "./scim/scim.ts";
import type { Target } from "./target.ts";

/** What a target is given besides its configuration. */
export interface Surroundings {
	/** The embedded account store's rows for this target. */
	readonly accounts: LocalTable;
	readonly groups: LocalGroupTable;
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
}

/** The target that a configuration describes, by its type. */
export function makeTarget(config: TargetConfig, { accounts, groups, clock, random }: Surroundings): Target {
	switch (config.type) {
		case "local":
			return makeLocalTarget(config.name, accounts, groups);
		case "scim":
			return makeScimTarget(scimOptions(config), { clock, random });
		case "file":
		case "webhook":
			throw new Failure("CONFIG_INVALID", `targets of type ${config.type} are not there yet`, { hint: "Take it out of targets." });
	}
}

/** Secrets are revealed when they are needed. */
function scimOptions({ auth, tls, ...rest }: ScimTarget): ScimOptions {
	return { ...rest, auth: scimAuth(auth), tls: { ...tls, key: tls.key && revealing(tls.key) } };
}

function scimAuth(auth: ScimTarget["auth"]): ScimOptions["auth"] {
	switch (auth.kind) {
		case "none":
			return auth;
		case "bearer":
			return { kind: auth.kind, token: revealing(auth.token) };
		case "basic":
			return { kind: auth.kind, user: auth.user, password: revealing(auth.password) };
		case "oauth":
			return { ...auth, clientSecret: revealing(auth.clientSecret) };
	}
}

function revealing(secret: Secret): () => string {
	return () => secret.reveal();
}
