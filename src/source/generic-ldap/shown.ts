import type { Entry } from "../../core/entry.ts";
import type { Lookup } from "../../core/matching.ts";
import type { Value } from "../../core/syntax.ts";
import { attributesIn } from "../ldap/wire/entry.ts";
import { filterValue } from "./decode.ts";

/** What an entry shows, for filters that are judged here. `asked`: what was asked for, lower case; of the rest nothing is known. */
export function shownBy(raw: Uint8Array, asked: ReadonlySet<string>): Lookup {
	const shown = new Map(attributesIn(raw).map(({ description, values }) => [plain(description), values] as const));
	return lookupIn(shown, asked, new Set());
}

/** The same of an entry that was decoded before. `hidden`: attributes that may not be readable where they are not shown. */
export function knownOf({ attributes }: Entry, asked: ReadonlySet<string>, hidden: ReadonlySet<string>): Lookup {
	const shown = new Map([...attributes].map(([name, values]) => [name, values.map((value) => filterValue(name, value))] as const));
	return lookupIn(shown, asked, hidden);
}

/** `cn;lang-de` is a `cn`, too, for who asks about that (RFC 4512 §2.5.2.1). */
function lookupIn(shown: ReadonlyMap<string, readonly Value[]>, asked: ReadonlySet<string>, hidden: ReadonlySet<string>): Lookup {
	return (description) => {
		const name = plain(description);
		const bare = name.split(";")[0] as string;
		if (!asked.has(bare)) return undefined;
		const values = [...shown].filter(([other]) => other === name || other.startsWith(`${name};`)).flatMap(([, found]) => found);
		// An attribute asked for by its number comes back by its name.
		return values.length === 0 && (hidden.has(bare) || /^\d/.test(bare)) ? undefined : values;
	};
}

function plain(description: string): string {
	return description.toLowerCase().replace(/;binary(?=;|$)/, "");
}
