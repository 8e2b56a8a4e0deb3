import type { LogRow } from "./chain.ts";

/** What a person decides, or has done: each has a row of its own in the change log, beside the changes that come of it. */
export type DecisionKind = "sync" | "approve" | "reject" | "revert" | "read-back" | "restore";

export interface Decision {
	readonly kind: DecisionKind;
	/** Whose word it is. */
	readonly by: string;
	/** What it is about: a source, a plan's hash, a run, a target, a file. */
	readonly name: string;
	/** One sentence for a person. */
	readonly why: string;
}

/** What a decision is about, and how the log says that it was made. */
const words: Readonly<Record<DecisionKind, { readonly subject: string; readonly done: string }>> = {
	sync: { subject: "source", done: "started" },
	approve: { subject: "plan", done: "approved" },
	reject: { subject: "plan", done: "rejected" },
	revert: { subject: "run", done: "reverted" },
	"read-back": { subject: "target", done: "read back" },
	restore: { subject: "database", done: "restored" },
};

/**
 * A decision as a row of the change log. `run` is the one that carries it out, 0 for none; `source` may be empty. Its subject is
 * neither an account nor a group, so that whoever follows these passes it over.
 */
export function decisionRow({ kind, by, name, why }: Decision, where: Pick<LogRow, "at" | "run" | "source">): LogRow {
	const { subject, done } = words[kind];
	const about = { target: kind === "read-back" ? name : undefined, kind, subject, anchor: "", name, why };
	return { ...where, ...about, before: undefined, after: undefined, result: `${done} by ${by}` };
}
