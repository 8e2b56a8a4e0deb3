import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { type AccountStep, type Movements, makeMovements } from "../../src/core/movements.ts";

const ada: Account = { userName: "ada@corp", displayName: "Ada", active: true, department: "Sales", title: "Clerk" };
const off = { ...ada, active: false };

function step(before: Account | undefined, after: Account | undefined, why = "why", anchor = "1"): AccountStep {
	return { source: "corp", anchor: anchor as Anchor, before, after, why };
}

function sum(steps: readonly AccountStep[]): Movements {
	const movements = makeMovements();
	for (const each of steps) movements.add(each);
	return movements.sum();
}

const words = ({ joined, moved, left }: Movements): string =>
	[
		...joined.first.map(({ displayName, what }) => `+ ${displayName}: ${what}`),
		...moved.first.map(({ displayName, what }) => `~ ${displayName}: ${what}`),
		...left.first.map(({ displayName, what }) => `- ${displayName}: ${what}`),
	].join(", ");

describe("a report", () => {
	it.each([
		{ what: "who is new joined", steps: [step(undefined, ada, "new in the directory")], says: "+ Ada: new in the directory" },
		{ what: "who may use their account again joined", steps: [step(off, ada, "is back")], says: "+ Ada: is back" },
		{ what: "who was disabled left", steps: [step(ada, off, "disabled in the directory")], says: "- Ada: disabled in the directory" },
		{
			what: "who was disabled and then deleted left once",
			steps: [step(ada, off, "gone"), step(off, undefined, "30 days")],
			says: "- Ada: gone",
		},
		{ what: "who was disabled before and is deleted now did not leave again", steps: [step(off, undefined)], says: "" },
		{ what: "who came and went did neither", steps: [step(undefined, ada), step(ada, off)], says: "" },
		{ what: "who went and came back did neither", steps: [step(ada, off), step(off, ada)], says: "" },
		{ what: "who was made disabled did not join", steps: [step(undefined, off)], says: "" },
		{
			what: "who has another department moved",
			steps: [step(ada, { ...ada, department: "Legal" })],
			says: "~ Ada: department: Sales → Legal",
		},
		{
			what: "who has another manager and title moved",
			steps: [step(ada, { ...ada, title: "Head" }), step({ ...ada, title: "Head" }, { ...ada, title: "Head", manager: "2" as Anchor })],
			says: "~ Ada: title: Clerk → Head; another manager",
		},
		{
			what: "who moved and moved back did not",
			steps: [step(ada, { ...ada, title: "Head" }), step({ ...ada, title: "Head" }, ada)],
			says: "",
		},
		{
			what: "who has another telephone did not move",
			steps: [step(ada, { ...ada, phoneNumbers: [{ value: "1", type: "work" }] })],
			says: "",
		},
		{
			what: "who joined and got a telephone joined for what made them join",
			steps: [step(undefined, ada, "new"), step(ada, { ...ada, phoneNumbers: [] }, "a telephone")],
			says: "+ Ada: new",
		},
	])("$what", ({ steps, says }) => {
		expect(words(sum(steps))).toBe(says);
	});

	it("names the first 200 by name, and counts all", () => {
		const many = Array.from({ length: 250 }, (_, index) => {
			const name = `Person ${String(249 - index).padStart(3, "0")}`;
			return step(undefined, { ...ada, displayName: name }, "new", String(index));
		});
		const { joined } = sum(many);
		expect([joined.count, joined.first.length, joined.first[0]?.displayName, joined.first.at(-1)?.displayName]).toEqual([
			250,
			200,
			"Person 000",
			"Person 199",
		]);
	});
});
