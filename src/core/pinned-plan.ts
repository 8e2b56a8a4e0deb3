import type { Account } from "./account.ts";
import type { ChangeKind } from "./change.ts";
import { wordsOfEntitlements } from "./entitlement-words.ts";
import { unreachable } from "./errors.ts";
import {
	entitlementPartsOf,
	isPinnedField,
	isStanding,
	type Keep,
	type KeptState,
	type Pin,
	partText,
	pinnedFields,
	saidOf,
	withKept,
	withPinnedEntitlements,
	withPinnedFields,
} from "./pin.ts";
import { changedFields, isEntitledAs, type PlannedAccount, type PlannedChange, planAccount, type Situation, withState } from "./plan.ts";

/** A plan under pins. */
export interface PinnedPlan {
	readonly planned: PlannedAccount;
	/** Those that go on. */
	readonly standing: readonly Pin[];
}

/**
 * Plans one account of which something is pinned: as if the directory said what is kept, as long as it says what it said when that was
 * pinned. Pure, and planning what a plan left behind gives no changes.
 */
export function planPinned(situation: Situation, pins: readonly Pin[]): PinnedPlan {
	const standing = pins.filter((pin) => isStanding(pin, saidOf(pin.part, situation)));
	const { mapped, entitled, before } = situation;
	const under: Situation = {
		...situation,
		mapped: mapped?.kind === "account" ? { kind: "account", account: withPinnedFields(mapped.account, standing) } : mapped,
		entitled: entitled && withPinnedEntitlements(entitled, standing),
	};
	const state = standing.find(({ part }) => part === "state");
	// Of whom nothing can be told stays whatever is there.
	const planned = state === undefined || saidOf("state", situation) === undefined ? planAccount(under) : planState(under, state);
	const account = before?.account;
	const own = account && standing.find(({ part, kept }) => isPinnedField(part) && partText(part, account) !== kept);
	return { planned: own === undefined ? planned : withWords(planned, own.run), standing };
}

/**
 * Plans what a revert makes of one account: only what is to be kept changes, from the account as it is now. Everything else that the
 * directory wants is left to the next run. Returns the pins that are needed for it to stay so.
 */
export function planReverted(situation: Situation, pins: readonly Pin[], keeps: readonly Keep[], run: number): PinnedPlan {
	const told = [...keeps, ...remade(situation, keeps)].flatMap((keep) => {
		const said = saidOf(keep.part, situation);
		return said === undefined ? [] : [{ ...keep, ignored: said, run }];
	});
	const parts = new Set(told.map(({ part }) => part));
	const others = pins.filter(({ part }) => !parts.has(part));
	const needed = told.filter((pin) => !isWantedAnyway(situation, others, pin));
	const ordinary = planPinned(situation, [...others, ...needed]);
	const standing = ordinary.standing;
	const { before } = situation;
	const state = told.find(({ part }) => part === "state");
	// Who has no account is made one, or is not.
	if (before === undefined) {
		return { planned: state === undefined ? { ...ordinary.planned, desired: undefined, changes: [] } : ordinary.planned, standing };
	}
	const kept = state && keptState(state);
	const fields = withKept(before.account, told);
	const after = kept === "none" ? undefined : withState(fields, kept === undefined ? fields.active : kept === "active");
	const wanted = ordinary.planned;
	const isStateLeft = kept === undefined && wanted.desired !== undefined;
	return {
		planned: {
			...wanted,
			// A change of state that the directory wants is not in this plan: as if it were held, the account keeps why it is as it is.
			desired: isStateLeft && after !== undefined ? withState(after, wanted.desired.active) : after,
			changes: changesOf(before.account, after, run),
			// What is wanted besides is planned by the next run.
			dueAt: JSON.stringify(wanted.desired) === JSON.stringify(after) ? wanted.dueAt : situation.at,
		},
		standing,
	};
}

/** An account that is to be made again has everything as it was, where its entry is there and says more than that. */
function remade({ before, entitled }: Situation, keeps: readonly Keep[]): readonly Keep[] {
	const body = before === undefined ? keeps.find(({ part }) => part === "state")?.body : undefined;
	if (body === undefined) return [];
	const parts = [...pinnedFields, ...entitlementPartsOf(body), ...entitlementPartsOf(entitled?.entitlements ?? {})];
	return [...new Set(parts)].map((part) => ({ part, kept: partText(part, body), body: undefined }));
}

/** Whether the directory wants just that by itself: then there is nothing to be pinned. */
function isWantedAnyway(situation: Situation, others: readonly Pin[], pin: Pin): boolean {
	if (pin.part !== "state") return pin.ignored === pin.kept;
	const { desired } = planPinned(situation, others).planned;
	return keptState(pin) === (desired === undefined ? "none" : desired.active ? "active" : "disabled");
}

function keptState({ kept }: Keep): KeptState {
	// A state is only ever pinned as one of these.
	return JSON.parse(kept) as KeptState;
}

function planState(situation: Situation, pin: Pin): PlannedAccount {
	const kept = keptState(pin);
	switch (kept) {
		case "none":
			return planNone(situation, pin);
		case "active":
		case "disabled":
			return situation.presence.kind === "present" ? planPresentAs(situation, kept, pin) : planGoneAs(situation, kept, pin);
		default:
			return unreachable(kept);
	}
}

function planNone({ before, presence, at }: Situation, { run }: Pin): PlannedAccount {
	const changes: PlannedChange[] = before === undefined ? [] : [{ kind: "delete", why: whyState("delete", run), cause: undefined }];
	return { ...nothing, desired: undefined, changes, dueAt: dueAtOf(presence, at) };
}

/** As if the directory had enabled or disabled the entry. */
function planPresentAs(situation: Situation, kept: "active" | "disabled", { run }: Pin): PlannedAccount {
	const { presence, lifecycle, at } = situation;
	if (presence.kind !== "present") return planAccount(situation);
	const standing = kept === "active" ? ("enabled" as const) : ("disabled" as const);
	const entry = { ...presence.entry, standing, expiresAt: undefined };
	const planned = planAccount({ ...situation, presence: { kind: "present", entry }, lifecycle: { ...lifecycle, onDisabled: "disable" } });
	const changes = planned.changes.map((change) =>
		isOfState(change.kind) ? { ...change, why: whyState(change.kind, run), cause: undefined } : change,
	);
	const because = kept === "active" ? undefined : `revert of run ${run}`;
	return { ...planned, changes, cause: undefined, because, dueAt: dueAtOf(presence, at) };
}

function planGoneAs({ before, presence, at }: Situation, kept: "active" | "disabled", { run, body }: Pin): PlannedAccount {
	const had = before?.account ?? body;
	if (had === undefined) return { ...nothing, desired: undefined, changes: [], dueAt: undefined };
	const desired = withState(had, kept === "active");
	const kind: ChangeKind | undefined =
		before === undefined ? "create" : had.active === desired.active ? undefined : desired.active ? "enable" : "disable";
	const changes: PlannedChange[] = kind === undefined ? [] : [{ kind, why: whyState(kind, run), cause: undefined }];
	if (desired.active || presence.kind === "present") return { ...nothing, desired, changes, dueAt: undefined };
	// Once unpinned, it is one who is gone: retention counts from now.
	const endedAt = before?.account.active === false ? (before.endedAt ?? at) : at;
	return { ...nothing, desired, changes, cause: presence.kind, endedAt, because: `revert of run ${run}`, dueAt: undefined };
}

const nothing = { cause: undefined, endedAt: undefined, because: undefined, quarantine: undefined } as const;

function isOfState(kind: ChangeKind): boolean {
	return kind === "create" || kind === "enable" || kind === "disable" || kind === "delete";
}

function changesOf(before: Account, desired: Account | undefined, run: number): readonly PlannedChange[] {
	const cause = undefined;
	if (desired === undefined) return [{ kind: "delete", why: whyState("delete", run), cause }];
	const changed = changedFields(before, desired);
	const changes: PlannedChange[] = [];
	if (changed.length > 0) changes.push({ kind: "update", why: `revert of run ${run}: ${changed.join(", ")}`, cause });
	if (!isEntitledAs(before, desired))
		changes.push({ kind: "entitlement", why: wordsOfEntitlements(before, desired, () => `revert of run ${run}`), cause });
	if (before.active !== desired.active) {
		const kind = desired.active ? "enable" : "disable";
		changes.push({ kind, why: whyState(kind, run), cause });
	}
	return changes;
}

function whyState(kind: ChangeKind, run: number): string {
	const became = {
		create: "made again",
		update: "",
		entitlement: "",
		disable: "disabled again",
		enable: "active again",
		delete: "taken back",
	};
	return `revert of run ${run}: ${became[kind]}`;
}

function withWords(planned: PlannedAccount, run: number): PlannedAccount {
	const changes = planned.changes.map((change) =>
		change.kind === "update" ? { ...change, why: `revert of run ${run}: ${change.why}` } : change,
	);
	return { ...planned, changes };
}

/** When its entry expires by itself: then there is something new to be said of it. */
function dueAtOf(presence: Situation["presence"], at: number): number | undefined {
	const expiresAt = presence.kind === "present" ? presence.entry.expiresAt : undefined;
	return expiresAt !== undefined && expiresAt > at ? expiresAt : undefined;
}
