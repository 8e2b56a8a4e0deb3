/** A run, of `runs r JOIN sources s`. */
export const runColumns = `r.id, s.name AS source, r.mode, r."trigger", r.started_at, r.ended_at, r.outcome, r.sealed, r.unsealed, r.full_because, r.server, r.error,
	r.entries_read, r.created, r.updated, r.disabled, r.enabled, r.deleted, r.entitlements, r.held, r.quarantined, r.reverts`;

/** An account's state at a target, of `ledger l` and `accounts a`: what a person asks for first comes first. */
export const stateAtTarget = `CASE WHEN l.released_at IS NOT NULL THEN 'released' WHEN l.error IS NOT NULL THEN 'failed' WHEN l.pending = 1 THEN 'pending'
	WHEN EXISTS (SELECT 1 FROM held h WHERE h.source_id = a.source_id AND h.entry_id = a.id AND h.target IN ('', t.name)) THEN 'held' ELSE 'applied' END`;

/**
 * An account with its targets, groups and pins. CROSS JOIN is SQLite's way to say where to begin: without statistics it walks the whole
 * ledger for each account. Of `accounts a JOIN entries e JOIN sources s`. */
export const accountColumns = `a.id, s.name AS source, e.anchor, a.body, a.because,
	(SELECT json_group_array(json_object('target', t.name, 'state', ${stateAtTarget}, 'remoteId', l.remote_id, 'error', l.error))
		FROM targets t CROSS JOIN ledger l ON l.target_id = t.id AND l.account_id = a.id) AS targets,
	(SELECT json_group_array(n.name) FROM (SELECT g.body ->> '$.displayName' AS name FROM memberships m JOIN groups g ON g.id = m.group_id WHERE m.account_id = a.id ORDER BY 1) n) AS groups,
	(SELECT json_group_array(json_object('part', p.part, 'kept', p.kept, 'run', p.run_id, 'by', p.pinned_by, 'at', p.pinned_at)) FROM pins p WHERE p.entry_id = a.id) AS pins`;

/** A group with its targets, of `groups g JOIN sources s`. */
export const groupColumns = `g.id, s.name AS source, g.anchor, g.body, (SELECT count(*) FROM memberships m WHERE m.group_id = g.id) AS members,
	(SELECT json_group_array(json_object('target', t.name, 'pending', l.pending, 'remoteId', l.remote_id, 'error', l.error)) FROM targets t CROSS JOIN group_ledger l ON l.target_id = t.id AND l.group_id = g.id) AS targets`;

/** A row of the change log. */
export const changeColumns = "sequence, at, run_id, source, target, subject, kind, anchor, name, why, before, after, result";

/** A member of a group, of `memberships m JOIN accounts a JOIN entries e`. */
export const memberColumns = `m.account_id AS id, e.anchor, a.user_name, a.active, EXISTS (SELECT 1 FROM members d WHERE d.group_id = m.group_id AND d.member_id = m.account_id)
	OR EXISTS (SELECT 1 FROM primary_members p JOIN groups g ON g.source_id = p.source_id AND g.primary_id = p.primary_id WHERE p.member_id = m.account_id AND g.id = m.group_id) AS is_direct`;
