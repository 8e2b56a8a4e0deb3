import { nearest } from "../lib/nearest.ts";
import { type Gathering, isThere, listAt, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";

export const ruleSections = ["features", "policies"] as const;

/** What rules have to be beside the sources and each other. */
export function checkRules(gathering: Gathering): void {
	for (const section of ruleSections) {
		for (const index of listAt(gathering, [section]).keys()) checkSource(gathering, [section, index, "source"]);
	}
	checkReached(gathering);
}

function checkSource(gathering: Gathering, at: Path): void {
	const source = textAt(gathering, at);
	if (source === undefined) return;
	const names = listAt(gathering, ["sources"]).flatMap((_, index) => textAt(gathering, ["sources", index, "name"]) ?? []);
	if (names.includes(source)) return;
	const meant = nearest(source, names);
	const remedy = meant === undefined ? `name one of ${names.join(", ")}` : `did you mean ${meant}?`;
	gathering.problem(at, { message: "there is no source of this name", remedy });
}

/** After a value for everybody no other one of the same policy is ever given. */
function checkReached(gathering: Gathering): void {
	const ended = new Map<string, number>();
	for (const index of listAt(gathering, ["policies"]).keys()) {
		const at = ["policies", index];
		const name = textAt(gathering, [...at, "name"]);
		if (name === undefined) continue;
		const before = ended.get(name);
		if (before !== undefined) {
			const message = `is never reached: policies[${before}] gives ${name} a value for everybody, and the first rule that matches counts`;
			gathering.warn([...at, "name"], { message, remedy: "put the rule for everybody last" });
		} else if (!isThere(gathering, [...at, "when"]) && !isThere(gathering, [...at, "source"])) ended.set(name, index);
	}
}
