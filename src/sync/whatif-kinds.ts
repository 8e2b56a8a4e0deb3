import type { Account } from "../core/account.ts";
import { type ChangeKind, changeKinds, type GroupChangeKind, groupChangeKinds } from "../core/change.ts";
import { effectOf } from "../core/plan-name.ts";
import type { Session } from "../store/session.ts";
import type { JudgedChange } from "./judged.ts";

/** Changes of one kind, the list of examples cut. */
export interface KindOutcome {
	readonly subject: "account" | "group";
	/** The target whose own doing it is; undefined: everywhere. */
	readonly target: string | undefined;
	readonly kind: ChangeKind | GroupChangeKind;
	readonly count: number;
	/** Of these. */
	readonly held: number;
	/** Of those held: such that wait for a person already, whatever the configuration. */
	readonly waiting: number;
	/** Of those that do not. */
	readonly examples: readonly Example[];
}

export interface Example {
	/** userName or displayName. */
	readonly name: string;
	/** One sentence. */
	readonly why: string;
}

/** Counts changes by their kinds. */
export function makeKinds({ decisions }: Session, sourceId: number, mostExamples: number) {
	const kinds = new Map<string, { -readonly [Key in keyof KindOutcome]: KindOutcome[Key] } & { examples: Example[] }>();

	/** The same change, held by the last run as well. */
	const isWaiting = (change: JudgedChange): boolean => {
		const { id, kind, effect, cause } = change;
		const target = change.subject === "account" ? (change.target ?? "") : "";
		const row = decisions.waiting(sourceId, id, kind, target);
		if (row === undefined) return false;
		if (change.subject === "group") return row.effect === effect;
		const after = row.after === null ? undefined : (JSON.parse(row.after) as Account);
		return (row.cause ?? undefined) === cause && effectOf(change.kind, after) === effect;
	};

	return {
		add: (change: JudgedChange): void => {
			const { subject, kind, name, why } = change;
			const target = change.subject === "account" ? change.target : undefined;
			const key = JSON.stringify([subject, target ?? "", kind]);
			const outcome = kinds.get(key) ?? { subject, target, kind, count: 0, held: 0, waiting: 0, examples: [] };
			kinds.set(key, outcome);
			outcome.count++;
			const isHeld = change.held !== undefined;
			const waits = isHeld && isWaiting(change);
			if (isHeld) outcome.held++;
			if (waits) outcome.waiting++;
			else if (outcome.examples.length < mostExamples) outcome.examples.push({ name, why });
		},
		/** Of accounts everywhere, then at targets, then of groups; in each by kind as everywhere else. */
		all: (): readonly KindOutcome[] => [...kinds.values()].sort((one, other) => rankOf(one) - rankOf(other)),
	};
}

function rankOf({ subject, target, kind }: KindOutcome): number {
	const kinds: readonly string[] = subject === "group" ? groupChangeKinds : changeKinds;
	return (subject === "group" ? 200 : target === undefined ? 0 : 100) + kinds.indexOf(kind);
}
