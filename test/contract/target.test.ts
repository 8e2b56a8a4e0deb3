import { rmSync } from "node:fs";
import path from "node:path";
import { afterEach, describe } from "vitest";
import { openEmpty } from "../../src/store/database.ts";
import { openLocalAccounts } from "../../src/store/local-accounts.ts";
import { openLocalGroups } from "../../src/store/local-groups.ts";
import { makeLocalTarget } from "../../src/target/local/local.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";
import { formats, freshFile, openChanges, openState } from "../target/file/files.ts";
import { targetContract } from "./target.ts";

describe("the embedded account store", () => {
	let close = () => {};
	afterEach(() => close());
	targetContract(() => {
		const db = openEmpty();
		close = () => void db.close();
		return makeLocalTarget("accounts", openLocalAccounts(db, "accounts"), openLocalGroups(db, "accounts"));
	});
});

describe.each([
	...formats.map((format) => ({ what: "the state", format, open: openState })),
	...formats.map((format) => ({ what: "changes", format, open: openChanges })),
])("a file of $what in $format.kind", ({ format, open }) => {
	let close = () => {};
	afterEach(() => close());
	targetContract(() => {
		const [db, file] = [openEmpty(), freshFile()];
		close = () => {
			db.close();
			rmSync(path.dirname(file), { recursive: true });
		};
		return open(db, file, format);
	});
});

describe("the double of a remote target", () => {
	targetContract(() => makeRemoteDouble({ batch: 100 }).target);
});
