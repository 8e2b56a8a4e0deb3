import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import { driftOf } from "../../src/core/drift.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import { forget } from "../../src/sync/forget.ts";
import { type DriftAction, readBackAndAct } from "../../src/sync/repair.ts";
import type { RemoteAccount } from "../../src/target/target.ts";
import { type FakeSource, makeFakeSource } from "../support/fake-source.ts";
import { type Harness, openHarness } from "../support/harness.ts";
import { makeRemoteDouble } from "../support/remote-double.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
const never = new AbortController().signal;
let fake: FakeSource;
let remote: ReturnType<typeof makeRemoteDouble>;
let harness: Harness;

beforeEach(async () => {
	fake = makeFakeSource();
	fake.settings.groups = "all";
	remote = makeRemoteDouble({ batch: 1, lanes: 4, managerBy: "remote-id", memberBatch: 10 });
	harness = openHarness(fake, { targets: () => [remote.target] });
	for (let who = 1; who <= 5; who++) put(who);
	fake.putGroup({ anchor: fake.anchorOf(1001), cn: "G", isInScope: true, members: [anchor(1), anchor(2)] });
	await harness.sync("full");
});
afterEach(() => harness.close());

function put(who: number): void {
	const attributes = { cn: [`P${who}`], upn: [`p${who}@corp`], ...(who > 1 && { manager: [`CN=P1,${PEOPLE}`] }) };
	fake.put({ anchor: fake.anchorOf(who), cn: `P${who}`, where: PEOPLE, standing: who === 5 ? "disabled" : "enabled", attributes });
}

const anchor = (who: number) => fake.anchorOf(who) as Anchor;
const idOf = (who: number) => [...remote.accounts].find(([, kept]) => kept.anchor === anchor(who))?.[0] ?? "";
const at = (who: number) => remote.accounts.get(idOf(who))?.account;
const change = (who: number, fields: Partial<Account>) => {
	const kept = remote.accounts.get(idOf(who));
	if (kept !== undefined) kept.account = { ...kept.account, ...fields };
};
const read = (action: DriftAction) =>
	readBackAndAct({ session: harness.context.session, target: remote.target, action, clock: () => harness.time.now }, never);
const deliver = () => harness.context.deliveries.settle(never, () => {});
const results = () =>
	harness.views((views) =>
		[...views.changes(1)].filter(({ result }) => result !== "committed").map(({ result, why }) => `${result}: ${why}`),
	);

describe("reading a target back", () => {
	it("finds everything as it was left, and counts who is not ours without touching them", async () => {
		remote.accounts.set("theirs", { anchor: undefined, account: { userName: "root", active: true } });
		expect(await read("repair")).toEqual({ target: "remote", same: 5, changed: 0, missing: 0, others: 1, partialBecause: undefined });
		await deliver();
		expect(remote.accounts.get("theirs")?.account).toEqual({ userName: "root", active: true });
		expect(results()).toEqual([]);
	});

	it("reports what was changed there, once, and leaves it", async () => {
		change(2, { displayName: "Hacked" });
		expect(await read("report")).toMatchObject({ same: 4, changed: 1, missing: 0 });
		expect(await read("report")).toMatchObject({ changed: 1 });
		expect(results()).toEqual(['reported: at the target: displayName is "Hacked", was left "P2"']);
		expect(harness.views((views) => [...views.changes(1)].at(-1))).toMatchObject({ subject: "account", target: "remote" });
		expect(at(2)?.displayName).toBe("Hacked");
	});

	it("repairs what was changed there: a leaver who was enabled by hand is disabled again", async () => {
		change(5, { active: true });
		change(2, { displayName: "Hacked", manager: "r99" as Anchor });
		await read("repair");
		await deliver();
		expect(at(5)?.active).toBe(false);
		expect(at(2)).toMatchObject({ displayName: "P2", manager: idOf(1) });
		expect(results().map((each) => each.split(":")[0])).toEqual(["repaired", "repaired"]);
		expect(await read("repair")).toMatchObject({ same: 5, changed: 0 });
	});

	it("makes anew who is missing, in the groups they were in", async () => {
		const gone = idOf(2);
		remote.accounts.delete(gone);
		for (const group of remote.groups.values()) group.members.delete(gone);
		expect(await read("repair")).toMatchObject({ missing: 1 });
		await deliver();
		expect(at(2)?.userName).toBe("p2@corp");
		expect([...remote.groups.values()][0]?.members).toEqual(new Set([idOf(1), idOf(2)]));
	});

	it("does not repair over and over what the target keeps in a way of its own", async () => {
		const keepsItsWay = () => change(3, { displayName: "P3 (imported)" });
		keepsItsWay();
		await read("repair");
		await deliver();
		keepsItsWay();
		const before = remote.sent.length;
		expect(await read("repair")).toMatchObject({ changed: 1 });
		await deliver();
		expect(remote.sent.length).toBe(before);
	});

	it("releases what was changed there, and leaves it alone from then on, until somebody has it matched anew", async () => {
		change(2, { displayName: "Theirs now" });
		await read("release");
		put(2);
		const person = fake.people.get(anchor(2));
		if (person !== undefined) fake.put({ ...person, standing: "disabled" });
		await harness.sync("delta");
		expect(at(2)).toMatchObject({ displayName: "Theirs now", active: true });
		expect(harness.views((views) => [...views.accounts(anchor(2))][0]?.targets["remote"])).toMatchObject({ state: "released" });
		expect(harness.views((views) => views.targets()[0]?.released)).toBe(1);
		expect(await read("repair")).toMatchObject({ same: 4, changed: 0 });
	});

	it("concludes nothing from fields that the target does not tell", async () => {
		const { reader } = remote.target;
		const [list, readOne] = [reader?.list.bind(reader), reader?.read.bind(reader)];
		const silent = (one: RemoteAccount): RemoteAccount => ({
			...one,
			untold: ["active", "manager"],
			account: { ...one.account, active: true },
		});
		Object.assign(reader ?? {}, {
			async *list() {
				for await (const one of list?.(never) ?? []) yield silent(one);
			},
			read: async (id: string) => {
				const one = await readOne?.(id, never);
				return one && silent(one);
			},
		});
		expect(await read("repair")).toMatchObject({ same: 5, changed: 0 });
	});

	it("concludes nothing from a list that may not be all of it: who is not on it is asked for by itself", async () => {
		const partial = new Failure("TARGET_LISTING_PARTIAL", "20 of 500 were listed");
		const { reader } = remote.target;
		const list = reader?.list.bind(reader);
		Object.assign(reader ?? {}, {
			async *list() {
				for await (const account of list?.(never) ?? []) if (account.remoteId === idOf(1)) yield account;
				throw partial;
			},
		});
		remote.accounts.delete(idOf(4));
		expect(await read("report")).toEqual({
			...{ target: "remote", same: 4, changed: 0, missing: 1 },
			...{ others: undefined, partialBecause: "20 of 500 were listed" },
		});
	});

	it("takes nothing for changed that was delivered while it went on", async () => {
		const { reader } = remote.target;
		const list = reader?.list.bind(reader);
		Object.assign(reader ?? {}, {
			async *list() {
				yield* list?.(never) ?? [];
				const person = fake.people.get(anchor(3));
				if (person !== undefined) fake.put({ ...person, attributes: { ...person.attributes, upn: ["new@corp"] } });
				await harness.sync("delta");
			},
		});
		expect(await read("report")).toMatchObject({ same: 5, changed: 0 });
	});
});

describe("what differs", () => {
	const account: Account = {
		userName: "Ada@corp",
		displayName: "Ada",
		active: true,
		emails: [
			{ value: "ada@corp", type: "work", primary: true },
			{ value: "a@corp", type: "other" },
		],
		phoneNumbers: [{ value: "+44 (0)20 1234", type: "work" }],
		manager: "m" as Anchor,
		features: ["b", "a"],
	};
	it.each([
		{ found: { userName: "ada@CORP" }, says: [] },
		{ found: { emails: [...(account.emails ?? [])].reverse().map((email) => ({ ...email, value: email.value.toUpperCase() })) }, says: [] },
		{ found: { phoneNumbers: [{ value: "+440201234", type: "work" as const }] }, says: [] },
		{ found: { features: ["a", "b"] }, says: [] },
		{ found: { manager: "id" as Anchor }, says: [] },
		{ found: { active: false }, says: ['active is "false", was left "true"'] },
		{ found: { manager: "other" as Anchor }, says: ['manager is "other", was left "id"'] },
		{ found: { title: "Boss" }, says: ['title is "Boss", was left not there'] },
		{ found: { title: " " }, says: [] },
		{
			found: { emails: [{ value: "ada@corp", type: "work" as const }] },
			says: ['emails is "ada@corp", was left "a@corp; ada@corp (primary)"'],
		},
	])("of $found is $says", ({ found, says }) => {
		expect(driftOf({ account, managerId: "id" }, { ...account, manager: "id" as Anchor, ...found })).toEqual(says);
	});
});

describe("forgetting", () => {
	const context = (configured: readonly string[]) => ({ session: harness.context.session, configured, clock: () => harness.time.now });

	it("is refused for a target of the configuration, and for one that nobody knows", () => {
		expect(() => forget(context(["remote"]), "remote", undefined, "ada")).toThrow("target remote is in the configuration");
		expect(() => forget(context([]), "other", undefined, "ada")).toThrow("nothing is known of a target other");
	});

	it("of a target leaves nothing of it behind here, and everything there", () => {
		expect(forget(context([]), "remote", undefined, "ada")).toEqual({ accounts: 5, groups: 1 });
		expect(harness.views((views) => views.targets())).toEqual([]);
		expect(remote.accounts.size).toBe(5);
	});

	it("of one account has it matched anew, as one that was ours", async () => {
		const remoteId = idOf(2);
		expect(forget(context(["remote"]), "remote", "P2@corp", "ada")).toEqual({ accounts: 1, groups: 0 });
		await deliver();
		const state = harness.views((views) => [...views.accounts(anchor(2))][0]?.targets["remote"]);
		expect(state).toMatchObject({ state: "applied", remoteId });
		expect(remote.accounts.size).toBe(5);
		expect(() => forget(context(["remote"]), "remote", "nobody@corp", "ada")).toThrow("nothing is known of nobody@corp");
	});
});
