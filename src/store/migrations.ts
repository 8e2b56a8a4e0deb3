import type { Migration } from "./migration.ts";
import { accountsInOrder } from "./migration-9.ts";

export const migrations: readonly Migration[] = [
	{
		version: 1,
		name: "first schema",
		sql: `
CREATE TABLE sources (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	cursor TEXT,
	identity TEXT,             -- what the last committed reading was made with: a change of these two makes no automatic ends
	scope TEXT,
	attributes TEXT,           -- JSON list; a change wants a full reading
	rules TEXT,                -- mapping, lifecycle: a change is planned against the snapshot
	last_full_at INTEGER,
	last_full_sealed INTEGER,
	last_full_read INTEGER,
	-- Counted at each commit: a scrape or a delta must not walk tables to know them.
	entries INTEGER NOT NULL DEFAULT 0,
	gone_entries INTEGER NOT NULL DEFAULT 0,
	active_accounts INTEGER NOT NULL DEFAULT 0,
	inactive_accounts INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE runs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	source_id INTEGER NOT NULL REFERENCES sources(id),
	mode TEXT NOT NULL,
	"trigger" TEXT NOT NULL,
	started_at INTEGER NOT NULL,
	ended_at INTEGER,
	outcome TEXT NOT NULL,
	sealed INTEGER NOT NULL DEFAULT 0,
	unsealed TEXT NOT NULL DEFAULT '[]',
	full_because TEXT,
	server TEXT,
	error TEXT,
	entries_read INTEGER NOT NULL DEFAULT 0,
	created INTEGER NOT NULL DEFAULT 0,
	updated INTEGER NOT NULL DEFAULT 0,
	disabled INTEGER NOT NULL DEFAULT 0,
	enabled INTEGER NOT NULL DEFAULT 0,
	deleted INTEGER NOT NULL DEFAULT 0,
	held INTEGER NOT NULL DEFAULT 0,
	quarantined INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_by_source ON runs (source_id, id);

-- The snapshot, hot columns apart from the entry's bytes: comparing reads this one only.
CREATE TABLE entries (
	id INTEGER PRIMARY KEY,
	source_id INTEGER NOT NULL REFERENCES sources(id),
	anchor TEXT NOT NULL,
	anchor_key BLOB NOT NULL,
	digest BLOB NOT NULL,
	dn_digest BLOB NOT NULL,
	gone TEXT,                 -- out-of-scope or deleted; null while it is there
	gone_evidence TEXT,
	gone_doubt TEXT,
	protected INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX entries_by_anchor ON entries (source_id, anchor);
CREATE INDEX entries_by_dn ON entries (source_id, dn_digest);
CREATE INDEX entries_protected ON entries (source_id) WHERE protected = 1;
CREATE TABLE entry_bytes (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);

-- Every name that a container had since the last full reading: people who vanished are known by the one of their day.
CREATE TABLE containers (
	source_id INTEGER NOT NULL,
	dn TEXT NOT NULL,
	anchor TEXT NOT NULL,
	is_current INTEGER NOT NULL,
	PRIMARY KEY (source_id, dn)
) WITHOUT ROWID;
CREATE INDEX containers_by_anchor ON containers (source_id, anchor);
CREATE TABLE attribute_counts (source_id INTEGER NOT NULL, attribute TEXT NOT NULL, entries INTEGER NOT NULL, PRIMARY KEY (source_id, attribute)) WITHOUT ROWID;

-- One account per entry, under the same id.
CREATE TABLE accounts (
	id INTEGER PRIMARY KEY,
	source_id INTEGER NOT NULL,
	user_name TEXT NOT NULL,
	body TEXT NOT NULL,        -- Account as JSON, fields in their order
	active INTEGER NOT NULL,
	cause TEXT,
	because TEXT,
	ended_at INTEGER,
	due_at INTEGER,
	manager_dn_digest BLOB
);
CREATE INDEX accounts_due ON accounts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX accounts_by_manager ON accounts (manager_dn_digest) WHERE manager_dn_digest IS NOT NULL;
-- Claims are numbers made of their text (lib/spread): whoever finds two accounts under one compares the texts.
CREATE TABLE claims (claim INTEGER NOT NULL, account_id INTEGER NOT NULL, PRIMARY KEY (claim, account_id)) WITHOUT ROWID;

CREATE TABLE held (
	source_id INTEGER NOT NULL,
	entry_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	why TEXT NOT NULL,
	cause TEXT,
	name TEXT NOT NULL,
	reason TEXT NOT NULL,      -- limit, view, protected, doubt, attribute-loss
	because TEXT NOT NULL,
	before TEXT,
	after TEXT,
	plan TEXT NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (source_id, entry_id, kind)
) WITHOUT ROWID;
CREATE TABLE rejected (entry_id INTEGER NOT NULL, kind TEXT NOT NULL, outcome BLOB NOT NULL, rejected_by TEXT NOT NULL, rejected_at INTEGER NOT NULL, PRIMARY KEY (entry_id, kind)) WITHOUT ROWID;
CREATE TABLE quarantine (
	source_id INTEGER NOT NULL,
	entry_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	reason TEXT NOT NULL,
	since INTEGER NOT NULL,
	PRIMARY KEY (source_id, entry_id)
) WITHOUT ROWID;

CREATE TABLE targets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE ledger (
	target_id INTEGER NOT NULL REFERENCES targets(id),
	account_id INTEGER NOT NULL,
	wanted BLOB,               -- digest of the account's body; null: to be deleted
	applied BLOB,              -- digest of what the target has; null: nothing
	applied_body TEXT,         -- only while it differs from what is wanted
	remote_id TEXT,
	origin TEXT,               -- created or adopted
	kind TEXT NOT NULL,        -- the kind of change that is open
	step INTEGER NOT NULL,     -- 0 ends, 1 renames, 2 the rest: names are freed before they are taken
	intent_at INTEGER,         -- a create was sent and its answer has not been seen
	run_id INTEGER NOT NULL,
	attempts INTEGER NOT NULL DEFAULT 0,
	next_at INTEGER,
	error TEXT,
	pending INTEGER NOT NULL,
	PRIMARY KEY (target_id, account_id)
) WITHOUT ROWID;
CREATE INDEX ledger_pending ON ledger (target_id, step, account_id) WHERE pending = 1;

CREATE TABLE changes (
	sequence INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	source TEXT NOT NULL,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	anchor TEXT NOT NULL,
	name TEXT NOT NULL,
	why TEXT NOT NULL,
	before TEXT,
	after TEXT,
	result TEXT NOT NULL,
	digest BLOB NOT NULL       -- SHA-256 over the digest of the row before and this row
);
CREATE INDEX changes_by_run ON changes (run_id);
CREATE TABLE chain (id INTEGER PRIMARY KEY CHECK (id = 1), first_sequence INTEGER NOT NULL, digest_before BLOB NOT NULL);
INSERT INTO chain VALUES (1, 1, zeroblob(32));

-- The embedded account store: the target of type local. Nothing but that target reads or writes it.
CREATE TABLE local_accounts (
	id INTEGER PRIMARY KEY,
	target TEXT NOT NULL,
	external_id TEXT NOT NULL,
	user_name TEXT NOT NULL COLLATE NOCASE,
	active INTEGER NOT NULL,
	body TEXT NOT NULL
);
CREATE UNIQUE INDEX local_accounts_by_external_id ON local_accounts (target, external_id);
CREATE UNIQUE INDEX local_accounts_by_user_name ON local_accounts (target, user_name);
`,
	},
	{
		version: 2,
		name: "groups",
		sql: `
ALTER TABLE sources ADD COLUMN strategy TEXT;      -- how changes are found, for a person
ALTER TABLE sources ADD COLUMN group_scope TEXT;   -- which groups are kept: a change of it deletes none by itself
ALTER TABLE sources ADD COLUMN scope_groups TEXT;  -- JSON list of {dnKey, anchor}; null: everyone is in scope
ALTER TABLE sources ADD COLUMN memberships INTEGER NOT NULL DEFAULT 0;

-- Groups take their ids from the counter of entries: a member may be either. Kept are those in scope and those within them.
CREATE TABLE groups (
	id INTEGER PRIMARY KEY,
	source_id INTEGER NOT NULL REFERENCES sources(id),
	anchor TEXT NOT NULL,
	anchor_key BLOB NOT NULL,
	dn_digest BLOB NOT NULL,
	digest BLOB NOT NULL,
	bytes BLOB NOT NULL,
	members_sum BLOB NOT NULL, -- of the members' keys, whatever their order (lib/key-sum)
	primary_id TEXT,           -- what its members by primary group have in their own entry
	in_scope INTEGER NOT NULL,
	gone TEXT,
	gone_evidence TEXT,
	gone_doubt TEXT,
	body TEXT                  -- Group as JSON, as the targets are to have it; null: not at all
);
CREATE UNIQUE INDEX groups_by_anchor ON groups (source_id, anchor);
CREATE INDEX groups_by_dn ON groups (source_id, dn_digest);

-- Direct members: people, groups, and strangers, which are all that is no entry of ours. 24 bytes a membership, both ways.
CREATE TABLE members (group_id INTEGER NOT NULL, member_id INTEGER NOT NULL, PRIMARY KEY (group_id, member_id)) WITHOUT ROWID;
CREATE INDEX members_by_member ON members (member_id);
CREATE TABLE strangers (id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL, key BLOB NOT NULL, name TEXT NOT NULL);
CREATE UNIQUE INDEX strangers_by_key ON strangers (source_id, key);
CREATE TABLE primary_members (member_id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL, primary_id TEXT NOT NULL);
CREATE INDEX primary_members_by_group ON primary_members (source_id, primary_id);

-- Accounts in groups, nested ones included, as the targets are to have them.
CREATE TABLE memberships (group_id INTEGER NOT NULL, account_id INTEGER NOT NULL, PRIMARY KEY (group_id, account_id)) WITHOUT ROWID;
CREATE INDEX memberships_by_account ON memberships (account_id);

ALTER TABLE held ADD COLUMN subject TEXT NOT NULL DEFAULT 'account';
ALTER TABLE held ADD COLUMN effect TEXT;            -- of a group's change: what it would do, for a rejection to remember
-- Memberships whose end is held: they are planned again at every run.
CREATE TABLE held_members (group_id INTEGER NOT NULL, account_id INTEGER NOT NULL, source_id INTEGER NOT NULL, PRIMARY KEY (group_id, account_id)) WITHOUT ROWID;

CREATE TABLE group_ledger (
	target_id INTEGER NOT NULL REFERENCES targets(id),
	group_id INTEGER NOT NULL,
	wanted BLOB,
	applied BLOB,
	applied_body TEXT,
	remote_id TEXT,
	origin TEXT,
	intent_at INTEGER,
	run_id INTEGER NOT NULL,
	attempts INTEGER NOT NULL DEFAULT 0,
	next_at INTEGER,
	error TEXT,
	pending INTEGER NOT NULL,
	PRIMARY KEY (target_id, group_id)
) WITHOUT ROWID;
CREATE INDEX group_ledger_pending ON group_ledger (target_id, group_id) WHERE pending = 1;
-- Only what a target does not have yet: everything else is as memberships has it.
CREATE TABLE member_ledger (target_id INTEGER NOT NULL, group_id INTEGER NOT NULL, account_id INTEGER NOT NULL, wanted INTEGER NOT NULL, PRIMARY KEY (target_id, group_id, account_id)) WITHOUT ROWID;

CREATE TABLE local_groups (id INTEGER PRIMARY KEY, target TEXT NOT NULL, external_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX local_groups_by_external_id ON local_groups (target, external_id);
CREATE TABLE local_members (group_id INTEGER NOT NULL, account_id INTEGER NOT NULL, PRIMARY KEY (group_id, account_id)) WITHOUT ROWID;
CREATE INDEX local_members_by_account ON local_members (account_id);
`,
	},
	{
		version: 3,
		name: "remote targets",
		sql: `
ALTER TABLE ledger ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- counts what was wanted: with run_id it names a change for all its retries
ALTER TABLE ledger ADD COLUMN external_id TEXT;    -- the externalId it has there, when that is not its anchor
ALTER TABLE ledger ADD COLUMN before_image TEXT;   -- of an adopted account: as it was found, as JSON
ALTER TABLE ledger ADD COLUMN released_at INTEGER; -- left alone since: read back, it was not as we had left it
ALTER TABLE ledger ADD COLUMN found BLOB;          -- digest of what reading back found instead of what was applied, the last time
ALTER TABLE group_ledger ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE group_ledger ADD COLUMN before_image TEXT;
ALTER TABLE member_ledger ADD COLUMN next_at INTEGER; -- refused by itself: not tried before

-- Why a target takes nothing at all, since when, and when it is tried again.
ALTER TABLE targets ADD COLUMN trouble TEXT;
ALTER TABLE targets ADD COLUMN trouble_hint TEXT;
ALTER TABLE targets ADD COLUMN trouble_since INTEGER;
ALTER TABLE targets ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE targets ADD COLUMN retry_at INTEGER;
ALTER TABLE targets ADD COLUMN read_back_at INTEGER;
ALTER TABLE targets ADD COLUMN read_back TEXT;     -- what the last reading back found, as JSON
`,
	},
	{
		version: 4,
		name: "file targets",
		sql: `
-- Of each target that is a file; its accounts and groups are in local_accounts, local_groups and local_members, its mirror.
CREATE TABLE file_targets (
	target TEXT PRIMARY KEY,
	version INTEGER NOT NULL DEFAULT 0, -- counts what was applied to the mirror
	written INTEGER,                    -- the version that the file holds
	shape TEXT,                         -- how it was written
	stamp TEXT,                         -- inode, size and time of the file as it was left
	length INTEGER                      -- of a file of changes: octets whose changes are in the mirror
) WITHOUT ROWID;
-- In LDIF a group's name is its DN.
CREATE INDEX local_groups_by_name ON local_groups (target, body ->> '$.displayName' COLLATE NOCASE);
`,
	},
	{
		version: 5,
		name: "views of targets",
		sql: `
ALTER TABLE sources ADD COLUMN rule_groups TEXT;   -- JSON list of {dnKey, anchor}: groups that rules name, as the last reading found them
-- A target that ever had a view of its own is planned account by account, also when it has none any more: what differs must be found.
ALTER TABLE targets ADD COLUMN has_view INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN body TEXT;           -- what is wanted there, where it is not what accounts has
ALTER TABLE ledger ADD COLUMN is_outside INTEGER NOT NULL DEFAULT 0; -- the person is out of the target's own scope
-- By what a source's people were last chosen for a target: another text ends nobody by itself.
CREATE TABLE target_scopes (target_id INTEGER NOT NULL, source_id INTEGER NOT NULL, scope TEXT NOT NULL, PRIMARY KEY (target_id, source_id)) WITHOUT ROWID;

-- A change may be held or rejected at one target alone: then it has its name; '' is the account itself.
CREATE TABLE held_anew (
	source_id INTEGER NOT NULL,
	entry_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	why TEXT NOT NULL,
	cause TEXT,
	name TEXT NOT NULL,
	reason TEXT NOT NULL,
	because TEXT NOT NULL,
	before TEXT,
	after TEXT,
	plan TEXT NOT NULL,
	since INTEGER NOT NULL,
	subject TEXT NOT NULL,
	effect TEXT,
	PRIMARY KEY (source_id, entry_id, kind, target)
) WITHOUT ROWID;
INSERT INTO held_anew (source_id, entry_id, kind, target, why, cause, name, reason, because, before, after, plan, since, subject, effect)
	SELECT source_id, entry_id, kind, '', why, cause, name, reason, because, before, after, plan, since, subject, effect FROM held;
DROP TABLE held;
ALTER TABLE held_anew RENAME TO held;
CREATE TABLE rejected_anew (
	entry_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	outcome BLOB NOT NULL,
	rejected_by TEXT NOT NULL,
	rejected_at INTEGER NOT NULL,
	PRIMARY KEY (entry_id, kind, target)
) WITHOUT ROWID;
INSERT INTO rejected_anew (entry_id, kind, target, outcome, rejected_by, rejected_at) SELECT entry_id, kind, '', outcome, rejected_by, rejected_at FROM rejected;
DROP TABLE rejected;
ALTER TABLE rejected_anew RENAME TO rejected;
-- Deliveries that were not tried yet are told from those that were.
DROP INDEX ledger_pending;
CREATE INDEX ledger_pending ON ledger (target_id, step, attempts > 0, account_id) WHERE pending = 1;
`,
	},
	{
		version: 6,
		name: "features and policies",
		sql: `
ALTER TABLE runs ADD COLUMN entitlements INTEGER NOT NULL DEFAULT 0; -- accounts whose features or policies changed
ALTER TABLE runs ADD COLUMN reverts INTEGER;       -- the run that this one takes back
ALTER TABLE entries ADD COLUMN read_run INTEGER;   -- the run that read these bytes
-- The target whose own doing a change is; it counts in the chain only where there is one.
ALTER TABLE changes ADD COLUMN target TEXT;
CREATE INDEX changes_by_anchor ON changes (anchor);
-- Where the chain ends: rows that are cut off at its end are missed by nothing else.
ALTER TABLE chain ADD COLUMN last_sequence INTEGER;
ALTER TABLE chain ADD COLUMN last_digest BLOB;
UPDATE chain SET last_sequence = coalesce((SELECT max(sequence) FROM changes), first_sequence - 1),
	last_digest = coalesce((SELECT digest FROM changes ORDER BY sequence DESC LIMIT 1), digest_before);
-- What is kept of an account since a run was taken back, as long as the directory says what it said then, or until somebody unpins it.
CREATE TABLE pins (
	entry_id INTEGER NOT NULL,
	part TEXT NOT NULL,        -- state, a field's name, "feature NAME" or "policy NAME"
	ignored TEXT NOT NULL,     -- what the directory said: JSON; of the state the causes for which it ends the account
	kept TEXT NOT NULL,        -- JSON
	body TEXT,                 -- of an account to be made again: what it was
	name TEXT NOT NULL,
	run_id INTEGER NOT NULL,   -- the run that was taken back
	pinned_by TEXT NOT NULL,
	pinned_at INTEGER NOT NULL,
	PRIMARY KEY (entry_id, part)
) WITHOUT ROWID;
-- People to be planned anew by the next run, though the directory says nothing of them.
CREATE TABLE planned_anew (id INTEGER PRIMARY KEY AUTOINCREMENT, source_id INTEGER NOT NULL, entry_id INTEGER NOT NULL);
-- How many accounts have each feature, and each value of each policy: a scrape must not walk accounts to know.
CREATE TABLE entitlement_counts (kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, accounts INTEGER NOT NULL, PRIMARY KEY (kind, name, value)) WITHOUT ROWID;
`,
	},
	{
		version: 7,
		name: "who was told",
		sql: `
-- What is not as it should be, and whether anybody was told: a restart neither repeats nor forgets.
CREATE TABLE matters (key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
-- What is to be sent, or was: at most one that was not of a channel and a matter.
CREATE TABLE notices (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	channel TEXT NOT NULL,
	matter TEXT NOT NULL,      -- key and beginning of the matter, or of a report its own name
	body TEXT NOT NULL,        -- JSON: what there is to say
	at INTEGER NOT NULL,
	sent_at INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	due_at INTEGER NOT NULL,
	error TEXT
);
CREATE INDEX notices_by_matter ON notices (channel, matter);
CREATE INDEX notices_open ON notices (due_at) WHERE sent_at IS NULL;
-- What is held is counted without reading before and after of each: of 100,000 that takes a second, and this is asked for every second.
CREATE INDEX held_counts ON held (source_id, subject, kind, target, because, plan, since);
CREATE INDEX held_names ON held (plan, name);
-- Where the next report of a channel begins in the change log, and when it is due.
CREATE TABLE reports (
	channel TEXT PRIMARY KEY,
	schedule TEXT NOT NULL,
	from_sequence INTEGER NOT NULL,
	from_at INTEGER NOT NULL,
	due_at INTEGER
) WITHOUT ROWID;
`,
	},
	{
		version: 8,
		name: "restored backups",
		sql: `
-- When a backup was put in the place of a newer database, until the source was read in full, and sealed, since: nothing open goes out before.
ALTER TABLE sources ADD COLUMN restored_at INTEGER;
-- The last time that was so: what came to the target between backup and restore is not known, and may be ours.
ALTER TABLE targets ADD COLUMN restored_at INTEGER;
`,
	},
	accountsInOrder,
];
