import { makeKeySum } from "../lib/key-sum.ts";
import type { ScopeGroup } from "../source/source.ts";
import type { Connection } from "./database.ts";
import type { GroupLedger } from "./group-ledger.ts";
import type { PinnedGroup } from "./groups.ts";

/** What a run that read groups leaves behind of them. */
export interface GroupCommitRequest {
	readonly run: number;
	readonly sourceId: number;
	readonly digestOf: (body: string) => Buffer;
	/** How members are named: see Source.memberKeys. Undefined: the source reads no groups. */
	readonly memberKeys: "anchor" | "dn" | undefined;
	/** Undefined: this run did not read. */
	readonly reading:
		| {
				readonly scopeGroups: readonly ScopeGroup[] | undefined;
				readonly ruleGroups: readonly PinnedGroup[];
				readonly strategy: string;
				/** The groups' scope, where the reading was sealed: until then what it shows less is our doing. */
				readonly groupScope: string | undefined;
		  }
		| undefined;
}

/** Carries the groups' side of a judged stage into the database, inside the run's one transaction, after the accounts'. */
export function openGroupCommit(db: Connection, ledger: GroupLedger) {
	const run = (sql: string) => db.prepare<[number]>(sql);
	const snapshotSteps = [
		run(`INSERT INTO groups (id, source_id, anchor, anchor_key, dn_digest, digest, bytes, members_sum, primary_id, in_scope)
			SELECT id, ?, anchor, anchor_key, dn_digest, digest, bytes, members_sum, primary_id, in_scope FROM staged_groups WHERE is_new = 1`),
		run(`UPDATE groups SET dn_digest = s.dn_digest, digest = s.digest, bytes = s.bytes, members_sum = s.members_sum, primary_id = s.primary_id, in_scope = s.in_scope,
			gone = nullif(s.presence, 'present'), gone_evidence = s.evidence, gone_doubt = s.doubt
			FROM staged_groups s WHERE groups.id = +s.id AND s.is_new = 0 AND groups.source_id = ?`),
		// A stranger that is an entry or a group now keeps its id, and is none any more.
		run(`INSERT INTO strangers (id, source_id, key, name) SELECT x.id, ?, x.key, x.name FROM staged_strangers x
			WHERE NOT EXISTS (SELECT 1 FROM groups g WHERE g.id = x.id) AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.id = x.id)`),
		run(
			`DELETE FROM strangers WHERE source_id = ? AND (id IN (SELECT id FROM staged_groups) OR id IN (SELECT id FROM staged WHERE is_new = 1))`,
		),
	];
	const steps = (statements: readonly string[]) => statements.map((sql) => db.prepare(sql));
	const memberSteps = steps([
		"DELETE FROM members WHERE EXISTS (SELECT 1 FROM staged_members x WHERE x.added = 0) AND (group_id, member_id) IN (SELECT group_id, member_id FROM staged_members WHERE added = 0)",
		"INSERT OR IGNORE INTO members (group_id, member_id) SELECT group_id, member_id FROM staged_members WHERE added = 1",
		// What is gone for certain has no members, and is none.
		"DELETE FROM members WHERE group_id IN (SELECT id FROM staged_groups WHERE presence <> 'present' AND doubt IS NULL)",
		`INSERT INTO primary_members (member_id, source_id, primary_id)
			SELECT o.id, e.source_id, o.primary_id FROM outcomes o JOIN entries e ON e.id = o.id WHERE o.primary_id IS NOT NULL AND e.gone IS NULL
			ON CONFLICT DO UPDATE SET primary_id = excluded.primary_id WHERE primary_id IS NOT excluded.primary_id`,
		"DELETE FROM primary_members WHERE member_id IN (SELECT id FROM staged WHERE presence = 'deleted' AND doubt IS NULL)",
	]);
	// CROSS JOIN begins with the stage, which is small in a delta: SQLite itself would walk all members, 11 ms for 200,000.
	const deletedMembers = db.prepare<
		[],
		{ group_id: number; member_id: number; members_sum: Buffer; anchor_key: Buffer; dn_digest: Buffer }
	>(
		`SELECT m.group_id, m.member_id, g.members_sum, e.anchor_key, e.dn_digest FROM staged s CROSS JOIN entries e ON e.id = s.id CROSS JOIN members m ON m.member_id = s.id CROSS JOIN groups g ON g.id = m.group_id
		WHERE s.presence = 'deleted' AND s.doubt IS NULL ORDER BY m.group_id`,
	);
	const setSum = db.prepare<[Buffer, number]>("UPDATE groups SET members_sum = ? WHERE id = ?");
	const dropMember = db.prepare<[number, number]>("DELETE FROM members WHERE group_id = ? AND member_id = ?");

	const bodies = db.prepare<[], { id: number; kind: string; desired: string | null }>(
		"SELECT id, kind, desired FROM planned_groups WHERE passed = 1 AND (kind = 'delete' OR (kind <> 'remove' AND desired IS NOT NULL)) ORDER BY id",
	);
	const oldBody = db.prepare<[number]>("SELECT body FROM groups WHERE id = ?").pluck();
	const setBody = db.prepare<[string | null, number]>("UPDATE groups SET body = ? WHERE id = ?");
	const passedRemoval = "EXISTS (SELECT 1 FROM planned_groups p WHERE p.id = x.group_id AND p.kind = 'remove' AND p.passed = 1)";
	const membershipSteps = {
		removed: db.prepare(
			`DELETE FROM memberships WHERE EXISTS (SELECT 1 FROM staged_memberships x WHERE x.added = 0)
			AND (group_id, account_id) IN (SELECT x.group_id, x.account_id FROM staged_memberships x WHERE x.added = 0 AND ${passedRemoval})`,
		),
		added: db.prepare(
			"INSERT OR IGNORE INTO memberships (group_id, account_id) SELECT group_id, account_id FROM staged_memberships WHERE added = 1",
		),
		goneGroups: db.prepare(
			"DELETE FROM memberships WHERE group_id IN (SELECT id FROM planned_groups WHERE kind = 'delete' AND passed = 1)",
		),
		goneAccounts: db.prepare("DELETE FROM memberships WHERE account_id IN (SELECT id FROM planned WHERE kind = 'delete' AND passed = 1)"),
	};
	const count = db.prepare<[number, number]>("UPDATE sources SET memberships = memberships + ? WHERE id = ?");
	const setReading = db.prepare<[string, string | null, string, string | null, number]>(
		"UPDATE sources SET strategy = ?, scope_groups = ?, rule_groups = ?, group_scope = coalesce(?, group_scope) WHERE id = ?",
	);
	const clearHeldMembers = db.prepare<[number]>("DELETE FROM held_members WHERE source_id = ?");
	const holdMembers = db.prepare<[number]>(
		`INSERT OR IGNORE INTO held_members (group_id, account_id, source_id) SELECT x.group_id, x.account_id, ? FROM staged_memberships x
		WHERE x.added = 0 AND EXISTS (SELECT 1 FROM planned_groups p WHERE p.id = x.group_id AND p.kind = 'remove' AND p.passed = 0)`,
	);

	/** Who was deleted is in no group any more, although no group's own mark moves with it: the sums are set right by hand. */
	const forgetDeleted = (memberKeys: "anchor" | "dn"): void => {
		let group: { readonly id: number; readonly sum: ReturnType<typeof makeKeySum> } | undefined;
		const finish = (): void => {
			if (group !== undefined) setSum.run(group.sum.bytes(), group.id);
		};
		for (const row of deletedMembers.all()) {
			if (group?.id !== row.group_id) {
				finish();
				group = { id: row.group_id, sum: makeKeySum(row.members_sum) };
			}
			group.sum.remove(memberKeys === "anchor" ? row.anchor_key : row.dn_digest);
			dropMember.run(row.group_id, row.member_id);
		}
		finish();
	};

	const writeBodies = ({ run: runId, digestOf }: GroupCommitRequest): void => {
		for (const { id, kind, desired } of bodies.all()) {
			const before = (oldBody.get(id) as string | null | undefined) ?? null;
			const after = kind === "delete" ? null : desired;
			if (after === before) continue;
			setBody.run(after, id);
			ledger.want(id, after === null ? undefined : digestOf(after), before, runId);
		}
	};

	return {
		commit: (request: GroupCommitRequest): void => {
			const { sourceId, memberKeys, reading, run: runId } = request;
			if (reading !== undefined)
				setReading.run(
					reading.strategy,
					reading.scopeGroups === undefined ? null : JSON.stringify(reading.scopeGroups),
					JSON.stringify(reading.ruleGroups),
					reading.groupScope ?? null,
					sourceId,
				);
			if (memberKeys === undefined) return;
			for (const step of snapshotSteps) step.run(sourceId);
			for (const step of memberSteps) step.run();
			forgetDeleted(memberKeys);
			writeBodies(request);
			ledger.wantMembers(runId);
			const { removed, added, goneGroups, goneAccounts } = membershipSteps;
			const gone = removed.run().changes + goneGroups.run().changes + goneAccounts.run().changes;
			count.run(added.run().changes - gone, sourceId);
			clearHeldMembers.run(sourceId);
			holdMembers.run(sourceId);
		},
	};
}
