import type { PinRecord } from "../core/pin.ts";
import type { LoggedRow, Span } from "./log-reader.ts";
import type { Place, Slice } from "./slice.ts";
import type { AccountView, GroupView, HeldPlanView, LoggedChange, MemberView, QuarantineView, RunView } from "./views.ts";

/** Which accounts. */
export interface AccountFilter {
	readonly source: string | undefined;
	readonly active: boolean | undefined;
	/** Those that this target has, or is to have. */
	readonly target: string | undefined;
	/** At that target, or at any. */
	readonly state: AccountView["targets"][string]["state"] | undefined;
	/** How the userName begins; letters of ASCII without their case. */
	readonly userName: string | undefined;
	/** What stands somewhere in the userName or the displayName; letters of ASCII without their case. */
	readonly text: string | undefined;
}

export interface GroupFilter {
	readonly source: string | undefined;
	/** How the displayName begins, or all of it; letters of ASCII without their case. */
	readonly name: { readonly kind: "prefix" | "whole"; readonly text: string } | undefined;
}

export type HeldPlanChange = HeldPlanView["changes"][number];
export type PinView = PinRecord & { readonly source: string; readonly anchor: string; readonly name: string };

/**
 * What the API reads of lists without end, a slice at a time. `after` is a place that was reached before; undefined: from the start.
 * Rows that are added meanwhile come in their place, and none comes twice.
 */
export interface Pages extends LogPages {
	/** In order of userName. */
	accounts(filter: AccountFilter, after: Place | undefined, limit: number): Slice<AccountView>;
	/** In the order in which they were first seen. */
	groups(filter: GroupFilter, after: Place | undefined, limit: number): Slice<GroupView>;
	/** Of this anchor, of each source that has it. */
	groupsByAnchor(anchor: string): readonly GroupView[];
	/** Accounts in a group, nested ones included, in the order in which they were first seen. */
	members(group: GroupView, after: Place | undefined, limit: number): Slice<MemberView>;
	/** Newest first. */
	runs(source: string | undefined, after: Place | undefined, limit: number): Slice<RunView>;
	/** In the order in which they were made. */
	runChanges(run: number, after: Place | undefined, limit: number): Slice<LoggedChange>;
	/** In order of names. */
	planChanges(plan: string, after: Place | undefined, limit: number): Slice<HeldPlanChange>;
	quarantine(source: string | undefined, after: Place | undefined, limit: number): Slice<QuarantineView>;
	pins(after: Place | undefined, limit: number): Slice<PinView>;
	close(): void;
}

/** Which rows of the change log. */
export interface LogFilter extends Span {
	readonly source: string | undefined;
	/** The target whose own doing it is. */
	readonly target: string | undefined;
	readonly subject: string | undefined;
	readonly kind: string | undefined;
	/** Of an account or a group. */
	readonly anchor: string | undefined;
	/** Those alone that say what a person decided, or had done. */
	readonly isDecision: boolean;
	readonly order: "oldest" | "newest";
}

export interface LogPages {
	/** Rows of the change log. A place is a row's sequence. */
	log(filter: LogFilter, after: Place | undefined, limit: number): Slice<LoggedRow>;
}
