import { z } from "zod";
import { accountSide, accountState, pinOfAccount } from "./account-schemas.ts";
import { anInstant, component, count, runNumber, said } from "./fields.ts";

const text = z.string();
const texts = z.array(text);
const attributes = z.record(text, texts);
const scope = z.strictObject({ isIn: z.boolean().optional(), why: text });
const states = [
	...["active", "disabled", "expired", "out-of-scope", "deleted", "held", "quarantined", "pinned", "elsewhere", "excluded"],
	...["filtered", "outside-groups", "not-a-person", "unread", "unknown", "never-there"],
] as const;

const entry = z.strictObject({
	...{ attributes, server: text.optional(), at: anInstant.nullable(), run: runNumber.optional() },
	seen: z.strictObject({ run: runNumber, at: anInstant, server: text.optional(), sealed: z.boolean() }).optional(),
});

const field = z.strictObject({
	...{ field: text, value: text.optional(), template: text, line: text.optional(), used: texts, from: attributes },
	instead: said(text.optional(), "What the account has, where that is something else."),
});

const grant = z.strictObject({
	...{ name: text, value: text.optional(), planned: text.optional() },
	rules: z.array(
		z.strictObject({
			...{ line: text, value: text.optional(), verdict: z.enum(["gives", "does-not-match", "cannot-be-told", "later"]), why: text },
		}),
	),
});

const atTarget = z.strictObject({
	...{
		target: text,
		scope: scope.optional(),
		wanted: text,
		applied: text,
		differs: texts,
		state: z.union([accountState, z.literal("none")]),
	},
	...{ remoteId: text.optional(), origin: text.optional(), attempts: count, nextAt: anInstant.nullable(), error: text.optional() },
	trouble: text.optional(),
});

export const explanation = component(
	"Explanation",
	"Why a person has the account they have, or none, in the order in which it happened: as `explain --json` prints it.",
	z.strictObject({
		...{ source: text, anchor: text.optional(), dn: text.optional(), state: z.enum(states), summary: text, entry: entry.optional() },
		scope: z.strictObject({ isIn: z.boolean().optional(), line: text.optional(), why: text }).optional(),
		fields: z.array(field),
		groups: z.array(z.strictObject({ name: text, dn: text, through: texts, isPrimary: z.boolean() })),
		...{ features: z.array(grant), policies: z.array(grant) },
		account: z
			.strictObject({
				...{ account: accountSide, because: text.optional(), since: anInstant.nullable(), dueAt: anInstant.nullable() },
				isProtected: z.boolean(),
			})
			.optional(),
		quarantine: z.strictObject({ because: text, since: anInstant }).optional(),
		held: z.array(z.strictObject({ kind: text, target: text.optional(), why: text, because: text, plan: text, since: anInstant })),
		refused: z.array(z.strictObject({ kind: text, target: text.optional(), by: text, at: anInstant })),
		...{ pins: z.array(pinOfAccount), targets: z.array(atTarget) },
		changes: z.array(z.strictObject({ at: anInstant, run: z.int().min(0), kind: text, target: text.optional(), why: text, result: text })),
		notes: texts,
	}),
);
