import type { Migration } from "./migration.ts";

export const accountsInOrder: Migration = {
	version: 9,
	name: "accounts in order",
	sql: `
-- Pages of accounts in order of userName, and those whose userName begins with a text: without it each page sorts all of them.
CREATE INDEX accounts_by_user_name ON accounts (user_name COLLATE NOCASE, id, active);
`,
};
