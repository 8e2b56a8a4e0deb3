import { type Gathering, isThere, sayMissing, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";
import { type SourceType, sourceTypes } from "./schema.ts";

/** The ways of finding changes that sources of each type have. */
export const changesOf = {
	"active-directory": ["auto", "usn", "dirsync", "full"],
	ldap: ["auto", "syncrepl", "timestamp", "full"],
} as const satisfies Readonly<Record<SourceType, readonly string[]>>;

/** Keys of a source that belong to one type alone. */
const owners: readonly { readonly type: SourceType; readonly key: Path }[] = [
	{ type: "active-directory", key: ["site"] },
	{ type: "active-directory", key: ["watch"] },
	{ type: "active-directory", key: ["groups", "type"] },
	{ type: "ldap", key: ["preset"] },
	{ type: "ldap", key: ["anchor"] },
	{ type: "ldap", key: ["people"] },
	{ type: "ldap", key: ["disabled"] },
	{ type: "ldap", key: ["groups", "objects"] },
	{ type: "ldap", key: ["groups", "members"] },
];

/** The type of a source, or undefined when it is none that there is. */
export function typeOf(gathering: Gathering, source: Path): SourceType | undefined {
	const type = textAt(gathering, [...source, "type"]);
	return sourceTypes.find((known) => known === type);
}

/** Which keys and choices a source of its type has, and which it must have. */
export function checkBelonging(gathering: Gathering, source: Path): void {
	const type = typeOf(gathering, source);
	// What is missing in a type that nobody knows cannot be said, and what is wrong in it neither.
	if (type === undefined) return;
	for (const { type: owner, key } of owners) {
		const at = [...source, ...key];
		if (owner === type || !isThere(gathering, at)) continue;
		gathering.keyProblem(at, { message: `${key.join(".")} is for sources of type ${owner}`, remedy: "remove it" });
	}
	if (type === "ldap") sayMissing(gathering, [...source, "preset"]);
	checkChanges(gathering, source, type);
}

function checkChanges(gathering: Gathering, source: Path, type: SourceType): void {
	const at = [...source, "changes"];
	const changes = textAt(gathering, at);
	const own: readonly string[] = changesOf[type];
	const other = sourceTypes.find((each) => each !== type && changes !== undefined && changesOf[each].some((known) => known === changes));
	if (changes === undefined || own.includes(changes) || other === undefined) return;
	gathering.problem(at, { message: `${changes} is for sources of type ${other}`, remedy: `write one of ${own.join(", ")}` });
}
