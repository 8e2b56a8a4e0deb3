import { z } from "zod";
import * as formats from "./formats.ts";
import { channel } from "./notify-schema.ts";
import { feature, policy } from "./rules-schema.ts";
import { limits, mapping, secret, text } from "./schema-parts.ts";
import { condition, target } from "./target-schema.ts";

/**
 * The shape of the configuration, and of its JSON Schema. Every check here looks at one value by itself, so that one mistake
 * never hides another; what needs two values, a file or the environment is in semantics.ts.
 */
export function makeSchema() {
	const when = condition();
	return z.strictObject({
		database: text(formats.checkText)
			.default("./data/dirsyncd.db")
			.describe("The SQLite file that holds everything dirsyncd knows. Relative paths are relative to this configuration file."),
		http: z
			.strictObject({
				listen: text(formats.checkListen)
					.default("127.0.0.1:8640")
					.describe("host:port of the page, /health, /metrics and the API. Beyond this machine only with tls, or insecure."),
				tls: z
					.strictObject({
						cert: text(formats.checkText)
							.optional()
							.describe("PEM file with the server's certificate, and those between it and its authority."),
						key: secret().optional().describe("PEM file with its private key, or { file }, { env }, { credential }, { dpapi }."),
					})
					.optional()
					.describe("Serves HTTPS. Without it: plain HTTP."),
				insecure: z.boolean().default(false).describe("Allows plain HTTP beyond this machine. Warned at every start."),
			})
			.prefault({})
			.describe("The HTTP server of the daemon."),
		log: log().prefault({}).describe("How much is logged, and where. Personal data at debug only."),
		sources: z.array(source()).min(1).describe("The directories to read."),
		mapping: mapping().prefault({}).describe("Templates from entry to account, on top of the defaults for the source's type."),
		lifecycle: lifecycle().prefault({}).describe("What becomes of an account when its person may not use it any more."),
		match: z
			.enum(["none", "userName", "employeeNumber", "email"])
			.default("none")
			.describe("By which field of the account a person who moved from one source to another keeps the one account."),
		limits: limits().prefault({}).describe("The gate: a kind of change that is past its limit, per run and source, waits for a person."),
		protect: dns().default([]).describe("People, groups (nested) and containers whose accounts are never disabled without approval."),
		features: z.array(feature(when)).default([]).describe("What accounts may do, on or off: whoever matches any rule of a name has it."),
		policies: z
			.array(policy(when))
			.default([])
			.describe("What accounts have a value of: of the rules for one name the first that matches counts."),
		targets: z
			.array(target(when))
			.min(1)
			.prefault([{ name: "accounts", type: "local" }])
			.describe("The systems whose accounts are kept. Without this: the local account store alone."),
		notify: z.array(channel()).default([]).describe("Who is told, and how, of what waits for a person or is not as it should be."),
		settle: text(formats.checkDuration)
			.default("15m")
			.describe("How long what was told by notify has to stay well before it is told to be over. What comes back sooner is no news."),
		retention: retention().prefault({}).describe("How long history is kept."),
		demo: demo().optional().describe("Serves a made-up directory over LDAP, for trying things out."),
	});
}

export const sourceTypes = ["active-directory", "ldap"] as const;
export type SourceType = (typeof sourceTypes)[number];

export type ValidConfig = z.output<ReturnType<typeof makeSchema>>;

/** All keys of all types: which of them belong to which type, and which are required, says semantics.ts in words of its own. */
function source() {
	return z.strictObject({
		name: text(formats.checkName).describe("What this source is called in commands, logs and metrics."),
		type: z.enum(sourceTypes).describe("active-directory, or ldap for every other directory."),
		preset: z
			.enum(["openldap", "389ds", "freeipa", "google"])
			.optional()
			.describe(
				"Type ldap, required: whose manners the server has. anchor, people, disabled, groups.objects and groups.members override it.",
			),
		urls: z
			.array(text(formats.checkServerUrl))
			.min(1)
			.optional()
			.describe("The servers, in order of preference. Either this or domain is required."),
		domain: text(formats.checkDomain).optional().describe("In place of urls: the domain whose servers DNS names by SRV records."),
		site: text(formats.checkSite).optional().describe("With domain, type active-directory: the site whose domain controllers come first."),
		bind: bind().describe("The account to read as."),
		tls: tls().prefault({}),
		insecure: z
			.boolean()
			.default(false)
			.describe("Send the password over an ldap:// connection that is not secured. Warned at every start."),
		base: base().describe("Where people are looked for: a DN or a list of DNs."),
		anchor: text(formats.checkAttribute).optional().describe("Type ldap: the attribute that survives renames, as in entryUUID."),
		people: text(formats.checkFilter).optional().describe("Type ldap: a filter of who is a person."),
		disabled: text(formats.checkFilterOrNone).optional().describe('Type ldap: a filter of which people are disabled; "" for nobody.'),
		users: users().prefault({}).describe("Which entries beneath base are in scope."),
		groups: groups().optional().describe("Which groups are kept: {} for all beneath base. Without this: none."),
		schedule: schedule().prefault({}).describe("When to read, as cron expressions."),
		changes: z
			.enum(["auto", "usn", "dirsync", "syncrepl", "timestamp", "full"])
			.default("auto")
			.describe(
				"How changes are found between full readings. active-directory: auto, usn, dirsync, full. ldap: auto, syncrepl, timestamp, full.",
			),
		watch: z
			.boolean()
			.optional()
			.describe("Type active-directory: whether a change notification wakes a delta within seconds. By default false."),
		timeouts: timeouts().prefault({}),
		pageSize: z
			.int()
			.min(1)
			.max(5000)
			.default(1000)
			.describe("Entries asked for at a time. A domain controller caps it at 1000 by default."),
		limits: limits().optional().describe("For this source, whatever number is set here takes the place of the one in limits."),
	});
}

function log() {
	return z.strictObject({
		level: z.enum(["silent", "fatal", "error", "warn", "info", "debug", "trace"]).default("info"),
		file: z
			.strictObject({
				path: text(formats.checkText).describe("Where it is: ./log/dirsyncd.log is written as ./log/dirsyncd.2026-03-02.1.log."),
				size: text(formats.checkSize)
					.default("20MB")
					.describe("A file that is larger is followed by the next one: a number and KB, MB or GB."),
				frequency: z.enum(["daily", "hourly"]).default("daily").describe("When a file is followed by the next one in any case."),
				keep: z.int().min(1).max(1000).default(14).describe("How many files are kept besides the one that is written."),
			})
			.optional()
			.describe("Writes the log to files instead of standard output. Without it: none."),
	});
}

function bind() {
	return z.strictObject({
		user: text(formats.checkText).optional().describe("userPrincipalName, DOMAIN\\name or DN of the service account."),
		password: secret()
			.optional()
			.describe("{ file: path }, { env: NAME }, { credential: NAME } (of systemd), { dpapi: path } (of Windows), or the secret itself."),
		sasl: z.literal("external").optional().describe("In place of user and password: the client certificate of tls.cert says who we are."),
		authorizationId: text(formats.checkAuthorizationId)
			.optional()
			.describe('With sasl: external: as whom to act, "dn:…" or "u:…", if not as the certificate says.'),
	});
}

function tls() {
	return z.strictObject({
		ca: text(formats.checkText).optional().describe("A PEM file with the private CA's certificate; without it, the public CAs."),
		cert: text(formats.checkText).optional().describe("A PEM file with the client certificate and its chain, for servers that want one."),
		key: secret()
			.optional()
			.describe("The PEM file with the client certificate's private key; or { file: path }, { env: NAME }, { credential: NAME }."),
		startTls: z.boolean().default(false).describe("Secure an ldap:// connection before anything is sent."),
		servername: text(formats.checkText).optional().describe("The name in the server's certificate, when it is not the URL's host."),
	});
}

function base() {
	return z.union([text(formats.checkDn), dns().min(1)]);
}

function users() {
	return z.strictObject({
		filter: text(formats.checkFilter).optional().describe('An LDAP filter that people match besides being people, as in "(mail=*)".'),
		exclude: dns().default([]).describe("Containers beneath base whose people are not in scope."),
		groups: dns().default([]).describe("DNs of groups: only their members, nested ones included, are in scope. Empty: everybody."),
	});
}

function groups() {
	return z.strictObject({
		filter: text(formats.checkFilter).optional().describe("An LDAP filter that groups match besides being groups."),
		base: base().optional().describe("Where groups are looked for: a DN or a list of DNs. By default the source's base."),
		exclude: dns().default([]).describe("Containers beneath base whose groups are not kept."),
		type: z
			.enum(["security", "distribution", "all"])
			.optional()
			.describe("Type active-directory: groups for rights, for mail alone, or all. By default all."),
		objects: text(formats.checkFilter).optional().describe('Type ldap: a filter of what is a group, as in "(objectClass=groupOfNames)".'),
		members: z
			.array(text(formats.checkAttribute))
			.min(1)
			.optional()
			.describe("Type ldap: the attributes that name a group's members, as in [member, uniqueMember, memberUid]."),
	});
}

function schedule() {
	return z.strictObject({
		delta: text(formats.checkCron).default("*/5 * * * *").describe("When to read what has changed."),
		full: text(formats.checkCron).default("0 2 * * *").describe("When to read everything: only then are deletions seen."),
		timezone: text(formats.checkTimeZone).default("UTC").describe("The IANA time zone of both."),
	});
}

function timeouts() {
	return z.strictObject({
		connect: text(formats.checkTimeout).default("10s").describe("For name, TCP and TLS together."),
		bind: text(formats.checkTimeout).default("10s").describe("For the answer to a bind."),
		request: text(formats.checkTimeout).default("60s").describe("For one page: a busy server may build the whole result before its first."),
	});
}

function lifecycle() {
	const action = () => z.enum(["disable", "keep", "delete"]).default("disable");
	return z.strictObject({
		onDisabled: action().describe("The directory disabled the account, or it expired."),
		onOutOfScope: action().describe("The entry is there, but not in scope any more."),
		onDeleted: action().describe("The entry is not in the directory any more."),
		deleteAfter: text(formats.checkDeleteAfter)
			.default("never")
			.describe("How long a disabled account whose person is gone is kept before it is deleted: never, or as in 30d."),
	});
}

function retention() {
	return z.strictObject({
		runs: text(formats.checkDuration).default("90d").describe("Runs and what came of them."),
		changes: text(formats.checkDuration).default("2y").describe("The change log."),
	});
}

function demo() {
	return z.strictObject({
		listen: text(formats.checkListen).default("127.0.0.1:3890"),
		people: z.int().min(1).max(1_000_000).default(300),
		seed: z.int().min(0).max(0xffff_ffff).default(1).describe("The same seed makes the same people."),
		pace: text(formats.checkDuration).default("10s").describe("How often something happens to somebody."),
	});
}

function dns() {
	return z.array(text(formats.checkDn));
}
