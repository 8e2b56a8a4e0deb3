import { describe, expect, it } from "vitest";
import type { Account } from "../../src/core/account.ts";
import type { Anchor, Entry, Standing } from "../../src/core/entry.ts";
import type { Pin } from "../../src/core/pin.ts";
import { planPinned } from "../../src/core/pinned-plan.ts";
import type { Entitled, Situation } from "../../src/core/plan.ts";

const AT = 1000;
const ada: Account = { userName: "ada@corp", active: true };

function person(standing: Standing, expiresAt?: number): Situation["presence"] {
	const entry: Entry = { anchor: "a" as Anchor, dn: "CN=a", attributes: new Map(), standing, expiresAt };
	return { kind: "present", entry };
}

const left: Situation["presence"] = { kind: "out-of-scope", where: "elsewhere", doubt: undefined };
const gone: Situation["presence"] = { kind: "deleted", evidence: "sealed", doubt: undefined };

function situation(more: Partial<Situation> = {}): Situation {
	return {
		before: { account: ada, cause: undefined, endedAt: undefined },
		presence: person("enabled"),
		mapped: { kind: "account", account: { userName: "ada@corp" } },
		entitled: undefined,
		lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "disable", deleteAfterMs: 0 },
		at: AT,
		...more,
	};
}

function pin(part: Pin["part"], ignored: string, kept: string): Pin {
	return { part, ignored, kept, body: undefined, run: 12 };
}

const plan = (more: Partial<Situation>, ...pins: Pin[]) => {
	const { planned, standing } = planPinned(situation(more), pins);
	return { does: planned.changes.map(({ kind }) => kind), stands: standing.length === pins.length, dueAt: planned.dueAt };
};

describe("an account pinned as active", () => {
	it.each([
		{ ignored: "disabled", presence: person("disabled"), does: [], stands: true },
		{ ignored: "disabled", presence: person("enabled"), does: [], stands: false },
		{ ignored: "disabled", presence: person("unknown"), does: [], stands: true },
		{ ignored: "disabled", presence: person("disabled", AT), does: ["disable"], stands: false },
		{ ignored: "disabled expired", presence: person("disabled", AT), does: [], stands: true },
		{ ignored: "disabled expired", presence: person("enabled", AT), does: [], stands: true },
		{ ignored: "disabled expired", presence: person("unknown", AT), does: [], stands: true },
		{ ignored: "disabled", presence: left, does: ["disable"], stands: false },
		{ ignored: "out-of-scope", presence: left, does: [], stands: true },
		{ ignored: "out-of-scope", presence: gone, does: ["disable"], stands: false },
		{ ignored: "deleted", presence: gone, does: [], stands: true },
		{ ignored: "deleted", presence: person("enabled"), does: [], stands: false },
	])("although it ends for $ignored: $presence → $does, the pin stands: $stands", ({ ignored, presence, does, stands }) => {
		expect(plan({ presence }, pin("state", ignored, '"active"'))).toMatchObject({ does, stands });
	});

	it("is planned again when its entry expires by itself", () => {
		expect(plan({ presence: person("disabled", AT + 5) }, pin("state", "disabled", '"active"')).dueAt).toBe(AT + 5);
	});

	it("and gone for long is not deleted for its retention", () => {
		const before = { account: { ...ada, active: false }, cause: "deleted" as const, endedAt: 1 };
		expect(plan({ before, presence: gone }, pin("state", "deleted", '"active"')).does).toEqual(["enable"]);
		expect(plan({ before, presence: gone }).does).toEqual(["delete"]);
	});
});

describe("an account pinned as disabled, or as not there", () => {
	it.each([
		{ kept: '"disabled"', ignored: "", presence: person("enabled"), does: ["disable"], stands: true },
		{ kept: '"disabled"', ignored: "", presence: person("disabled"), does: ["disable"], stands: false },
		{ kept: '"none"', ignored: "", presence: person("enabled"), does: ["delete"], stands: true },
		{ kept: '"none"', ignored: "", presence: left, does: ["disable"], stands: false },
		{ kept: '"none"', ignored: "disabled", presence: person("enabled"), does: [], stands: false },
	])("$kept: $presence → $does, the pin stands: $stands", ({ kept, ignored, presence, does, stands }) => {
		expect(plan({ presence }, pin("state", ignored, kept))).toMatchObject({ does, stands });
	});

	it("makes nobody who is not to be there", () => {
		expect(plan({ before: undefined }, pin("state", "", '"none"')).does).toEqual([]);
	});
});

describe("a pinned part", () => {
	const mapped = (department: string) => ({ kind: "account" as const, account: { userName: "ada@corp", department } });

	it.each([
		{ says: mapped("Treasury"), becomes: "Sales", stands: true },
		{ says: mapped("Legal"), becomes: "Legal", stands: false },
		{ says: { kind: "unmappable" as const, reason: "no name" }, becomes: undefined, stands: true },
		{ says: undefined, becomes: undefined, stands: true },
	])("is kept while the directory says the same: $says → $becomes", ({ says, becomes, stands }) => {
		const { planned, standing } = planPinned(situation({ mapped: says }), [pin("department", '"Treasury"', '"Sales"')]);
		expect(planned.desired?.department).toBe(becomes);
		expect(standing.length === 1).toBe(stands);
	});

	it("of features and policies is kept one by one; what no rule can tell says nothing new", () => {
		const entitled = (features: string[], untold: string[] = []): Entitled => ({
			entitlements: { features },
			untold: untold.map((name) => ({ rule: { kind: "feature", name } })),
			words: () => "",
		});
		const pins = [pin("feature archive", "false", "true")];
		const of = (said: Entitled) => {
			const { planned, standing } = planPinned(situation({ entitled: said }), pins);
			return [planned.desired?.features, standing.length];
		};
		expect(of(entitled(["search"]))).toEqual([["archive", "search"], 1]);
		expect(of(entitled(["archive"]))).toEqual([["archive"], 0]);
		expect(of(entitled(["archive"], ["archive"]))).toEqual([["archive"], 1]);
	});
});
