import { z } from "zod";
import { accountSide, groupSide } from "./account-schemas.ts";
import { anInstant, changeKind, component, count, runNumber, said } from "./fields.ts";

const mode = z.enum(["full", "delta"]);
const trigger = z.enum(["schedule", "start", "catch-up", "watch", "command", "api", "approve", "revert"]);
const groupChangeKind = z.enum(["create", "update", "remove", "delete"]);
const side = z.union([accountSide, groupSide, z.null()]);

const counts = { created: count, updated: count, disabled: count, enabled: count, deleted: count };

export const run = component(
	"Run",
	"A run, as `runs --json` prints it.",
	z.strictObject({
		...{ run: runNumber, source: z.string(), mode, trigger, outcome: z.enum(["succeeded", "held", "partial", "failed", "running"]) },
		...{ startedAt: anInstant, endedAt: anInstant.nullable(), sealed: z.boolean(), unsealed: z.array(z.string()) },
		...{ fullBecause: z.string().nullable(), server: z.string().nullable(), error: z.string().nullable(), read: count },
		...counts,
		held: count,
		quarantined: count,
		reverts: said(runNumber.nullable(), "The run that it took back."),
	}),
);

const changeFields = {
	kind: z.union([changeKind, groupChangeKind]),
	subject: z.enum(["account", "group"]),
	anchor: z.string(),
	name: z.string(),
	why: z.string(),
	before: side,
	after: side,
};

export const plannedChange = component(
	"PlannedChange",
	"A change that is planned, as `plan --json` prints it.",
	z.strictObject({
		...changeFields,
		target: said(z.string().optional(), "The target whose own doing it is; left out: it is one of the account or group itself."),
	}),
);

export const loggedChange = component(
	"LoggedChange",
	"A change that a run made, as `runs RUN --json` prints it.",
	z.strictObject({
		...changeFields,
		...{ sequence: runNumber, at: anInstant, target: z.string().nullable() },
		result: said(z.string(), "What became of it: committed, approved by …, refused …"),
	}),
);

export const logRow = component(
	"LogRow",
	"A row of the change log: a change, or what a person decided. No row is ever altered, and each has the hash of the one before in its own.",
	z.strictObject({
		...{ sequence: runNumber, at: anInstant, run: said(runNumber.nullable(), "Null: no run's.") },
		...{ source: z.string().nullable(), target: z.string().nullable() },
		subject: said(z.string(), "account, group; of decisions source, plan, run, target, database."),
		kind: said(z.string(), "The kind of change; of decisions sync, approve, reject, revert, unpin, delete (forget), read-back, restore."),
		...{ anchor: z.string(), name: z.string(), why: z.string(), result: z.string() },
		by: said(z.string().nullable(), 'Who decided it, where a person did. "(api)" behind a name: who had the operator\'s token said so.'),
		...{ before: side, after: side },
		hash: said(z.string(), "SHA-256 over this row and the hash of the one before, in hex: `verify` proves the chain."),
	}),
);

const heldKind = z.strictObject({
	subject: z.enum(["account", "group"]),
	target: z.string().optional(),
	kind: z.union([changeKind, groupChangeKind]),
	count,
	limit: said(z.string(), "Why: the limit, or what else holds it."),
});

export const plan = component(
	"Plan",
	"Changes that wait for a person, under the plan's hash.",
	z.strictObject({
		...{ plan: z.string(), source: z.string(), since: anInstant, kinds: z.array(heldKind), changes: said(count, "How many.") },
	}),
);

const leftAlone = {
	leftAlone: said(z.array(z.strictObject({ name: z.string(), why: z.string() })), "The first that are not taken back."),
	leftAloneCount: count,
};

export const report = component(
	"RunReport",
	"What came of a run: what `sync --json` prints, and what the command line tells besides.",
	z.strictObject({
		...{ run: runNumber, source: z.string(), mode, outcome: z.enum(["succeeded", "held", "partial", "failed"]), sealed: z.boolean() },
		...{ unsealed: z.array(z.string()), read: count, ...counts, entitlements: count.optional(), unchanged: count, held: count },
		...{ quarantined: count, delivered: count, pending: count, durationMs: z.number().min(0) },
		groups: z.strictObject({ created: count, updated: count, deleted: count, joined: count, left: count }).optional(),
		...{
			trigger,
			startedAt: anInstant,
			server: z.string().optional(),
			strategy: z.string().optional(),
			fullBecause: z.string().optional(),
		},
		warnings: z.array(z.string()),
		error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
		plan: said(z.string().optional(), "Names what is held: what is to be approved or rejected."),
		heldKinds: z.array(heldKind),
		deliveries: z.array(
			z.strictObject({
				...{ target: z.string(), kind: z.string(), result: z.enum(["applied", "refused", "later"]), count, seconds: z.number().min(0) },
			}),
		),
		revert: z.strictObject({ run: runNumber, ...leftAlone }).optional(),
	}),
);

export const preview = component(
	"RevertPreview",
	"What taking a run back would do. Nothing is done.",
	z.strictObject({
		...{ reverts: runNumber, ...leftAlone, plan: z.string(), source: z.string() },
		summary: said(z.partialRecord(changeKind, count), "Changes of accounts by kind."),
		...{ held: z.array(heldKind), changes: z.array(plannedChange), changesCount: said(count, "Of all changes, also those not shown.") },
	}),
);
