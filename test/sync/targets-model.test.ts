import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import { type Connection, openSibling } from "../../src/store/database.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import type { Harness } from "../support/harness.ts";
import { openMortal } from "../support/mortal.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { jsonl, openChanges, openState } from "../target/file/files.ts";
import { makeTime, openWebhook, secret } from "../target/webhook/webhooks.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const WHERE = [PEOPLE, "OU=Leavers,DC=corp,DC=example,DC=test"];

let time = makeTime();
let receiver: Receiver;
beforeAll(async () => {
	receiver = await startReceiver(secret, () => time.clock());
});
afterAll(() => receiver.close());

/** What may happen to the directory, or to us: a kill strikes at the n-th write from then on. */
const step = fc.oneof(
	fc.record({
		do: fc.constant("put" as const),
		who: fc.integer({ min: 1, max: 6 }),
		where: fc.nat(1),
		name: fc.nat(9),
		isEnabled: fc.boolean(),
	}),
	fc.record({ do: fc.constant("remove" as const), who: fc.integer({ min: 1, max: 6 }) }),
	fc.record({ do: fc.constant("group" as const), members: fc.uniqueArray(fc.integer({ min: 1, max: 6 })) }),
	fc.record({ do: fc.constantFrom("full" as const, "delta" as const) }),
	fc.record({ do: fc.constantFrom("full" as const, "delta" as const), killAt: fc.nat(16) }),
);

/** Who the target says is there, and in which groups, after everything. */
type Seen = (file: string) => { readonly accounts: unknown; readonly groups?: Readonly<Record<string, readonly string[]>> };

interface Row {
	readonly externalId: string;
	readonly groups?: readonly string[];
}

it.each([
	{
		target: "a file of the whole state",
		open: (db: Connection, file: string) => openState(db, file, jsonl),
		see: (file: string) => {
			const rows = linesOf(file) as Row[];
			const accounts = Object.fromEntries(rows.map(({ externalId, groups: _, ...account }) => [externalId, account]));
			const members = rows.filter(({ groups }) => groups?.includes("G")).map(({ externalId }) => externalId);
			return { accounts, groups: { G: members.sort() } };
		},
	},
	{
		target: "a file of changes",
		open: (db: Connection, file: string) => openChanges(db, file, jsonl),
		see: (file: string) => {
			const changes = linesOf(file) as { key: string; subject: string; externalId: string; account?: Account }[];
			expect(new Set(changes.map(({ key }) => key)).size).toBe(changes.length);
			const last = new Map(changes.filter(({ subject }) => subject === "account").map((change) => [change.externalId, change.account]));
			return { accounts: Object.fromEntries([...last].filter(([, account]) => account !== undefined)) };
		},
	},
	...[1, 3].map((batch) => ({
		target: `a webhook that is told of ${batch} changes at once, and loses every fourth answer`,
		open: () => openWebhook(receiver.url, { batch }, time).target,
		see: () => ({
			accounts: Object.fromEntries(receiver.accounts),
			groups: Object.fromEntries([...receiver.groups.values()].map(({ group, members }) => [group.displayName, [...members].sort()])),
		}),
	})),
] as readonly { target: string; open: (db: Connection, file: string) => Target; see: Seen }[])(
	"any sequence of changes and kills ends with $target as it should be, and nothing told twice",
	async ({ open, see }) => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-targets-"));
				const [database, file] = [path.join(folder, "dirsyncd.db"), path.join(folder, "out")];
				const connections: Connection[] = [];
				receiver.reset();
				receiver.how.reply = (nth) => (nth % 4 === 0 ? "cut" : undefined);
				time = makeTime();
				const fake = makeFakeSource();
				fake.settings.groups = "all";
				put(fake, { who: 99, where: 0, name: 0, isEnabled: true });
				putGroup(fake, []);
				const makeTarget = () => {
					const db = openSibling(database);
					connections.push(db);
					return open(db, file);
				};
				const mortal = openMortal(fake, database, { makeTarget });
				try {
					for (const each of steps) {
						if (each.do === "put") put(fake, each);
						else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
						else if (each.do === "group") putGroup(fake, each.members);
						else await mortal.sync(each.do, "killAt" in each ? each.killAt : undefined);
					}
					await mortal.settle();
					await expectSeen(mortal.harness(), see(file));
				} finally {
					mortal.close();
					for (const db of connections) db.close();
					rmSync(folder, { recursive: true, force: true });
				}
			}),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 15) },
		);
	},
	240_000,
);

async function expectSeen(harness: Harness, { accounts, groups }: ReturnType<Seen>): Promise<void> {
	expect(accounts).toEqual(await harness.accounts());
	if (groups !== undefined) expect(groups).toEqual(await harness.groups());
}

function linesOf(file: string): unknown[] {
	if (!existsSync(file)) return [];
	return readFileSync(file, "utf8")
		.trimEnd()
		.split("\n")
		.map((line) => JSON.parse(line) as unknown);
}

interface Put {
	readonly who: number;
	readonly where: number;
	readonly name: number;
	readonly isEnabled: boolean;
}

function put(fake: FakeSource, { who, where, name, isEnabled }: Put): void {
	const cn = `P${who}-${name % 3}`;
	fake.put({
		...{ anchor: fake.anchorOf(who), cn, where: WHERE[where] as string, standing: isEnabled ? "enabled" : "disabled" },
		attributes: { cn: [cn], upn: [`n${who}-${name}@corp`], mail: name % 2 ? [`m${who}@corp`] : [] },
	});
}

function putGroup(fake: FakeSource, members: readonly number[]): void {
	const there = members.map(fake.anchorOf).filter((anchor) => fake.people.has(anchor));
	fake.putGroup({ anchor: fake.anchorOf(1001), cn: "G", isInScope: true, members: there });
}
