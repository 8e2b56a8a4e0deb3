import { z } from "zod";
import { type Condition, conditionKinds } from "../core/condition.ts";
import * as formats from "./formats.ts";
import { accountLimits, exactlyOne, mapping, secret, text } from "./schema-parts.ts";
import { checkColumn, checkHttpUrl, checkProxyUrl, checkScimAttribute } from "./target-formats.ts";

export const targetTypes = ["local", "scim", "file", "webhook"] as const;
export type TargetType = (typeof targetTypes)[number];

/** All keys of all types: which of them belong to which type, and which are required, says targets.ts in words of its own. */
export function target(when: z.ZodType<Condition>) {
	return z.strictObject({
		name: text(formats.checkName).describe("What this target is called in commands, logs and metrics."),
		type: z
			.enum(targetTypes)
			.describe("local: the account store within the database; scim: a service that speaks SCIM 2.0; file; webhook."),
		when: when.optional().describe("Whose accounts it gets. Without this: everybody's."),
		mapping: mapping().optional().describe('Templates in the place of those in mapping; "" leaves a field out.'),
		lifecycle: lifecycle().optional().describe("What becomes of an account at this target; what is left out is as in lifecycle."),
		limits: z.strictObject(accountLimits()).optional().describe("Whatever number is set here takes the place of the one in limits."),
		groups: z.boolean().default(true).describe("Whether it gets groups."),
		...remote(),
		...scim(),
		...file(),
		...webhook(),
	});
}

/** What one person must have, in a tree of conditions. */
export function condition(): z.ZodType<Condition> {
	const node: z.ZodType<Condition> = z
		.strictObject({
			group: text(formats.checkGroupName).optional().describe("A member of this group, nested ones included: its DN, GUID, SID or name."),
			filter: text(formats.checkFilter).optional().describe("An LDAP filter on the person's entry."),
			all: z
				.array(z.lazy(() => node))
				.min(1)
				.optional()
				.describe("All of these."),
			any: z
				.array(z.lazy(() => node))
				.min(1)
				.optional()
				.describe("At least one of these."),
			not: z
				.lazy(() => node)
				.optional()
				.describe("Not this."),
		})
		.check(
			exactlyOne({
				message: "not exactly one condition",
				remedy: `write one of ${conditionKinds.join(", ")}; several go into all: [{ … }, { … }]`,
			}),
		)
		.meta({ id: "condition" }) as unknown as z.ZodType<Condition>;
	return node;
}

function lifecycle() {
	const action = () => z.enum(["disable", "keep", "delete"]).optional();
	return z.strictObject({
		onDisabled: action().describe("The directory disabled the account, or it expired."),
		onOutOfScope: action().describe("The person is not in scope any more: of the source, or of this target's when."),
		onDeleted: action().describe("The person is not in the directory any more."),
	});
}

/** What all targets behind HTTP have. */
function remote() {
	return {
		url: text(checkHttpUrl).optional().describe("Types scim and webhook, required: where it is, as in https://…"),
		insecure: z.boolean().optional().describe("Allows http:// to another machine. Warned at every start. By default false."),
		tls: tls().optional(),
		proxy: text(checkProxyUrl).optional().describe("The HTTP proxy on the way, as in http://proxy.example.com:3128."),
		concurrency: z.int().min(1).max(128).optional().describe("Requests at a time, at most. By default 8; type webhook: 4."),
		timeout: text(formats.checkTimeout).optional().describe("For one request and its answer. By default 30s."),
	};
}

function tls() {
	return z.strictObject({
		ca: text(formats.checkText).optional().describe("A PEM file with the private CA's certificate; without it, the public CAs."),
		cert: text(formats.checkText).optional().describe("A PEM file with the client certificate and its chain."),
		key: secret()
			.optional()
			.describe("The PEM file with the client certificate's private key; or { file: path }, { env: NAME }, { credential: NAME }."),
		servername: text(formats.checkText).optional().describe("The name in the server's certificate, when it is not the URL's host."),
	});
}

function scim() {
	return {
		auth: z
			.union([z.literal("none"), auth()])
			.optional()
			.describe("Type scim, required without a client certificate: how we sign in. none: not at all, for what stands behind a gateway."),
		adopt: z
			.enum(["never", "exact", "report"])
			.optional()
			.describe("Type scim: what becomes of an account that is there before we made it. By default report: it is left alone, and said."),
		match: z
			.enum(["userName", "emails.value", "employeeNumber"])
			.optional()
			.describe("Type scim: by what, after externalId, an account that is there is known. By default userName."),
		dialect: z
			.enum(["path", "no-path", "put"])
			.optional()
			.describe("Type scim: PATCH with paths, PATCH without, or PUT of the whole. By default path."),
		features: text(checkScimAttribute)
			.optional()
			.describe("Type scim: where features go: entitlements, roles, or an attribute of a schema extension. Without this: nowhere."),
		policies: text(checkScimAttribute).optional().describe("Type scim: where policies go, likewise."),
		rate: z.number().min(0.01).max(10_000).optional().describe("Type scim: requests per second, at most. Without this: as many as go."),
		memberBatch: z
			.int()
			.min(1)
			.max(10_000)
			.optional()
			.describe("Type scim: members that one request adds to or removes from a group. By default 100."),
		readBack: readBack().optional().describe("Type scim: when its accounts are read and compared. Without this: never by itself."),
	};
}

function auth() {
	return z.strictObject({ bearer: secret().optional(), basic: basic().optional(), oauth: oauth().optional() });
}

function basic() {
	return z.strictObject({ user: text(formats.checkText), password: secret() }).describe("HTTP Basic (RFC 7617).");
}

function oauth() {
	return z
		.strictObject({
			tokenUrl: text(checkHttpUrl).describe("Where tokens are given."),
			clientId: text(formats.checkText),
			clientSecret: secret(),
			scope: text(formats.checkText).optional(),
			clientAuth: z.enum(["basic", "body"]).default("basic").describe("How the client signs in at tokenUrl (RFC 6749 §2.3.1)."),
		})
		.describe("OAuth 2.0 client credentials (RFC 6749 §4.4).");
}

function readBack() {
	return z.strictObject({
		schedule: text(formats.checkCron).describe("When, as a cron expression."),
		timezone: text(formats.checkTimeZone).default("UTC").describe("Its IANA time zone."),
		action: z
			.enum(["report", "repair", "release"])
			.default("report")
			.describe("What becomes of an account that is not as we left it. release: it is left alone from then on."),
	});
}

function file() {
	return {
		path: text(formats.checkText).optional().describe("Type file, required: the file to write."),
		format: z.enum(["csv", "jsonl", "ldif"]).optional().describe("Type file, required."),
		content: z
			.enum(["state", "changes"])
			.optional()
			.describe("Type file: the whole, replaced at once, or one record a change, appended. By default state."),
		columns: z
			.array(z.union([text(checkColumn), z.strictObject({ heading: text(formats.checkText), field: text(checkColumn) })]))
			.min(1)
			.optional()
			.describe("Format csv: fields of the account, or heading and field. Without this: all."),
		ldifBase: text(formats.checkDn).optional().describe("Format ldif, required: the DN beneath which the entries are."),
	};
}

function webhook() {
	return {
		secret: secret().optional().describe("Type webhook, required: signs what is sent."),
		batch: z.int().min(1).max(1000).optional().describe("Type webhook: changes in one POST, at most. By default 1: each by itself."),
	};
}
