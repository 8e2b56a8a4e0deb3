import type { ConfigLines } from "../core/config-lines.ts";
import { type Mapping, mappingFields } from "../core/mapping.ts";
import type { Config } from "./config.ts";
import { defaultMapping } from "./resolve.ts";

/** Where the configuration says what of its source at `index`. */
export function configLines({ sources }: Pick<Config, "sources">, index: number): ConfigLines {
	const source = sources[index];
	if (source === undefined) throw new Error(`there is no source ${index}`);
	const { bases, users, mapping } = source;
	const place = `sources[${index}]`;
	const numbered = (texts: readonly string[], at: string) => texts.map((text, number) => ({ text, line: `${at}[${number}]` }));
	const usual: Mapping = defaultMapping(source);
	return {
		source: place,
		// One base may be written without a list.
		bases: bases.length === 1 ? bases.map((text) => ({ text, line: `${place}.base` })) : numbered(bases, `${place}.base`),
		excluded: numbered(users.exclude, `${place}.users.exclude`),
		filter: users.filter,
		groups: numbered(users.groups, `${place}.users.groups`),
		mapping,
		ownFields: new Set(mappingFields.filter((field) => mapping[field] !== usual[field])),
	};
}
