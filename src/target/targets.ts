import type { Secret } from "../config/secret.ts";
import type { ScimTarget, TargetConfig, WebhookTarget } from "../config/target-config.ts";
import { unreachable } from "../core/errors.ts";
import { diagnoseFile } from "./file/diagnose.ts";
import { makeFileTarget } from "./file/file.ts";
import type { Mirror } from "./file/options.ts";
import type { Finding } from "./finding.ts";
import { diagnoseReach } from "./http/reach.ts";
import type { WireOptions } from "./http/wire.ts";
import { makeLocalTarget } from "./local/local.ts";
import { diagnoseScim } from "./scim/diagnose.ts";
import type { ScimOptions } from "./scim/options.ts";
import { makeScimTarget } from "./scim/scim.ts";
import type { Target } from "./target.ts";
import { makeWebhookTarget } from "./webhook/webhook.ts";

/** What a target is given besides its configuration. */
export interface Surroundings {
	/** Opens the rows of our own database that are the target's: of the embedded account store, or what a file is written from. */
	readonly openMirror: () => Mirror;
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** 0 to below 1. */
	readonly random: () => number;
}

/** The target that a configuration describes, by its type. Secrets that are missing are said when they are needed: SECRET_UNREADABLE. */
export function makeTarget(config: TargetConfig, surroundings: Surroundings): Target {
	const target = ofType(config, surroundings);
	return config.groups ? target : { ...target, groups: undefined };
}

function ofType(config: TargetConfig, { openMirror, clock, random }: Surroundings): Target {
	switch (config.type) {
		case "local": {
			const { accounts, groups } = openMirror();
			return makeLocalTarget(config.name, accounts, groups);
		}
		case "scim":
			return makeScimTarget(scimOptions(config), { clock, random });
		case "file":
			return makeFileTarget(config, openMirror(), clock);
		case "webhook":
			return makeWebhookTarget({ ...config, ...wireOptions(config), secret: revealing(config.secret) }, { clock, random });
		default:
			return unreachable(config);
	}
}

/** Looks at a target step by step; changes nothing there. */
export async function* diagnoseTarget(
	config: TargetConfig,
	{ clock, random }: Pick<Surroundings, "clock" | "random">,
	signal: AbortSignal,
): AsyncGenerator<Finding, void> {
	switch (config.type) {
		case "local":
			// The database is looked at by itself.
			return;
		case "scim":
			yield* diagnoseScim(scimOptions(config), { clock, random }, signal);
			return;
		case "file":
			yield* diagnoseFile(config.path, config.content);
			return;
		case "webhook":
			yield* diagnoseReach({ ...wireOptions(config), url: config.url }, clock, signal);
			return;
		default:
			unreachable(config);
	}
}

function scimOptions(config: ScimTarget): ScimOptions {
	return { ...config, ...wireOptions(config), auth: scimAuth(config.auth) };
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
		default:
			return unreachable(auth);
	}
}

function wireOptions({ tls, proxy, timeoutMs, concurrency }: ScimTarget | WebhookTarget): WireOptions {
	return { tls: { ...tls, key: tls.key && revealing(tls.key) }, proxy, timeoutMs, concurrency };
}

/** Secrets are revealed when they are needed, and no earlier. */
function revealing(secret: Secret): () => string {
	return () => secret.reveal();
}
