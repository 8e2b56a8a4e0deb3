import { type DirectoryKind, isBackLink, isConstructed } from "../core/constructed.ts";
import { attributesOf, parseFilter } from "../core/filter-text.ts";
import { mappingFields } from "../core/mapping.ts";
import { attributesIn, parseTemplate } from "../core/template.ts";
import { changesOf, typeOf } from "./belonging.ts";
import { checkFilter, checkTemplate } from "./formats.ts";
import { type Gathering, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";

/** Filters of a source that choose its entries. */
const filters: readonly Path[] = [["users", "filter"], ["people"], ["disabled"], ["groups", "filter"], ["groups", "objects"]];

/** Warns of attributes that change without their entry changing, wherever a source asks for them. */
export function checkUnseen(gathering: Gathering, sources: readonly Path[]): void {
	const reading = sources.flatMap((source) => {
		const type = typeOf(gathering, source);
		// Whoever reads everything every time misses nothing.
		return type === undefined || textAt(gathering, [...source, "changes"]) === "full" ? [] : [{ source, type }];
	});
	for (const { source, type } of reading) {
		for (const filter of filters) {
			const at = [...source, ...filter];
			const text = textAt(gathering, at) ?? "";
			if (checkFilter(text) === undefined) warnOf(gathering, at, [...attributesOf(parseFilter(text))], [type]);
		}
	}
	for (const field of mappingFields) {
		const at = ["mapping", field];
		const text = textAt(gathering, at) ?? "";
		if (checkTemplate(text) !== undefined) continue;
		const template = parseTemplate(text);
		const types = Object.keys(changesOf).filter((type): type is DirectoryKind => reading.some((each) => each.type === type));
		if (template.kind === "template") warnOf(gathering, at, attributesIn(template), types);
	}
}

function warnOf(gathering: Gathering, at: Path, attributes: readonly string[], types: readonly DirectoryKind[]): void {
	for (const attribute of new Set(attributes)) {
		if (!isBackLink(attribute) && !types.some((type) => isConstructed(attribute, type))) continue;
		if (types.length === 0) continue;
		const entry = at.includes("groups") ? "the group's entry" : "the person's entry";
		const whose = at[0] === "mapping" ? "a source that reads it" : "this source";
		gathering.warn(at, {
			message: `${attribute} changes without ${entry} changing, so a delta cannot see it; every reading of ${whose} will be a full one`,
			remedy: /^(?:memberof|ismemberof)$/i.test(attribute) ? "use users.groups" : "leave it out",
		});
	}
}
