import { dnKey, isBeneath, parseDn } from "../core/dn.ts";
import { checkDn } from "./formats.ts";
import { type Gathering, listAt, placesAt, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";

/** What a source reads: bases that do not overlap, exclusions that exclude something, DNs in one piece. */
export function checkScope(gathering: Gathering, source: Path): void {
	const base = [...source, "base"];
	checkSplitDns(gathering, [...source, "users", "groups"]);
	checkContainers(gathering, { base, exclude: [...source, "users", "exclude"], who: "nobody" });
	const groups = [...source, "groups"];
	const own = [...groups, "base"];
	const isOwn = placesAt(gathering, own).length > 0;
	checkContainers(gathering, { base: isOwn ? own : base, exclude: [...groups, "exclude"], who: "no group" });
}

interface Containers {
	readonly base: Path;
	readonly exclude: Path;
	/** Who is in scope when a whole base is excluded. */
	readonly who: string;
}

function checkContainers(gathering: Gathering, { base, exclude, who }: Containers): void {
	const isSplit = checkSplitDns(gathering, base);
	if (checkSplitDns(gathering, exclude) || isSplit) return;
	const bases = placesAt(gathering, base).flatMap((where) => keyedDn(gathering, where));
	for (const [index, { key, path }] of bases.entries()) {
		const outer = bases.find((other, before) => (other.key === key ? before < index : isBeneath(key, other.key)));
		if (outer !== undefined) {
			gathering.problem(path, { message: `is read already, as part of ${outer.dn}`, remedy: "remove one of the two" });
		}
	}
	for (const index of listAt(gathering, exclude).keys()) {
		for (const excluded of keyedDn(gathering, [...exclude, index])) {
			const isAll = bases.some(({ key }) => isBeneath(key, excluded.key));
			if (bases.length === 0 || (!isAll && bases.some(({ key }) => isBeneath(excluded.key, key)))) continue;
			const message = isAll ? `excludes a whole base: ${who} of it is in scope` : "excludes nothing: it is not beneath any base";
			gathering.warn(excluded.path, { message, remedy: "check it against base" });
		}
	}
}

/** `[OU=Staff,DC=corp]` without quotes is a list of two, each of them a DN of its own, and neither the one that was meant. */
export function checkSplitDns(gathering: Gathering, list: Path): boolean {
	const items = listAt(gathering, list);
	const index = items.findIndex((item) => typeof item === "string" && checkDn(item) === undefined && parseDn(item).length === 1);
	if (items.length < 2 || index < 0) return false;
	const isInBrackets = gathering.document.written(list)?.startsWith("[") === true;
	if (!isInBrackets || /^["']/.test(gathering.document.written([...list, index]) ?? "")) return false;
	const remedy = `put each DN in quotes, as in ["${items.join(",")}"]`;
	gathering.problem([...list, index], { message: "a single part of a DN: the commas of a DN without quotes divide it", remedy });
	return true;
}

function keyedDn(gathering: Gathering, where: Path): readonly { readonly path: Path; readonly dn: string; readonly key: string }[] {
	const dn = textAt(gathering, where);
	return dn === undefined || checkDn(dn) !== undefined ? [] : [{ path: where, dn, key: dnKey(dn) }];
}
