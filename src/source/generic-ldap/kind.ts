import { makeMatcher } from "../../core/matching.ts";
import { containerClasses } from "./presets.ts";
import { ldapSchema } from "./schema.ts";
import type { Scope } from "./scope.ts";

/** What an object of these classes is that is no person of the scope's, in words: "a group". */
export function whatIs({ groupClasses }: Pick<Scope, "groupClasses">, classes: readonly string[]): string {
	const names = classes.map((name) => name.toLowerCase());
	// What else is asked there is not known here.
	if (makeMatcher(groupClasses, ldapSchema)((name) => (name === "objectclass" ? classes : undefined)) === true) return "a group";
	if (names.includes("device")) return "a device";
	if (names.includes("organizationalunit")) return "an organizational unit";
	if (containerClasses.some((name) => names.includes(name.toLowerCase()))) return "a container";
	const narrower = classes.filter((name) => name.toLowerCase() !== "top");
	if (narrower.length === 0) return "an object that does not show what it is";
	return `an object of ${narrower.length === 1 ? "class" : "classes"} ${narrower.join(", ")}`;
}
