import { isBackLink, isConstructed } from "../core/constructed.ts";
import { attributesOf, parseFilter } from "../core/filter-text.ts";
import { mappingFields } from "../core/mapping.ts";
import { attributesIn, parseTemplate } from "../core/template.ts";
import { typeOf } from "./belonging.ts";
import { checkFilter } from "./formats.ts";
import { type Gathering, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";
import type { SourceType } from "./schema.ts";

/** Filters of a source that choose its entries. */
const filters: readonly Path[] = [["users", "filter"], ["people"], ["disabled"], ["groups", "filter"], ["groups", "objects"]];

/** Warns of attributes that change without their entry changing, wherever a source asks for them. */
export function checkUnseen(gathering: Gathering, sources: readonly Path[]): void {
	const readers = sources.flatMap((source) => {
		const type = typeOf(gathering, source);
		// Whoever reads everything every time misses nothing.
		if (type === undefined || textAt(gathering, [...source, "changes"]) === "full") return [];
		return [{ source, type, name: textAt(gathering, [...source, "name"]) ?? "the source" }];
	});
	for (const { source, type } of readers) {
		for (const filter of filters) {
			const at = [...source, ...filter];
			const text = textAt(gathering, at) ?? "";
			if (checkFilter(text) !== undefined) continue;
			for (const attribute of attributesOf(parseFilter(text))) {
				if (isUnseen(attribute, type)) warnOf(gathering, at, attribute, "this source");
			}
		}
	}
	for (const field of mappingFields) {
		const at = ["mapping", field];
		const template = parseTemplate(textAt(gathering, at) ?? "");
		for (const attribute of template.kind === "template" ? new Set(attributesIn(template)) : []) {
			const names = readers.filter(({ type }) => isUnseen(attribute, type)).map(({ name }) => name);
			if (names.length > 0) warnOf(gathering, at, attribute, names.join(" and "));
		}
	}
}

function isUnseen(attribute: string, type: SourceType): boolean {
	return isBackLink(attribute) || isConstructed(attribute, type);
}

/** `attribute` is in lower case, as templates and filters give it; it is shown as it is written. */
function warnOf(gathering: Gathering, at: Path, attribute: string, whose: string): void {
	const written = textAt(gathering, at) ?? "";
	const start = written.toLowerCase().indexOf(attribute);
	const name = written.slice(start, start + attribute.length);
	const entry = at.includes("groups") ? "the group's entry" : "the person's entry";
	const isAboutPeople = at.at(-2) === "users" && /^(?:is)?memberof$/.test(attribute);
	gathering.warn(at, {
		message: `${name} changes without ${entry} changing, so a delta cannot see it; every reading of ${whose} will be a full one`,
		remedy: isAboutPeople ? "use users.groups" : "leave it out",
	});
}
