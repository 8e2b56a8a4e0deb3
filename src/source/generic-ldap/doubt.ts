import { parentDn } from "../../core/dn.ts";
import { textsOf } from "../ldap/wire/entry.ts";
import type { LastKnown } from "../source.ts";
import { anything } from "./root.ts";
import { examples, nameIn, type Visit, visitOne } from "./visit.ts";

/**
 * Rights taken away look just like people gone. Asks, for one of them at a time, whether what is not seen would be seen if it were
 * there. A doubt is a sentence; without one, there is none. Answers are kept for as long as the reading lasts.
 */
export function makeDoubts(visit: Visit): (one: LastKnown) => Promise<string | undefined> {
	const containers = new Map<string, Promise<string | undefined>>();
	return async ({ anchor, dn }) => {
		const parent = parentDn(dn);
		// Whom the server itself names as gone needs no container to be looked for in: that may have moved in the same delta.
		if (parent !== undefined && !visit.deleted.has(anchor)) {
			const asked = containers.get(parent) ?? doubtContainer(visit, parent);
			containers.set(parent, asked);
			const doubt = await asked;
			if (doubt !== undefined) return doubt;
		}
		const { entries, isThere } = await visitOne(visit, dn, ["1.1"]);
		return isThere && entries.length === 0 ? "it is still there, but this account cannot read it" : undefined;
	};
}

async function doubtContainer(visit: Visit, parent: string): Promise<string | undefined> {
	const name = nameIn(visit, parent);
	const [there] = (await visitOne(visit, parent, ["hasSubordinates", "numSubordinates"])).entries;
	if (there === undefined) return `${name}, where it was, cannot be seen any more: it may be hidden from this account`;
	if ((await examples(visit, parent, anything, "one", 1)) > 0) return undefined;
	// X.501 and 389 Directory Server: counted by the server, whatever this account may see.
	if (textsOf(there, "hasSubordinates")[0]?.toUpperCase() === "FALSE" || textsOf(there, "numSubordinates")[0] === "0") return undefined;
	return `${name}, where it was, shows nothing at all to this account: the right to list it may have been taken away`;
}
