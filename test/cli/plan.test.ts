import { describe, expect, it } from "vitest";
import { type ChangeKind, noCounts } from "../../src/core/change.ts";
import type { Anchor } from "../../src/core/entry.ts";
import { Failure } from "../../src/core/errors.ts";
import type { JudgedChange } from "../../src/sync/judged.ts";
import { planOf, say } from "./world.ts";

function change(kind: ChangeKind, name: string, why: string, held = false): JudgedChange {
	const before = kind === "create" ? undefined : { userName: name, active: true, title: "Clerk" };
	const after = kind === "delete" ? undefined : { userName: name, active: kind !== "disable", title: "Manager" };
	const verdict = held ? ({ reason: "limit", because: "limit 50" } as const) : undefined;
	return {
		id: 1,
		kind,
		subject: "account",
		target: undefined,
		anchor: `anchor-of-${name}` as Anchor,
		name,
		why,
		before,
		after,
		cause: undefined,
		held: verdict,
		effect: "",
	};
}

const changes = [
	change("update", "bob", 'title from "Clerk" to "Manager"'),
	change("create", "ada", "new in the directory"),
	change("disable", "eve\u001b]0;x\u0007", "left the scope: now in OU=Leavers", true),
];
const plan = planOf({
	summary: { ...noCounts, create: 1, update: 1, disable: 1 },
	held: [{ subject: "account", target: undefined, kind: "disable", count: 1, limit: "limit 50" }],
	changes: () => changes,
});
const planner = { plan: async () => plan };

describe("plan", () => {
	it("prints the contract's object as JSON and ends with 3 when something would be held", async () => {
		const said = await say(["plan", "--json"], { planner });
		expect(said.code).toBe(3);
		const printed = JSON.parse(said.out);
		expect(Object.keys(printed)).toEqual(["plan", "source", "mode", "sealed", "summary", "held", "changes"]);
		expect(printed.summary).toEqual({ create: 1, update: 1, disable: 1, enable: 0, delete: 0 });
		expect(printed.held).toEqual([{ kind: "disable", count: 1, limit: "limit 50" }]);
		expect(Object.keys(printed.changes[0])).toEqual(["kind", "subject", "anchor", "name", "why", "before", "after"]);
		expect(printed.changes[1]).toMatchObject({ kind: "create", name: "ada", before: null });
	});

	it("is what sync --dry-run prints", async () => {
		expect((await say(["sync", "--dry-run", "--json"], { planner })).out).toBe((await say(["plan", "--json"], { planner })).out);
	});

	it("prints an array for several sources, also when nothing is to be done", async () => {
		const said = await say(["plan", "--json"], { sources: ["a", "b", "c"], planner: { plan: async ({ source }) => planOf({ source }) } });
		expect(said.code).toBe(0);
		expect(JSON.parse(said.out).map((each: { source: string }) => each.source)).toEqual(["a", "b", "c"]);
	});

	it("stays an array when one of several sources fails, shows the others, and ends with 1", async () => {
		const failing = async ({ source }: { source: string }) => {
			if (source !== "b") return planOf({ source });
			throw new Failure("SOURCE_BASE_MISSING", "the base OU=Nowhere is not there", { hint: "Check the base." });
		};
		const said = await say(["plan", "--json"], { sources: ["a", "b", "c"], planner: { plan: failing } });
		expect(said.code).toBe(1);
		const error = { code: "SOURCE_BASE_MISSING", message: "the base OU=Nowhere is not there", hint: "Check the base." };
		expect(JSON.parse(said.out)).toMatchObject([{ source: "a" }, { source: "b", error }, { source: "c" }]);
		expect((await say(["plan"], { sources: ["a", "b"], planner: { plan: failing } })).err).toContain(
			"b: the base OU=Nowhere is not there. Check the base.",
		);
	});

	it("shows a person the changes by kind with why, verdict, hash, and the commands that decide", async () => {
		const { out } = await say(["plan"], { planner });
		const at = (text: string): number => {
			expect(out).toContain(text);
			return out.indexOf(text);
		};
		const order = [
			at("create 1"),
			at("+ ada"),
			at("update 1"),
			at('title from "Clerk" to "Manager"'),
			at("disable 1  1 held: limit 50"),
			at("left the scope: now in OU=Leavers"),
		];
		expect(order).toEqual([...order].sort((a, b) => a - b));
		expect(out).toContain(`dirsyncd approve ${plan.plan}`);
	});

	it("shows what one target alone does with its name, apart from what is counted", async () => {
		const own: JudgedChange = {
			...change("disable", "fay", "left the scope of target mail: not in group CN=Mail", true),
			target: "mail",
		} as JudgedChange;
		const held = [{ subject: "account", target: "mail", kind: "disable", count: 1, limit: "limit 50" }] as const;
		const planned = planOf({
			atTargets: 1,
			held,
			changes: () => [...changes.slice(0, 2), own],
			summary: { ...noCounts, create: 1, update: 1 },
		});
		const printed = JSON.parse((await say(["plan", "--json"], { planner: { plan: async () => planned } })).out);
		expect(printed.held).toEqual([{ target: "mail", kind: "disable", count: 1, limit: "limit 50" }]);
		expect(printed.changes.map((each: { target?: string }) => each.target)).toEqual([undefined, undefined, "mail"]);
		const { out } = await say(["plan"], { planner: { plan: async () => planned } });
		expect(out).toContain("at one target alone 1");
		expect(out).toContain("left the scope of target mail: not in group CN=Mail");
		expect(out).toContain("Held until a person decides: 1 disable at mail (limit 50).");
		expect(out).not.toContain("disable 1");
	});

	it("lets no control sign of a name through to the terminal", async () => {
		expect((await say(["plan"], { planner })).out).not.toContain("\u001b]0;");
	});

	it("says why a reading is not sealed", async () => {
		const said = await say(["plan"], {
			planner: { plan: async () => planOf({ sealed: false, unsealed: ["size limit after 1,000 entries"] }) },
		});
		expect(said.out).toContain("not sealed: size limit after 1,000 entries");
	});

	it("closes the plan also when the output fails", async () => {
		let isClosed = false;
		const broken = planOf({
			summary: { ...noCounts, create: 1 },
			changes: () => {
				throw new Error("gone");
			},
			close: () => {
				isClosed = true;
			},
		});
		expect((await say(["plan"], { planner: { plan: async () => broken } })).code).toBe(1);
		expect(isClosed).toBe(true);
	});
});
