import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import type { Target } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { testMapping } from "../support/harness.ts";
import { openMortal } from "../support/mortal.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const WHERE = [PEOPLE, `OU=Sales,${PEOPLE}`, "OU=Leavers,DC=corp,DC=example,DC=test"];
const never = new AbortController().signal;

let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());

/** What may happen to the directory, to the server, or to us: a kill strikes at the n-th write from then on. */
const step = fc.oneof(
	fc.record({
		do: fc.constant("put" as const),
		who: fc.integer({ min: 1, max: 8 }),
		where: fc.nat(2),
		name: fc.nat(9),
		isEnabled: fc.boolean(),
		boss: fc.nat(8),
	}),
	fc.record({ do: fc.constant("remove" as const), who: fc.integer({ min: 1, max: 8 }) }),
	fc.record({ do: fc.constant("group" as const), members: fc.uniqueArray(fc.integer({ min: 1, max: 8 })) }),
	fc.record({ do: fc.constantFrom("full" as const, "delta" as const) }),
	fc.record({ do: fc.constantFrom("full" as const, "delta" as const), killAt: fc.nat(20) }),
	fc.record({
		do: fc.constant("lose" as const),
		method: fc.constantFrom("POST", "PATCH"),
		times: fc.nat(9),
		by: fc.constantFrom("cut", "500"),
	}),
	fc.record({
		do: fc.constant("flip" as const),
		who: fc.integer({ min: 1, max: 8 }),
		method: fc.constantFrom("POST", "PATCH"),
		by: fc.constantFrom("cut" as const, "500" as const),
	}),
	fc.record({ do: fc.constant("vanish" as const), who: fc.integer({ min: 1, max: 8 }) }),
	fc.record({ do: fc.constant("hours" as const), hours: fc.nat(30) }),
);

it.each([
	{ server: "that answers every time", faults: {} },
	{
		server: "that turns every third request away, breaks at every tenth, and drops every seventh connection after doing the work",
		faults: { tooMany: { each: 3, status: 429, headers: { "retry-after": "1" } }, trouble: 10, drops: 7 },
	},
] as const)(
	"any sequence of changes, kills, lost answers and restarts ends with a server $server equal to what is wanted, nobody there twice",
	async ({ faults }) => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
				const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-scim-"));
				server.reset();
				const fake = makeFakeSource();
				fake.settings.groups = "all";
				put(fake, { who: 99, where: 0, name: 0, isEnabled: true, boss: 0 });
				const makeTarget = () => makeScimTarget(scimOptions(server.url, { name: "remote" }), makeTime());
				/** Whoever was deleted at the server by somebody. */
				const vanished = new Set<string>();
				const mortal = openMortal(fake, path.join(folder, "dirsyncd.db"), { makeTarget, mapping: { ...testMapping, title: "{title}" } });
				try {
					Object.assign(server.how, faults);
					for (const each of steps) {
						if (each.do === "put") put(fake, each);
						else if (each.do === "remove") fake.remove(fake.anchorOf(each.who));
						else if (each.do === "group") putGroup(fake, each.members);
						else if (each.do === "hours") mortal.harness().time.now += each.hours * 3_600_000;
						else if (each.do === "lose") server.how.lose = { ...each };
						else if (each.do === "vanish") {
							vanish(fake.anchorOf(each.who));
							vanished.add(fake.anchorOf(each.who));
						} else if (each.do === "flip") await flip(mortal, fake, each);
						else await mortal.sync(each.do, "killAt" in each ? each.killAt : undefined);
					}
					server.how.lose = undefined;
					await mortal.settle();
					// Whoever vanished there is found missing by whatever is sent to them next; nobody else needs that.
					for (const anchor of vanished) {
						const person = fake.people.get(anchor);
						if (person !== undefined) fake.put({ ...person, attributes: { ...person.attributes, title: ["new"] } });
					}
					await mortal.settle();
					Object.assign(server.how, { tooMany: undefined, trouble: undefined, drops: undefined });
					await mortal.settle();
					const externalIds = [...server.users.values()].map((user) => user["externalId"]);
					expect(new Set(externalIds).size).toBe(externalIds.length);
					const target = makeTarget();
					expect(await accountsAt(target)).toEqual(await mortal.harness().accounts());
					expect(await mortal.harness().groups(target)).toEqual(await mortal.harness().groups());
					await target.close();
				} finally {
					mortal.close();
					rmSync(folder, { recursive: true, force: true });
				}
			}),
			{ numRuns: Number(process.env["DIRSYNCD_TEST_RUNS"] ?? 15) },
		);
	},
	240_000,
);

interface Flip {
	readonly who: number;
	readonly method: string;
	readonly by: "cut" | "500";
}

/** What was wanted of somebody is unwanted again before anybody knows whether it arrived. */
async function flip(mortal: ReturnType<typeof openMortal>, fake: FakeSource, { who, method, by }: Flip): Promise<void> {
	const person = fake.people.get(fake.anchorOf(who));
	if (person === undefined) return;
	server.how.lose = { method, times: 3, by };
	fake.put({ ...person, standing: person.standing === "enabled" ? "disabled" : "enabled" });
	await mortal.sync("full");
	fake.put(person);
	await mortal.sync("full");
	server.how.lose = undefined;
}

/** Somebody deletes an account at the server. */
function vanish(anchor: string): void {
	const found = [...server.users].find(([, user]) => user["externalId"] === anchor);
	if (found === undefined) return;
	server.users.delete(found[0]);
	for (const [id, group] of server.groups) {
		const members = (group["members"] as { value: string }[] | undefined)?.filter(({ value }) => value !== found[0]);
		server.groups.set(id, { ...group, members });
	}
}

/** By anchor, managers named by theirs. */
async function accountsAt(target: Target): Promise<Record<string, Account>> {
	const all: { id: string; anchor: string; account: Account }[] = [];
	for await (const { remoteId, anchor, account } of target.reader?.list(never) ?? [])
		all.push({ id: remoteId, anchor: anchor ?? "", account });
	const anchors = new Map(all.map(({ id, anchor }) => [id, anchor]));
	return Object.fromEntries(
		all.map(({ anchor, account }) => {
			const manager = account.manager && anchors.get(account.manager);
			return [anchor, manager === undefined ? account : ({ ...account, manager } as Account)];
		}),
	);
}

interface Put {
	readonly who: number;
	readonly where: number;
	readonly name: number;
	readonly isEnabled: boolean;
	readonly boss: number;
}

function put(fake: FakeSource, { who, where, name, isEnabled, boss }: Put): void {
	const leader = fake.people.get(fake.anchorOf(boss));
	const cn = `P${who}-${name % 3}`;
	fake.put({
		...{ anchor: fake.anchorOf(who), cn, where: WHERE[where] as string, standing: isEnabled ? "enabled" : "disabled" },
		attributes: {
			cn: [cn],
			upn: [`n${who}-${name}@corp`],
			mail: name % 2 ? [`m${who}@corp`] : [],
			...(leader && { manager: [fake.dnOf(leader)] }),
		},
	});
}

function putGroup(fake: FakeSource, members: readonly number[]): void {
	const there = members.map(fake.anchorOf).filter((anchor) => fake.people.has(anchor));
	fake.putGroup({ anchor: fake.anchorOf(1001), cn: "G", isInScope: true, members: there });
}
