import type { Cause, ChangeKind } from "../core/change.ts";
import { attributesIn, type HoldReason, isAskedAgain, isOfAttributes, isSticky } from "../core/hold.ts";
import type { Protection } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";

export type Hold = { readonly reason: HoldReason; readonly because: string };

/** What this run saw of one entry, as far as it holds changes. */
export interface Seen {
	readonly id: number;
	/** Whether the directory had it never before. */
	readonly isNew: boolean;
	readonly isShielded: boolean;
	/** Attributes it had and has not any more, comma-joined. */
	readonly lost: string | undefined;
	/** Whether it shows again all the attributes for whose loss something of it is held. */
	readonly hasRegained: boolean;
	/** Why its end may be none. */
	readonly doubt: string | undefined;
	/** Why what rules give it, or that it is to be at a target, may be otherwise, if so: a group may have members that cannot be seen. */
	readonly groupsDoubt: string | undefined;
}

export interface HoldingContext {
	/** Why what we see is not comparable with what we saw, if so (invariant 5). */
	readonly viewChanged: string | undefined;
	/** Why the server that was read may know less than the one before, if so. */
	readonly serverChanged: string | undefined;
	/** Held people whom this reading asked about again: what it says of them counts, not what was held. */
	readonly askedAgain: ReadonlySet<number>;
	/** A sealed full reading of a server that knows everything: whatever it says of groups counts. */
	readonly isSettling: boolean;
	/** Whatever a server that knows everything has otherwise was read just now. */
	readonly isCurrent: boolean;
	/** Attributes known to be unreadable now. */
	readonly unreadable: ReadonlySet<string>;
	/** Undefined: not asked in this run; the snapshot's marks count. */
	readonly protection: Protection | undefined;
}

interface Change {
	readonly kind: ChangeKind;
	readonly cause: Cause | undefined;
	/** Whether an entitlement takes something away, or gives a policy another value. */
	readonly isLoss?: boolean;
}

/** A target of which a change is the own doing, and why its ends are not the directory's, if so. */
interface There {
	readonly target: string;
	readonly viewChanged: string | undefined;
}

/** What holds a change whatever its number; without `there`: one of the account itself. */
export function makeHolding({ snapshot }: Session, state: SourceState, context: HoldingContext) {
	const sticky = new Map(
		snapshot
			.held(state.id)
			.filter(({ reason }) => isSticky(reason))
			.map((row) => [keyOf(row.entry_id, row.kind, row.target), row]),
	);

	return (change: Change, { id, isNew, isShielded, lost, hasRegained, doubt, groupsDoubt }: Seen, there?: There): Hold | undefined => {
		const unreadable = lost?.split(",").filter((name) => context.unreadable.has(name)) ?? [];
		if (unreadable.length > 0 && change.kind !== "create") {
			return { reason: "attribute-loss", because: `${unreadable.join(", ")} cannot be read on anyone any more` };
		}
		// Expiry that cannot be read any more is not expiry that was taken back.
		if (change.kind === "enable" && lost?.split(",").includes("accountexpires")) {
			return { reason: "attribute-loss", because: "accountExpires cannot be read any more: it may still be expired" };
		}
		const earlier = sticky.get(keyOf(id, change.kind, there?.target ?? ""));
		const isLoss = change.isLoss === true;
		const isGain = change.kind === "entitlement" && !isLoss;
		const isHeardAgain = isLoss
			? context.isSettling || (earlier?.reason === "server" && context.isCurrent)
			: isGain || context.askedAgain.has(id);
		const isSettled =
			earlier !== undefined && (isAskedAgain(earlier.reason) ? isHeardAgain : hasRegained && isOfAttributes(earlier.reason));
		if (earlier !== undefined && !isSettled && !(earlier.reason === "view" && !isEndByAbsence(change) && !isLoss)) return earlier;
		// A server that may not know yet what happened is no reason to let anyone in again either.
		const isReturn = change.kind === "enable" || (change.kind === "create" && !isNew);
		if (context.serverChanged !== undefined && (isEnd(change.kind) || isReturn || isLoss)) {
			return { reason: "server", because: context.serverChanged };
		}
		const isGiven = there === undefined ? change.kind === "entitlement" : change.kind === "create" || change.kind === "enable";
		const doubted = isEnd(change.kind) ? doubt : isGiven ? groupsDoubt : undefined;
		if (doubted !== undefined) return { reason: "doubt", because: doubted };
		if (!isEnd(change.kind) && !isLoss) return undefined;
		const viewChanged = context.viewChanged ?? there?.viewChanged;
		if (viewChanged !== undefined) return { reason: "view", because: viewChanged };
		if (isLoss) return undefined;
		if (isShielded) return { reason: "protected", because: "protected" };
		const unresolved = context.protection?.unresolved ?? [];
		return unresolved.length > 0 ? { reason: "protected", because: unresolved.join("; ") } : undefined;
	};
}

/** The attributes for whose loss changes are held, by entry. */
export function lossesHeld({ snapshot }: Session, state: SourceState): ReadonlyMap<number, readonly string[]> {
	const losses = new Map<number, readonly string[]>();
	for (const { entry_id, reason, because } of snapshot.held(state.id)) {
		if (!isOfAttributes(reason)) continue;
		const names = attributesIn(because);
		// What somebody else lost is never seen again on this entry: the change dissolves, or a person decides.
		losses.set(entry_id, [...(losses.get(entry_id) ?? []), ...(names.length === 0 ? [""] : names)]);
	}
	return losses;
}

function keyOf(id: number, kind: string, target: string): string {
	return `${id} ${kind} ${target}`;
}

function isEnd(kind: ChangeKind): boolean {
	return kind === "disable" || kind === "delete";
}

function isEndByAbsence(change: Change): boolean {
	return isEnd(change.kind) && (change.cause === "out-of-scope" || change.cause === "deleted");
}
