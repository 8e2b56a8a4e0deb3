import { z } from "zod";
import { anInstant, component, count, said } from "./fields.ts";
import { plan, run } from "./run-schemas.ts";

const perMode = z.strictObject({ full: anInstant.nullable(), delta: anInstant.nullable() });

export const source = component(
	"Source",
	"A source, as `status --json` prints it.",
	z.strictObject({
		...{ source: z.string(), entries: count, groups: count, memberships: count },
		changes: said(z.string().nullable(), "How changes are found between full readings."),
		sealed: said(z.boolean().nullable(), "Whether the last full reading is proven to be complete."),
		held: z.record(z.string(), count),
		...{ quarantined: count, lastSuccess: perMode, lastRun: run.nullable() },
	}),
);

export const target = component(
	"Target",
	"A target, as `status --json` prints it.",
	z.strictObject({
		...{ target: z.string(), isConfigured: z.boolean(), accounts: count, pending: count, failed: count },
		released: said(count, "Accounts that are left alone since they were read back."),
		lastError: z.string().nullable(),
		trouble: said(
			z
				.strictObject({ because: z.string(), hint: z.string().optional(), since: anInstant, retryAt: anInstant, failures: count })
				.nullable(),
			"Why it takes nothing at all.",
		),
		readBack: z.strictObject({ at: anInstant, same: count, changed: count, missing: count, others: count.optional() }).nullable(),
	}),
);

const schedule = z.strictObject({
	source: z.string(),
	running: z.strictObject({ mode: z.enum(["full", "delta"]), since: anInstant }).nullable(),
	...{ next: perMode, dueSinceSuccess: count, fullDueSinceSuccess: count, intervalMs: z.number().nullable() },
});

export const status = component(
	"Status",
	"Sources, targets, what is held, and how the daemon is. What has no bound has a list of its own.",
	z.strictObject({
		...{ version: z.string(), startedAt: anInstant },
		health: said(
			z.strictObject({ status: z.enum(["pass", "warn", "fail"]), description: z.string(), notes: z.array(z.string()) }),
			"`/health` has all of it.",
		),
		...{ sources: z.array(source), targets: z.array(target), schedule: z.array(schedule), held: z.array(plan) },
	}),
);

export const rule = component(
	"Rule",
	"A feature, or one value of a policy: who gives it, and how many accounts have it.",
	z.strictObject({
		...{ kind: z.enum(["feature", "policy"]), name: z.string(), value: said(z.string().optional(), "Of a policy."), accounts: count },
		rules: said(
			z.array(z.strictObject({ place: z.string(), through: z.string() })),
			"In the order of the configuration; none: not in it any more.",
		),
	}),
);
