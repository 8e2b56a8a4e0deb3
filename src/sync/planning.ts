import { setImmediate } from "node:timers/promises";
import type { Account } from "../core/account.ts";
import { claimsOf } from "../core/claims.ts";
import { dnKey } from "../core/dn.ts";
import type { Anchor, Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import type { Mapped } from "../core/mapping.ts";
import type { Pin } from "../core/pin.ts";
import { isLet, type PlannedAccount, type Situation } from "../core/plan.ts";
import type { Presence } from "../core/presence.ts";
import { digest } from "../lib/digest.ts";
import { spread } from "../lib/spread.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { StagedRow } from "../store/stage.ts";
import { decodeIfPossible, LINK, lostAttributes } from "./attributes.ts";
import { makeEntitling, takesAway } from "./entitling.ts";
import { type HoldingContext, lossesHeld, makeHolding, type Seen } from "./holding.ts";
import { type KeptFields, withKept } from "./kept-fields.ts";
import { openManagers } from "./managers.ts";
import type { GroupScope, NamedGroups } from "./membership.ts";
import { makePinning } from "./pinning.ts";
import { makeProspects, type ProspectContext } from "./prospects.ts";
import { coversDn } from "./protection.ts";
import type { RuleTally } from "./rule-tally.ts";
import type { SyncSource } from "./settings.ts";
import { findMatch, noMatch, planMatched } from "./takeover.ts";

export interface PlanningContext extends HoldingContext, ProspectContext {
	/** The run's instant, Unix milliseconds. */
	readonly at: number;
	/** Ids of people that protection covers, by where the snapshot or this reading has them. */
	readonly shielded: ReadonlySet<number>;
	/** Scope by group; undefined: everyone who was read is in scope. */
	readonly scope: GroupScope | undefined;
	/** The groups that rules of features and policies name; undefined: this source reads no groups. */
	readonly ruled: NamedGroups | undefined;
	/** The run that this one takes back. */
	readonly reverted: number | undefined;
	/** Fields that stay as they are, because nothing is known of them. */
	readonly kept: KeptFields;
	/** Counts what rules do, if anybody asks. */
	readonly tally: RuleTally | undefined;
	readonly onProgress: (done: number) => void;
}

export interface PlanningResult {
	/** How many more (or fewer) entries have each attribute than at the last commit. */
	readonly attributeCounts: Map<string, number>;
	/** How many entries lost each attribute. */
	readonly losses: Map<string, number>;
	/** Who names no manager any more although the one named until now is there still. */
	readonly unlinked: number[];
	/** Who loses a feature or a policy. */
	readonly losers: number[];
	/** Of whom a rule could say nothing for certain, by the rule's place, and why of the first. */
	readonly untoldRules: Map<string, { readonly count: number; readonly why: string }>;
	/** Of whom a target's condition could say nothing for certain, and why of the first, by target. */
	readonly untold: Map<string, { readonly count: number; readonly why: string }>;
}

const PAGE = 500;
const noPins: readonly Pin[] = [];

/** Where somebody is who is in none of the groups that make the scope. */
const OUTSIDE = "in none of the groups of users.groups";

/** Plans everyone on the stage. Between pages the loop is free, so that a run can be stopped. */
export async function planStaged(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	context: PlanningContext,
	signal: AbortSignal,
): Promise<PlanningResult> {
	const planner = makePlanner(session, sync, state, context);
	for (let after = 0, done = 0; ; ) {
		signal.throwIfAborted();
		const page = session.stage.page(after, PAGE);
		session.stage.batch(() => {
			for (const row of page) planner.plan(row);
			session.targetPlan.flush();
		});
		done += page.length;
		context.onProgress(done);
		const last = page.at(-1);
		if (last === undefined) return planner.result;
		after = last.id;
		await setImmediate();
	}
}

function makePlanner(session: Session, sync: SyncSource, state: SourceState, context: PlanningContext) {
	const { stage } = session;
	const { source, mapping, lifecycle } = sync;
	const holdOf = makeHolding(session, state, context);
	const heldLosses = lossesHeld(session, state);
	const prospects = makeProspects(session, sync, context);
	const entitle = makeEntitling(sync.entitling, context);
	const pinningOf = makePinning(session, context.reverted);
	const result: PlanningResult = {
		...{ attributeCounts: new Map(), losses: new Map(), unlinked: [], losers: [] },
		...{ untold: prospects.untold, untoldRules: entitle.untold },
	};
	const managers = openManagers(session, state);
	let managerDn: Buffer | undefined;

	const managerOf = (dn: string): Anchor | undefined => {
		managerDn = managers.digestOf(dn);
		return managers.at(managerDn);
	};

	const plan = (row: StagedRow): void => {
		managerDn = undefined;
		const own = row.body === null ? undefined : (JSON.parse(row.body) as Account);
		const read = readRow(row);
		const found: Mapped | undefined =
			read.problem !== undefined ? { kind: "unmappable", reason: read.problem } : read.entry && mapping(read.entry, managerOf);
		const mapped = found && keptAs(found, own);
		const pinning = pinningOf(row.id);
		const match =
			pinning?.isOfState !== true &&
			sync.match !== undefined &&
			row.body === null &&
			read.presence?.kind === "present" &&
			mapped?.kind === "account"
				? findMatch(session, state.id, sync.match, row.id, mapped.account, isLet(read.presence.entry, context.at))
				: noMatch;
		const before = match.kind === "takes-over" ? (JSON.parse(match.account.body) as Account) : own;
		const primaryId = primaryIdOf(read.entry);
		const entry = read.presence?.kind === "present" ? read.presence.entry : undefined;
		const entitled = entry && entitle.entitle({ id: row.id, isRead: row.bytes !== null, primaryId }, entry, before);
		const situation: Situation | undefined = read.presence && {
			before: own && { account: own, cause: row.cause ?? undefined, endedAt: row.ended_at ?? undefined },
			presence: read.presence,
			mapped,
			entitled,
			lifecycle,
			at: context.at,
		};
		// Whoever brings an account along from another source, or waits for one, is another matter than what was pinned.
		const pinned = situation && match.kind === "none" ? pinning?.plan(situation) : undefined;
		if (situation === undefined) pinning?.stand();
		const planned =
			pinned?.planned ??
			(situation === undefined ? setAside(before, row, read.problem ?? "cannot be read") : planMatched(match, situation));
		if (entitled !== undefined) context.tally?.add(entitled, before, planned.desired);
		const lost = countAttributes(row, read.entry, read.old);
		const isShielded =
			row.presence === "present" && read.entry && context.protection !== undefined
				? isProtected(read.entry)
				: row.protected === 1 || context.shielded.has(row.id) || (read.old !== undefined && isProtected(read.old));
		const hasRegained = heldLosses.get(row.id)?.every((name) => read.entry?.attributes.has(name) === true) === true;
		const doubt = read.presence !== undefined && read.presence.kind !== "present" ? read.presence.doubt : undefined;
		const gone = read.presence === undefined || read.presence.kind === "present" ? undefined : read.presence.kind;
		const ownManager = managerDn;
		const sighting = { id: row.id, isRead: row.bytes !== null, entry, gone, primaryId, hasRegained, doubt };
		const problem = prospects.note({ ...sighting, pins: pinned?.standing ?? noPins }, managerOf);
		// Whom only a target's mapping names as manager is not what the account is found by when that one moves.
		managerDn = ownManager;
		const seen: Seen = { id: row.id, isNew: row.is_new === 1, isShielded, lost, hasRegained, doubt, groupsDoubt: entitled?.doubt };
		const isUntold = (entitled?.untold.length ?? 0) > 0 || entry?.standing === "unknown";
		write(row, before, { ...planned, quarantine: planned.quarantine ?? problem }, { ...seen, isUntold }, primaryId);
	};

	const readRow = (row: StagedRow): { entry?: Entry; old?: Entry; presence?: Presence; problem?: string } => {
		const old =
			row.old_bytes !== null && (row.bytes !== null || row.presence !== "present") ? decodeIfPossible(source, row.old_bytes) : undefined;
		const withOld = old === undefined ? {} : { old };
		if (row.presence === "present") {
			const bytes = row.bytes ?? row.old_bytes;
			if (bytes === null) return { ...withOld, problem: "its entry is not in the snapshot" };
			try {
				const entry = source.decode(bytes);
				if (context.scope !== undefined && !context.scope.has(row.id, primaryIdOf(entry))) {
					return { ...withOld, entry, presence: { kind: "out-of-scope", where: OUTSIDE, doubt: context.scope.doubt } };
				}
				return { ...withOld, entry, presence: { kind: "present", entry } };
			} catch (error) {
				if (!(error instanceof Failure)) throw error;
				return { ...withOld, problem: error.message };
			}
		}
		const evidence = row.evidence ?? "";
		const doubt = row.doubt ?? undefined;
		return {
			...withOld,
			presence: row.presence === "deleted" ? { kind: "deleted", evidence, doubt } : { kind: "out-of-scope", where: evidence, doubt },
		};
	};

	const keptAs = (found: Mapped, before: Account | undefined): Mapped | undefined => {
		if (found.kind !== "account") return found;
		const account = withKept(found.account, before, context.kept.everywhere);
		return account && { kind: "account", account };
	};

	const primaryIdOf = (entry: Entry | undefined): string | undefined =>
		source.primary === undefined ? undefined : entry?.attributes.get(source.primary.member)?.[0];

	const countAttributes = (row: StagedRow, entry: Entry | undefined, old: Entry | undefined): string | undefined => {
		const { attributeCounts, losses } = result;
		const was = row.gone === null ? old : undefined;
		if (row.bytes === null && row.presence === "present") return undefined;
		for (const name of entry?.attributes.keys() ?? []) attributeCounts.set(name, (attributeCounts.get(name) ?? 0) + 1);
		for (const name of was?.attributes.keys() ?? []) attributeCounts.set(name, (attributeCounts.get(name) ?? 0) - 1);
		if (was === undefined || entry === undefined) return undefined;
		const lost = lostAttributes(source, was, entry);
		if (isUnlinked(was, entry)) result.unlinked.push(row.id);
		for (const name of lost) losses.set(name, (losses.get(name) ?? 0) + 1);
		return lost.length > 0 ? lost.join(",") : undefined;
	};

	const isUnlinked = (was: Entry, entry: Entry): boolean => {
		const manager = was.attributes.get(LINK)?.[0];
		return manager !== undefined && !entry.attributes.has(LINK) && managers.at(managers.digestOf(manager)) !== undefined;
	};

	const isProtected = (entry: Entry): boolean => {
		const { protection } = context;
		if (protection === undefined) return false;
		if (protection.people.size === 0 && protection.containers.length === 0 && protection.primaryGroups.size === 0) return false;
		const group = entry.attributes.get("primarygroupid")?.[0];
		return coversDn(protection, dnKey(entry.dn)) || (group !== undefined && protection.primaryGroups.has(group));
	};

	const write = (
		row: StagedRow,
		before: Account | undefined,
		planned: PlannedAccount,
		seen: Seen & { readonly isUntold: boolean },
		primaryId: string | undefined,
	): void => {
		const { desired } = planned;
		const { isShielded, lost } = seen;
		const text = desired && JSON.stringify(desired);
		const claims = desired === undefined ? [] : claimsOf(desired);
		const had = before === undefined ? [] : claimsOf(before);
		const isGone = planned.changes.some(({ kind }) => kind === "delete");
		const reclaims = isGone || claims.join("\n") !== had.join("\n");
		stage.outcome({
			id: row.id,
			desired,
			desiredText: text,
			desiredDigest: text === undefined ? undefined : digest(text),
			cause: planned.cause,
			because: planned.because,
			endedAt: planned.endedAt,
			dueAt: planned.dueAt,
			quarantine: planned.quarantine,
			managerDnDigest: row.presence === "present" ? managerDn : undefined,
			primaryId,
			isShielded,
			reclaims,
			isUntold: seen.isUntold,
			lost,
		});
		if (reclaims && claims.length > 0) stage.claims([...new Set(claims)].map(spread), row.id);
		for (const change of planned.changes) {
			const isLoss = change.kind === "entitlement" && takesAway(before ?? {}, desired ?? {});
			if (isLoss) result.losers.push(row.id);
			const hold = holdOf({ ...change, isLoss }, seen);
			stage.planned(row.id, change.kind, change.why, change.cause, hold?.reason, hold?.because);
		}
	};

	return { plan, result };
}

/** An entry that cannot even be decoded: its account stays wholly as it was. */
function setAside(before: Account | undefined, row: StagedRow, reason: string): PlannedAccount {
	return {
		desired: before,
		changes: [],
		cause: row.cause ?? undefined,
		endedAt: row.ended_at ?? undefined,
		because: undefined,
		dueAt: undefined,
		quarantine: reason,
	};
}
