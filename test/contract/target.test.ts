import { rmSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import type { Anchor } from "../../src/core/entry.ts";
import { openEmpty } from "../../src/store/database.ts";
import { openLocalAccounts } from "../../src/store/local-accounts.ts";
import { openLocalGroups } from "../../src/store/local-groups.ts";
import { makeLocalTarget } from "../../src/target/local/local.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";
import { formats, freshFile, openChanges, openState } from "../target/file/files.ts";
import { makeTime, openWebhook, secret } from "../target/webhook/webhooks.ts";
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

describe.each([1, 100])("a webhook, told of at most %i changes at once", (batch) => {
	let receiver: Receiver;
	let time = makeTime();
	beforeAll(async () => {
		receiver = await startReceiver(secret, () => time.clock());
	});
	afterAll(() => receiver.close());
	let close = async () => {};
	afterEach(() => close());
	targetContract(
		() => {
			receiver.reset();
			time = makeTime();
			const { target } = openWebhook(receiver.url, { batch }, time);
			close = () => target.close();
			return target;
		},
		500,
		{
			accounts: () => [...receiver.accounts].map(([id, account]) => ({ remoteId: id, anchor: id as Anchor, account })),
			groups: () =>
				[...receiver.groups].map(([id, { group, members }]) => ({ remoteId: id, anchor: id as Anchor, group, members: [...members] })),
		},
	);
});

describe("the double of a remote target", () => {
	targetContract(() => makeRemoteDouble({ batch: 100 }).target);
});
