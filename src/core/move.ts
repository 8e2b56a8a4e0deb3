import type { Anchor } from "./entry.ts";

/** Where an account was before its person came from another source. */
export interface Origin {
	readonly source: string;
	readonly anchor: Anchor;
}

/** How the change log says it; `originIn` is the inverse. */
export function cameFrom({ source, anchor }: Origin): string {
	return `came from source ${source} (${anchor})`;
}

/** Where an account came from, by the reason of the change that brought it; undefined: it was not brought by one. */
export function originIn(why: string): Origin | undefined {
	// What follows after "; " is what else changed. A source's name holds no blank.
	const found = /^came from source (\S+) \((.+?)\)(?:; |$)/s.exec(why);
	return found === null ? undefined : { source: found[1] as string, anchor: found[2] as Anchor };
}
