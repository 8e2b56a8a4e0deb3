import { digest } from "../lib/digest.ts";
import { keyLength, makeKeySum } from "../lib/key-sum.ts";
import type { Members, RawGroup, ReadGroup, Reading, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible } from "./attributes.ts";
import { type MemberIds, makeMemberIds } from "./member-ids.ts";
import { dnDigest } from "./reading.ts";

const PAGE = 500;

/** Groups that a full reading did not have; and how many it had, or a delta found changed. */
export interface StagedGroups {
	readonly seen: number;
	readonly unseen: readonly number[];
}

/** Reads all groups and stages what differs from the snapshot: fields, and members one by one. Call after the people are staged. */
export async function stageGroups(session: Session, source: Source, state: SourceState, reading: Reading): Promise<StagedGroups> {
	const { groups } = reading;
	if (groups === undefined || source.memberKeys === undefined) return { seen: 0, unseen: [] };
	const ids = makeMemberIds(session, source, source.memberKeys, state, reading.mode === "full");
	const isByDn = source.memberKeys === "dn";
	if (isByDn) session.stage.batch(() => takeOverStrangers(session, session.stage.strangersByDn(state.id)));
	const doubtful = isByDn ? groupsOfRenamed(session) : new Set<number>();
	const stager = makeStager(session, source, state, ids, doubtful);
	const seen = new Set<number>();
	for await (const page of groups.pages) {
		session.stage.batch(() => {
			for (const group of page) {
				const id = stager.stage(group);
				if (id !== undefined) seen.add(id);
			}
			session.groupStage.flush();
		});
	}
	if (isByDn) {
		session.stage.batch(() => {
			takeOverStrangers(session, session.groupStage.strangersByDn(state.id));
			forgetSums(session, doubtful, seen);
		});
	}
	const known = reading.mode === "full" && state.id !== 0 ? session.groups.present(state.id) : [];
	return { seen: seen.size, unseen: known.filter(({ id }) => !seen.has(id)).map(({ id }) => id) };
}

/** Somebody known who has a DN now that groups name: until now nobody whom we know had it. The same of a group. */
function takeOverStrangers({ groups, groupStage }: Session, found: readonly { readonly id: number; readonly stranger: number }[]): void {
	if (found.length === 0) return;
	groupStage.flush();
	groupStage.indexMembers();
	for (const { id, stranger } of found) {
		for (const group of new Set([...groups.groupsOf(stranger), ...groupStage.groupsOf(stranger)])) {
			groupStage.member(group, stranger, false);
			groupStage.member(group, id, true);
		}
	}
	groupStage.flush();
}

/** Groups with a member who has another DN now: that they name the same DNs as before does not mean the same people any more. */
function groupsOfRenamed({ stage, groups }: Session): Set<number> {
	const doubtful = new Set<number>();
	for (let after = 0; ; ) {
		const page = stage.moved(after, PAGE);
		for (const { id, dn_digest, old_dn_digest } of page) {
			after = id;
			if (dn_digest === null || old_dn_digest === null) continue;
			for (const group of groups.groupsOf(id)) doubtful.add(group);
		}
		if (page.length < PAGE) return doubtful;
	}
}

/** Those of them that were not handed out, and those that name a renamed group, are compared member by member at their next reading. */
function forgetSums({ groups, groupStage }: Session, doubtful: ReadonlySet<number>, seen: ReadonlySet<number>): void {
	const left = new Set([...doubtful].filter((id) => !seen.has(id)));
	for (const id of groupStage.renamed()) for (const group of groups.groupsOf(id)) if (!groupStage.has(group)) left.add(group);
	for (const id of left) {
		groupStage.known(id);
		groupStage.forgetSum(id);
	}
}

/** `doubtful`: groups whose members have to be compared one by one. */
function makeStager(session: Session, source: Source, state: SourceState, ids: MemberIds, doubtful: ReadonlySet<number>) {
	const { groups, groupStage } = session;

	const whole = (group: RawGroup, members: Members): number => {
		const known = groups.byAnchor(state.id, source.anchor(group.key));
		const id = known?.id ?? ids.idOfGroup(group);
		const sum = makeKeySum();
		sum.add(members.keys);
		const membersSum = sum.bytes();
		const isSame = known !== undefined && known.gone === null && !doubtful.has(id) && known.members_sum.equals(membersSum);
		if (isSame && !groupStage.has(id) && isUnchanged(group, known)) return id;
		put(group, id, known === undefined, membersSum);
		// An entry that moves between two pages comes twice: the later one stands.
		groupStage.forgetMembers(id);
		if (!isSame) stageMembers(id, known === undefined ? [] : groups.members(id), members);
		return id;
	};

	const changed = (group: RawGroup, added: Members, removed: Members): number | undefined => {
		const known = groups.byAnchor(state.id, source.anchor(group.key));
		if (known === undefined) return undefined;
		const { id } = known;
		const sum = makeKeySum(known.members_sum);
		// A change may be told twice, or of a state that the snapshot has already: only what differs moves the sum.
		each(removed, (key, name) => {
			const member = ids.idOf(key, name);
			if (!groups.isMember(id, member)) return;
			sum.remove(key);
			groupStage.member(id, member, false);
		});
		each(added, (key, name) => {
			const member = ids.idOf(key, name);
			if (groups.isMember(id, member)) return;
			sum.add(key);
			groupStage.member(id, member, true);
		});
		put(group, id, false, sum.bytes());
		return id;
	};

	const isUnchanged = (group: RawGroup, known: { readonly digest: Buffer; readonly in_scope: number }): boolean =>
		known.digest.equals(digest(group.raw)) && (known.in_scope === 1) === group.isInScope;

	const put = (group: RawGroup, id: number, isNew: boolean, membersSum: Buffer): void => {
		const entry = source.primary === undefined ? undefined : decodeIfPossible(source, group.raw);
		groupStage.put({
			id,
			anchor: source.anchor(group.key),
			key: group.key,
			dnDigest: dnDigest(source.dn(group.raw)),
			digest: digest(group.raw),
			bytes: group.raw,
			membersSum,
			primaryId: source.primary && entry?.attributes.get(source.primary.group)?.[0],
			isInScope: group.isInScope,
			isNew,
		});
	};

	const stageMembers = (id: number, before: readonly number[], now: Members): void => {
		const left = new Set(before);
		each(now, (key, name) => {
			const member = ids.idOf(key, name);
			if (!left.delete(member)) groupStage.member(id, member, true);
		});
		for (const member of left) groupStage.member(id, member, false);
	};

	return {
		/** Returns the group's id, when there is anything to say of it. */
		stage: (read: ReadGroup): number | undefined => {
			if (read.kind === "whole") return whole(read.group, read.members);
			if (read.kind === "changed") return changed(read.group, read.added, read.removed);
			const known = groups.byAnchor(state.id, source.anchor(read.key));
			if (known !== undefined && known.gone === null) groupStage.gone(known.id, "deleted", "its tombstone was seen", undefined);
			return known?.id;
		},
	};
}

function each(members: Members, visit: (key: Uint8Array, name: () => string) => void): void {
	for (let index = 0; index < members.count; index++) {
		visit(members.keys.subarray(index * keyLength, (index + 1) * keyLength), () => members.nameOf(index));
	}
}
