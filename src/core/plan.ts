import type { Account, Entitlements } from "./account.ts";
import type { Cause, ChangeKind } from "./change.ts";
import type { Entry } from "./entry.ts";
import { unreachable } from "./errors.ts";
import type { EndAction, Lifecycle } from "./lifecycle.ts";
import type { Mapped } from "./mapping.ts";
import type { Presence } from "./presence.ts";

/** An account as the last commit left it. */
export interface AccountState {
	readonly account: Account;
	/** Why it is not active; undefined when it is, or when no cause of ours applies. */
	readonly cause: Cause | undefined;
	/** Since when, Unix milliseconds. */
	readonly endedAt: number | undefined;
}

export interface Situation {
	readonly before: AccountState | undefined;
	readonly presence: Presence;
	/** What the mapping made of the entry; undefined unless it is present. */
	readonly mapped: Mapped | undefined;
	/** What the rules give; undefined unless it is present. */
	readonly entitled: Entitled | undefined;
	readonly lifecycle: Lifecycle;
	/** The run's instant, Unix milliseconds. */
	readonly at: number;
}

/** What rules give to a person, and why that differs from before, for a person. */
export interface Entitled {
	readonly entitlements: Entitlements;
	/** Rules that could say nothing for certain: there stays what was before. */
	readonly untold: readonly { readonly rule: { readonly kind: "feature" | "policy"; readonly name: string } }[];
	/** Phrases for what changes from `before`, joined. */
	words(before: Entitlements): string;
}

export interface PlannedChange {
	readonly kind: ChangeKind;
	readonly why: string;
	readonly cause: Cause | undefined;
}

/** What should become of one account. `changes` are at most three: the fields, what the rules give, and the state. */
export interface PlannedAccount {
	readonly desired: Account | undefined;
	readonly changes: readonly PlannedChange[];
	readonly cause: Cause | undefined;
	readonly endedAt: number | undefined;
	/** Why the account is not active, for a person. */
	readonly because: string | undefined;
	/** When this must be planned again although nothing in the directory changes. */
	readonly dueAt: number | undefined;
	/** Why the entry is set aside; its account, if there is one, keeps its fields. */
	readonly quarantine: string | undefined;
}

/**
 * Plans one account. Pure: the same situation gives the same plan, and planning what a plan left behind gives no changes.
 *
 *   presence       standing        account before    →  change
 *   present        enabled         none              →  create, active
 *   present        not enabled     none              →  create, not active (onDisabled: delete → none)
 *   present        enabled         not active        →  enable
 *   present        not enabled     active            →  by onDisabled
 *   present        unknown         any               →  state stays; no new account
 *   out of scope                   active            →  by onOutOfScope
 *   deleted                        active            →  by onDeleted
 *   gone for longer than deleteAfter                 →  delete
 */
export function planAccount(situation: Situation): PlannedAccount {
	const { presence } = situation;
	return presence.kind === "present" ? planPresent(situation, presence.entry) : planGone(situation, presence);
}

function planPresent(situation: Situation, entry: Entry): PlannedAccount {
	const { before, mapped, lifecycle, at } = situation;
	const ended = endOf(entry, at);
	const unknown = entry.standing === "unknown" && ended?.cause !== "expired";
	const quarantine =
		mapped?.kind === "unmappable" ? mapped.reason : unknown && !before ? "its state (enabled or disabled) cannot be read" : undefined;
	// Expiry ahead must wake us, also while the account is disabled for another reason: the reason changes then.
	const dueAt = entry.expiresAt !== undefined && entry.expiresAt > at ? entry.expiresAt : undefined;
	const nothing = { changes: [], cause: undefined, endedAt: undefined, because: undefined, dueAt, quarantine };
	const mappedFields = mapped?.kind === "account" ? mapped.account : before?.account;
	const fields = mappedFields && withEntitlements(mappedFields, situation.entitled?.entitlements ?? before?.account ?? {});
	if (fields === undefined || (unknown && !before)) return { desired: undefined, ...nothing };

	const action: EndAction | undefined = unknown || !ended ? undefined : lifecycle.onDisabled;
	if (action === "delete") {
		const changes: PlannedChange[] = before && ended ? [{ kind: "delete", why: ended.why, cause: ended.cause }] : [];
		return { desired: undefined, ...nothing, changes };
	}
	const active = unknown || action === "keep" ? (before?.account.active ?? false) : !ended;
	const desired = withState(fields, active);
	const changes: PlannedChange[] = [];
	if (!before) changes.push({ kind: "create", why: whyCreated(ended?.why, situation.entitled), cause: ended?.cause });
	else {
		const changed = changedFields(before.account, desired);
		if (changed.length > 0) changes.push({ kind: "update", why: changed.join(", "), cause: undefined });
		if (!isEntitledAs(before.account, desired)) {
			changes.push({ kind: "entitlement", why: situation.entitled?.words(before.account) ?? "", cause: undefined });
		}
		if (before.account.active && !active) changes.push({ kind: "disable", why: ended?.why ?? "not active", cause: ended?.cause });
		if (!before.account.active && active) changes.push({ kind: "enable", why: whyEnabled(before.cause), cause: undefined });
	}
	if (active) return { desired, ...nothing, changes };
	const cause = unknown ? before?.cause : ended?.cause;
	const endedAt = before && !before.account.active ? (before.endedAt ?? at) : at;
	return { desired, ...nothing, changes, cause, endedAt, because: ended?.why };
}

function planGone(situation: Situation, presence: Exclude<Presence, { kind: "present" }>): PlannedAccount {
	const { before, lifecycle, at } = situation;
	const cause: Cause = presence.kind;
	const why = presence.kind === "deleted" ? `not in the directory any more (${presence.evidence})` : `left the scope: ${presence.where}`;
	const none = { changes: [], cause: undefined, endedAt: undefined, because: undefined, dueAt: undefined, quarantine: undefined };
	if (!before) return { desired: undefined, ...none };
	const action = presence.kind === "deleted" ? lifecycle.onDeleted : lifecycle.onOutOfScope;
	switch (action) {
		case "keep":
			return {
				desired: before.account,
				...none,
				cause: before.cause,
				endedAt: before.endedAt,
				because: before.account.active ? undefined : why,
			};
		case "delete":
			return { desired: undefined, ...none, changes: [{ kind: "delete", why, cause }] };
		case "disable": {
			// Retention counts from the day the person left, not from an earlier day of being disabled while still there.
			const wasGone = !before.account.active && (before.cause === "out-of-scope" || before.cause === "deleted");
			const endedAt = wasGone ? (before.endedAt ?? at) : at;
			const dueAt = lifecycle.deleteAfterMs === undefined ? undefined : endedAt + lifecycle.deleteAfterMs;
			if (wasGone && dueAt !== undefined && dueAt <= at) {
				const since = new Date(endedAt).toISOString().slice(0, 10);
				// What it is stays with the account while the delete is held.
				const changes: PlannedChange[] = [{ kind: "delete", why: `disabled since ${since}: ${why}`, cause }];
				return { desired: undefined, changes, cause, endedAt, because: why, dueAt, quarantine: undefined };
			}
			const changes: PlannedChange[] = before.account.active ? [{ kind: "disable", why, cause }] : [];
			return { desired: withState(before.account, false), changes, cause, endedAt, because: why, dueAt, quarantine: undefined };
		}
		default:
			return unreachable(action);
	}
}

/** Whether the directory lets this person sign in, for certain. */
export function isLet(entry: Entry, at: number): boolean {
	return entry.standing === "enabled" && endOf(entry, at) === undefined;
}

/** Why the directory itself says that this person may not sign in, if it does. */
export function endOf(entry: Entry, at: number): { readonly cause: Cause; readonly why: string } | undefined {
	if (entry.standing === "disabled") return { cause: "disabled", why: "disabled in the directory" };
	if (entry.expiresAt !== undefined && entry.expiresAt <= at) {
		return { cause: "expired", why: `account expired on ${new Date(entry.expiresAt).toISOString().slice(0, 10)}` };
	}
	return undefined;
}

function whyCreated(ended: string | undefined, entitled: Entitled | undefined): string {
	const created = ended === undefined ? "new in the directory" : `new in the directory, ${ended}`;
	const given = entitled?.words({}) ?? "";
	return given === "" ? created : `${created}; ${given}`;
}

function whyEnabled(cause: Cause | undefined): string {
	switch (cause) {
		case "out-of-scope":
			return "back in scope";
		case "deleted":
			return "back in the directory";
		case "expired":
			return "not expired any more";
		case "disabled":
		case undefined:
			return "enabled in the directory";
		default:
			return unreachable(cause);
	}
}

/** The account with `active` where the field order of Account has it: JSON of equal accounts is equal text. */
export function withState(fields: Omit<Account, "active">, active: boolean): Account {
	const { userName, displayName, name, emails, title, department, phoneNumbers, manager, employeeNumber, features, policies } = fields;
	return {
		userName,
		...(displayName !== undefined && { displayName }),
		...(name !== undefined && { name }),
		...(emails !== undefined && { emails }),
		active,
		...(title !== undefined && { title }),
		...(department !== undefined && { department }),
		...(phoneNumbers !== undefined && { phoneNumbers }),
		...(manager !== undefined && { manager }),
		...(employeeNumber !== undefined && { employeeNumber }),
		...(features !== undefined && { features }),
		...(policies !== undefined && { policies }),
	};
}

/** The same with other features and policies. */
export function withEntitlements<Fields extends Omit<Account, "active">>(fields: Fields, { features, policies }: Entitlements): Fields {
	if (fields.features === features && fields.policies === policies) return fields;
	const { features: _features, policies: _policies, ...rest } = fields;
	return { ...rest, ...(features !== undefined && { features }), ...(policies !== undefined && { policies }) } as Fields;
}

/** Whether two accounts have the same features and policies. */
export function isEntitledAs(before: Entitlements, after: Entitlements): boolean {
	return isSame(before.features, after.features) && isSame(before.policies, after.policies);
}

function isSame(before: object | undefined, after: object | undefined): boolean {
	return before === after || JSON.stringify(before) === JSON.stringify(after);
}

/** One phrase for each field that differs, but for the state and what the rules give: `department from "Sales" to "Treasury"`. */
export function changedFields(before: Account, after: Account): readonly string[] {
	const names = [
		...(["userName", "displayName", "name", "emails", "title", "department", "phoneNumbers", "manager", "employeeNumber"] as const),
	];
	const phrases: string[] = [];
	for (const name of names) {
		const was = before[name];
		const is = after[name];
		if (was === is || JSON.stringify(was) === JSON.stringify(is)) continue;
		if (was === undefined) phrases.push(`${name} set to ${spell(is)}`);
		else if (is === undefined) phrases.push(`${name} cleared, was ${spell(was)}`);
		else phrases.push(`${name} from ${spell(was)} to ${spell(is)}`);
	}
	return phrases;
}

function spell(value: Account[keyof Account]): string {
	if (typeof value !== "object") return JSON.stringify(value);
	if (Array.isArray(value))
		return value.map((part: string | { value: string }) => (typeof part === "string" ? part : part.value)).join("; ");
	return JSON.stringify(Object.values(value).join(" "));
}
