import { attributesOfCondition } from "../core/condition.ts";
import { isBackLink, isConstructed } from "../core/constructed.ts";
import { attributesOf, parseFilter } from "../core/filter-text.ts";
import { mappingFields } from "../core/mapping.ts";
import { attributesIn, parseTemplate } from "../core/template.ts";
import { typeOf } from "./belonging.ts";
import { checkFilter } from "./formats.ts";
import { type Gathering, listAt, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";
import { ruleSections } from "./rules.ts";
import type { SourceType } from "./schema.ts";
import { conditionsAt } from "./targets.ts";

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
			for (const attribute of filteredBy(gathering, at)) {
				if (isUnseen(attribute, type)) warnOf(gathering, at, attribute, "this source");
			}
		}
	}
	const targets = [...listAt(gathering, ["targets"]).keys()].map((index) => ["targets", index]);
	const templates = [[], ...targets].flatMap((above) => mappingFields.map((field) => [...above, "mapping", field]));
	const rules = ruleSections.flatMap((section) => [...listAt(gathering, [section]).keys()].map((index) => [section, index]));
	const conditions = [...targets, ...rules].flatMap((above) => conditionsAt(gathering, [...above, "when"])).map((at) => [...at, "filter"]);
	const asked = [
		...templates.map((at) => ({ at, attributes: mappedFrom(gathering, at) })),
		...conditions.map((at) => ({ at, attributes: conditionedBy(gathering, at) })),
	];
	for (const { at, attributes } of asked) {
		for (const attribute of attributes) {
			const names = readers.filter(({ type }) => isUnseen(attribute, type)).map(({ name }) => name);
			if (names.length > 0) warnOf(gathering, at, attribute, names.join(" and "));
		}
	}
}

/** Attributes of the filter at a path; none when it cannot be read, which the schema says. */
function filteredBy(gathering: Gathering, at: Path): ReadonlySet<string> {
	const text = textAt(gathering, at) ?? "";
	return checkFilter(text) === undefined ? attributesOf(parseFilter(text)) : new Set();
}

/** The same of a condition, which asks no entry for memberships. */
function conditionedBy(gathering: Gathering, at: Path): ReadonlySet<string> {
	const filter = textAt(gathering, at) ?? "";
	return checkFilter(filter) === undefined ? new Set(attributesOfCondition({ filter })) : new Set();
}

function mappedFrom(gathering: Gathering, at: Path): ReadonlySet<string> {
	const template = parseTemplate(textAt(gathering, at) ?? "");
	return new Set(template.kind === "template" ? attributesIn(template) : []);
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
	const isMemberOf = /^(?:is)?memberof$/.test(attribute);
	const instead = at.at(-2) === "users" ? "use users.groups" : at.includes("when") ? "use group in place of filter" : undefined;
	gathering.warn(at, {
		message: `${name} changes without ${entry} changing, so a delta cannot see it; every reading of ${whose} will be a full one`,
		remedy: (isMemberOf ? instead : undefined) ?? "leave it out",
	});
}
