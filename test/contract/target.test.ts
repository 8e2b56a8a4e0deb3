import { afterEach, describe } from "vitest";
import { openEmpty } from "../../src/store/database.ts";
import { openLocalAccounts } from "../../src/store/local-accounts.ts";
import { openLocalGroups } from "../../src/store/local-groups.ts";
import { makeLocalTarget } from "../../src/target/local/local.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";
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

describe("the double of a remote target", () => {
	targetContract(() => makeRemoteDouble({ batch: 100 }).target);
});
