import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closeNesting } from "../../src/core/membership.ts";

const edges = (...pairs: readonly (readonly [parent: number, child: number])[]) => pairs.map(([parent, child]) => ({ parent, child }));
const sorted = (numbers: readonly number[]) => [...numbers].sort((one, other) => one - other);

describe("groups within groups", () => {
	it("are in everything above them", () => {
		const { above } = closeNesting(edges([1, 2], [2, 3], [4, 3]));
		expect(sorted(above(3))).toEqual([1, 2, 3, 4]);
		expect(sorted(above(1))).toEqual([1]);
		expect(sorted(above(9))).toEqual([9]);
	});

	it("may contain each other: all are in all, and the way round is named once", () => {
		const { above, cycles } = closeNesting(edges([1, 2], [2, 3], [3, 4], [4, 1], [4, 5]));
		for (const group of [1, 2, 3, 4]) expect(sorted(above(group))).toEqual([1, 2, 3, 4]);
		expect(sorted(above(5))).toEqual([1, 2, 3, 4, 5]);
		expect(cycles).toEqual([[1, 2, 3, 4]]);
	});

	it("may contain themselves", () => {
		expect(closeNesting(edges([7, 7], [7, 8])).cycles).toEqual([[7]]);
	});

	it("may nest as deep as they like", () => {
		const deep = closeNesting(Array.from({ length: 100_000 }, (_, number) => ({ parent: number, child: number + 1 })));
		expect(deep.above(100_000)).toHaveLength(100_001);
		expect(deep.cycles).toEqual([]);
	});

	it("are closed as a naive closure does it, and every circle is told", () => {
		const graph = fc.array(fc.record({ parent: fc.nat(8), child: fc.nat(8) }), { maxLength: 25 });
		fc.assert(
			fc.property(graph, (list) => {
				const reaches = (from: number, to: number): boolean => {
					const seen = new Set<number>();
					const visit = (group: number): boolean =>
						list.some(
							({ parent, child }) => child === group && (parent === to || (!seen.has(parent) && !!seen.add(parent) && visit(parent))),
						);
					return visit(from);
				};
				const { above, cycles } = closeNesting(list);
				const groups = Array.from({ length: 9 }, (_, group) => group);
				for (const group of groups) {
					expect(sorted(above(group))).toEqual(groups.filter((other) => other === group || reaches(group, other)));
				}
				const inCircles = groups.filter((group) => reaches(group, group));
				expect(cycles.flat().every((group) => inCircles.includes(group))).toBe(true);
				// One way round for each set of groups that reach each other.
				const sets = new Set(inCircles.map((group) => groups.filter((other) => reaches(group, other) && reaches(other, group)).join()));
				expect(cycles).toHaveLength(sets.size);
			}),
		);
	});
});
