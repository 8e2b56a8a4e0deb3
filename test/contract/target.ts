import { expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import type { Delivery, RemoteAccount, RemoteGroup, Target } from "../../src/target/target.ts";

const never = new AbortController().signal;

/** What is behind a target that cannot be asked, as its test sees it. */
export interface Seen {
	accounts(): readonly RemoteAccount[];
	groups(): readonly RemoteGroup[];
}

function anchorOf(number: number): Anchor {
	return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}` as Anchor;
}

function accountOf(number: number, more: Partial<Account> = {}): Account {
	return {
		userName: `p${number}@corp.example.test`,
		displayName: `Łukasz "P" ${number}`,
		emails: [{ value: `p${number}@corp.example.test`, type: "work", primary: true }],
		active: true,
		department: "Research",
		...more,
	};
}

/** What every target must do, whatever is behind it. `open` gives one that has no accounts; `many`: as many as a slow server bears. */
export function targetContract(open: () => Target, many = 2500, seen?: Seen): void {
	const remoteIds = new Map<Anchor, string>();

	/** Applies in the target's batches, as delivery does, and remembers the ids it gave. */
	async function apply(target: Target, wanted: readonly (readonly [number, Account | undefined])[]): Promise<readonly string[]> {
		const kinds: string[] = [];
		for (let at = 0; at < wanted.length; at += target.batch) {
			const deliveries = wanted.slice(at, at + target.batch).map(([number, account]): Delivery => {
				const anchor = anchorOf(number);
				const kind = account === undefined ? "delete" : remoteIds.has(anchor) ? "update" : "create";
				const known = { remoteId: remoteIds.get(anchor), applied: undefined, appliedAnchor: undefined, managerId: undefined };
				return { anchor, kind, ...known, wanted: account, key: `${anchor} ${JSON.stringify(account)}` };
			});
			const results = await target.apply(deliveries, never);
			expect(results).toHaveLength(deliveries.length);
			results.forEach((result, index) => {
				kinds.push(result.kind);
				if (result.kind === "applied") remoteIds.set((deliveries[index] as Delivery).anchor, result.remoteId);
			});
		}
		return kinds;
	}

	async function all(target: Target): Promise<readonly RemoteAccount[]> {
		if (target.reader === undefined) return seen?.accounts() ?? [];
		const found: RemoteAccount[] = [];
		for await (const remote of target.reader.list(never)) found.push(remote);
		return found;
	}

	function fresh(): Target {
		remoteIds.clear();
		return open();
	}

	it("creates an account just as it is wanted, and finds it by anchor", async () => {
		const target = fresh();
		expect(await apply(target, [[1, accountOf(1)]])).toEqual(["applied"]);
		const expected = { remoteId: remoteIds.get(anchorOf(1)), anchor: anchorOf(1), account: accountOf(1) };
		expect(await all(target)).toEqual([expected]);
		if (target.reader === undefined) return;
		expect(await target.find(anchorOf(1), accountOf(1), never)).toMatchObject({ by: "external-id", remote: expected, isAmbiguous: false });
		expect(await target.find(anchorOf(2), accountOf(2), never)).toBeUndefined();
	});

	it("ends the same when everything is applied twice", async () => {
		const target = fresh();
		const wanted = [1, 2, 3, 4, 5].map((number) => [number, accountOf(number)] as const);
		await apply(target, wanted);
		const once = await all(target);
		expect(await apply(target, wanted)).toEqual(wanted.map(() => "applied"));
		expect(await all(target)).toEqual(once);
	});

	it("updates, disables and enables the same account", async () => {
		const target = fresh();
		await apply(target, [[1, accountOf(1)]]);
		const id = remoteIds.get(anchorOf(1));
		for (const wanted of [
			accountOf(1, { active: false }),
			accountOf(1, { title: "Dr." }),
			accountOf(1, { userName: "new@corp.example.test" }),
		]) {
			expect(await apply(target, [[1, wanted]])).toEqual(["applied"]);
			expect(await all(target)).toEqual([{ remoteId: id, anchor: anchorOf(1), account: wanted }]);
		}
	});

	it("clears a field that is not wanted any more", async () => {
		const target = fresh();
		await apply(target, [[1, accountOf(1)]]);
		const { department: _, ...without } = accountOf(1);
		await apply(target, [[1, without]]);
		expect((await all(target))[0]?.account).toEqual(without);
	});

	it("deletes, and takes a second delete for done", async () => {
		const target = fresh();
		await apply(target, [
			[1, accountOf(1)],
			[2, accountOf(2)],
		]);
		expect(await apply(target, [[1, undefined]])).toEqual(["applied"]);
		expect(await apply(target, [[1, undefined]])).toEqual(["applied"]);
		expect((await all(target)).map(({ anchor }) => anchor)).toEqual([anchorOf(2)]);
	});

	it("refuses a userName that another account has, without case, and goes on with the rest", async () => {
		const target = fresh();
		await apply(target, [[1, accountOf(1)]]);
		const kinds = await apply(target, [
			[2, accountOf(2, { userName: "P1@corp.example.test" })],
			[3, accountOf(3)],
		]);
		// Who has to be asked who has it says so: "conflict".
		expect(["refused", "conflict"]).toContain(kinds[0]);
		expect(kinds[1]).toBe("applied");
		expect((await all(target)).map(({ account }) => account.userName).sort()).toEqual(["p1@corp.example.test", "p3@corp.example.test"]);
	});

	it("keeps the order it is given: a name freed by one delivery is free for the next", async () => {
		const target = fresh();
		await apply(target, [[1, accountOf(1)]]);
		const kinds = await apply(target, [
			[1, accountOf(1, { userName: "freed@corp.example.test" })],
			[2, accountOf(2, { userName: "p1@corp.example.test" })],
		]);
		expect(kinds).toEqual(["applied", "applied"]);
	});

	it("keeps groups with their members, adds and removes these alone, and ends the same when it is all applied twice", async () => {
		const target = fresh();
		const { groups } = target;
		if (groups === undefined) return;
		await apply(
			target,
			[1, 2, 3].map((number) => [number, accountOf(number)] as const),
		);
		const member = (number: number) => ({ anchor: anchorOf(number), remoteId: remoteIds.get(anchorOf(number)) as string });
		const group = { anchor: anchorOf(1001), applied: undefined, key: "1" };
		const list = async () => {
			const found: unknown[] = [];
			const listed = target.reader === undefined ? (seen?.groups() ?? []) : groups.list(never);
			for await (const { anchor, group, members } of listed) found.push({ anchor, group, members: [...members].sort() });
			return found;
		};
		let remoteId: string | undefined;
		const change = async (displayName: string, added: number[], removed: number[]) => {
			const delivery = { ...group, wanted: { displayName }, added: added.map(member), removed: removed.map(member), key: displayName };
			for (let time = 0; time < 2; time++) {
				const result = await groups.apply({ ...delivery, remoteId }, never);
				expect(result.kind).toBe("applied");
				if (result.kind === "applied") remoteId = result.remoteId;
			}
			return list();
		};
		const ids = (...numbers: number[]) => numbers.map((number) => member(number).remoteId).sort();
		expect(await change("Sales", [1, 2], [])).toEqual([{ anchor: anchorOf(1001), group: { displayName: "Sales" }, members: ids(1, 2) }]);
		expect(await change("Sales and more", [3], [1])).toEqual([
			{ anchor: anchorOf(1001), group: { displayName: "Sales and more" }, members: ids(2, 3) },
		]);
		if (target.reader !== undefined) {
			expect(await groups.find(anchorOf(1001), { displayName: "Sales and more" }, never)).toMatchObject({ by: "external-id", remoteId });
			expect(await groups.find(anchorOf(1002), { displayName: "Nobody" }, never)).toBeUndefined();
		}
		for (let time = 0; time < 2; time++) {
			expect(await groups.apply({ ...group, remoteId, wanted: undefined, added: [], removed: [], key: "deleted" }, never)).toMatchObject({
				kind: "applied",
			});
		}
		expect(await list()).toEqual([]);
	});

	it(`takes ${many.toLocaleString("en")} accounts, and lists each once`, async () => {
		const target = fresh();
		const wanted = Array.from({ length: many }, (_, index) => [index + 1, accountOf(index + 1)] as const);
		await apply(target, wanted);
		expect(new Set((await all(target)).map(({ anchor }) => anchor)).size).toBe(many);
	});
}
