import path from "node:path";
import { accountFields, isAccountField } from "../core/account-field.ts";
import type { Limits } from "../core/gate.ts";
import type { Mapping } from "../core/mapping.ts";
import { ms, withoutUndefined } from "./resolve-values.ts";
import type { ValidConfig } from "./schema.ts";
import { makeSecret, type Secret } from "./secret.ts";
import type { Semantics } from "./semantics.ts";
import type { FileColumn, FileFormat, ScimAuth, TargetConfig, TargetLifecycle, TargetTls } from "./target-config.ts";

type ValidTarget = ValidConfig["targets"][number];

interface Surroundings {
	/** The keys of this target's secrets and certificates begin with it. */
	readonly at: string;
	readonly directory: string;
	readonly semantics: Semantics;
	readonly lifecycle: TargetLifecycle;
	/** Everybody's limits with its own lines on top. */
	readonly limits: Limits;
}

/** Makes a target without problems complete. What its type must have was found to be there. */
export function resolveTarget(target: ValidTarget, surroundings: Surroundings): TargetConfig {
	const { type } = target;
	const any = resolveAny(target, surroundings);
	if (type === "local") return { ...any, type };
	if (type === "file") return { ...any, type, ...resolveFile(target, surroundings) };
	const { at, semantics } = surroundings;
	const remote = {
		url: target.url ?? "",
		tls: resolveTls(target.tls, surroundings),
		proxy: target.proxy,
		timeoutMs: ms(target.timeout ?? "30s"),
	};
	if (type === "webhook") {
		const secret = secretAt(semantics, `${at}.secret`);
		return { ...any, type, ...remote, secret, batch: target.batch ?? 1, concurrency: target.concurrency ?? 4 };
	}
	return {
		...any,
		type,
		...remote,
		url: remote.url.replace(/\/+$/, ""),
		auth: resolveAuth(target.auth, surroundings),
		adopt: target.adopt ?? "report",
		match: target.match ?? "userName",
		dialect: target.dialect ?? "path",
		concurrency: target.concurrency ?? 8,
		ratePerSecond: target.rate,
		memberBatch: target.memberBatch ?? 100,
		features: target.features,
		policies: target.policies,
		readBack: target.readBack,
	};
}

/** What targets of all types have. */
function resolveAny({ name, when, mapping, lifecycle, groups }: ValidTarget, { lifecycle: everywhere, limits }: Surroundings) {
	const own: Mapping = withoutUndefined(mapping ?? {});
	return {
		name,
		when,
		mapping: Object.keys(own).length === 0 ? undefined : own,
		lifecycle: lifecycle === undefined ? undefined : { ...everywhere, ...withoutUndefined(lifecycle) },
		limits,
		groups,
	};
}

function resolveFile({ path: file = "", content = "state", ...target }: ValidTarget, { directory }: Surroundings) {
	return { path: path.resolve(directory, file), content, format: resolveFormat(target) };
}

function resolveFormat({ format, columns, ldifBase }: Pick<ValidTarget, "format" | "columns" | "ldifBase">): FileFormat {
	if (format === "jsonl") return { kind: "jsonl" };
	if (format === "ldif") return { kind: "ldif", base: ldifBase ?? "" };
	return { kind: "csv", columns: (columns ?? accountFields).map(resolveColumn) };
}

function resolveColumn(column: string | { readonly heading: string; readonly field: string }): FileColumn {
	const { heading, field } = typeof column === "string" ? { heading: column, field: column } : column;
	// The schema has checked it.
	if (!isAccountField(field)) throw new Error(`not a field: ${field}`);
	return { heading, field };
}

function resolveTls(tls: ValidTarget["tls"], { at, semantics }: Surroundings): TargetTls {
	return {
		ca: semantics.certificates.get(`${at}.tls.ca`),
		cert: semantics.certificates.get(`${at}.tls.cert`),
		key: semantics.secrets.get(`${at}.tls.key`),
		servername: tls?.servername,
	};
}

function resolveAuth(auth: ValidTarget["auth"], { at, semantics }: Surroundings): ScimAuth {
	if (auth === undefined || auth === "none") return { kind: "none" };
	if (auth.basic !== undefined) {
		return { kind: "basic", user: auth.basic.user, password: secretAt(semantics, `${at}.auth.basic.password`) };
	}
	if (auth.oauth === undefined) return { kind: "bearer", token: secretAt(semantics, `${at}.auth.bearer`) };
	const { tokenUrl, clientId, scope, clientAuth } = auth.oauth;
	return { kind: "oauth", tokenUrl, clientId, clientSecret: secretAt(semantics, `${at}.auth.oauth.clientSecret`), scope, clientAuth };
}

function secretAt({ secrets }: Semantics, place: string): Secret {
	return secrets.get(place) ?? makeSecret("");
}
