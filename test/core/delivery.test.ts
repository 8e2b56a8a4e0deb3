import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import { orderDeliveries } from "../../src/core/delivery.ts";

interface Rename {
	readonly id: number;
	readonly wanted: Account | undefined;
	readonly applied: Account | undefined;
}

const named = (userName: string): Account => ({ userName, active: true });
const rename = (id: number, from: string | undefined, to: string | undefined): Rename => ({
	id,
	applied: from === undefined ? undefined : named(from),
	wanted: to === undefined ? undefined : named(to),
});

/** Delivers in the given order to a target that refuses a taken name. Returns the names in the end. */
function deliver(renames: readonly Rename[]): ReadonlyMap<number, string> {
	const names = new Map(renames.flatMap(({ id, applied }) => (applied ? [[id, applied.userName] as const] : [])));
	for (const { delivery, parkAs } of orderDeliveries(renames, ({ id }) => `parked-${id}`)) {
		const name = parkAs ?? delivery.wanted?.userName;
		if (name === undefined) names.delete(delivery.id);
		else {
			for (const [id, taken] of names) if (id !== delivery.id && taken === name) throw new Error(`${name} is taken by ${id}`);
			names.set(delivery.id, name);
		}
	}
	return names;
}

describe("deliveries", () => {
	it("free a name before another takes it", () => {
		const order = orderDeliveries([rename(1, "a", "b"), rename(2, "b", "c"), rename(3, "c", undefined)], () => "parked");
		expect(order.map(({ delivery }) => delivery.id)).toEqual([3, 2, 1]);
	});

	it("park one account when two swap, and only then", () => {
		const swap = orderDeliveries([rename(1, "a", "b"), rename(2, "b", "a")], ({ id }) => `parked-${id}`);
		expect(swap.map(({ delivery, parkAs }) => [delivery.id, parkAs])).toEqual([
			[1, "parked-1"],
			[2, undefined],
			[1, undefined],
		]);
		const chain = orderDeliveries([rename(1, "a", "b"), rename(2, "b", "z")], () => "parked");
		expect(chain.every(({ parkAs }) => parkAs === undefined)).toBe(true);
	});

	it("stay in their order when nothing is freed", () => {
		const order = orderDeliveries([rename(3, undefined, "x"), rename(1, "a", "a"), rename(2, undefined, "y")], () => "parked");
		expect(order.map(({ delivery }) => delivery.id)).toEqual([3, 1, 2]);
	});

	it("bring any permutation of names about, with nobody refused, in any order given", () => {
		const permutation = fc.integer({ min: 1, max: 12 }).chain((size) =>
			fc.record({
				to: fc.shuffledSubarray(
					Array.from({ length: size }, (_, index) => index),
					{ minLength: size },
				),
				order: fc.shuffledSubarray(
					Array.from({ length: size }, (_, index) => index),
					{ minLength: size },
				),
				leaving: fc.integer({ min: -1, max: size - 1 }),
			}),
		);
		fc.assert(
			fc.property(permutation, ({ to, order, leaving }) => {
				const renames = order.map((id) => rename(id, `n${id}`, id === leaving ? undefined : `n${to[id]}`));
				const names = deliver(renames);
				for (const { id, wanted } of renames) expect(names.get(id)).toBe(wanted?.userName);
			}),
		);
	});

	it("are ordered along a chain of 50,000 renames without recursion", () => {
		const renames = Array.from({ length: 50_000 }, (_, id) => rename(id, `n${id}`, `n${id + 1}`));
		expect(orderDeliveries(renames, () => "parked")[0]?.delivery.id).toBe(49_999);
	});
});
