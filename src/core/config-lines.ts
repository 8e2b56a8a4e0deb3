import type { Mapping } from "./mapping.ts";

/** Where the configuration says what of one source, for whoever wants to change it. */
export interface ConfigLines {
	/** "sources[0]". */
	readonly source: string;
	readonly bases: readonly Line[];
	readonly excluded: readonly Line[];
	readonly filter: string | undefined;
	/** Those of `users.groups`. */
	readonly groups: readonly Line[];
	readonly mapping: Mapping;
	/** Fields that the configuration maps itself. */
	readonly ownFields: ReadonlySet<string>;
}

interface Line {
	readonly text: string;
	readonly line: string;
}
