import type { Standing } from "../../core/entry.ts";
import { attributesOf, parseFilter } from "../../core/filter-text.ts";
import { makeMatcher } from "../../core/matching.ts";
import { timeOf } from "../../core/syntax.ts";
import type { Expiry, Preset } from "./presets.ts";
import { ldapSchema } from "./schema.ts";

/** Who is disabled and whose account has ended, out of what entries show. */
export interface State {
	/** The attributes that say so. Mostly nobody has them, so that one entry's silence tells nothing: see veil.ts. */
	readonly attributes: readonly string[];
	/** `hidden`: lower-case names of those that cannot be read. */
	standing(attributes: ReadonlyMap<string, readonly string[]>, hidden: ReadonlySet<string>): Standing;
	/** Unix milliseconds: the first of them. */
	expiresAt(attributes: ReadonlyMap<string, readonly string[]>): number | undefined;
	/** As part of the scope: another one is another view. */
	readonly text: string;
}

const DAY_MS = 24 * 60 * 60_000;

/** `disabled`: a filter that takes the place of the preset's; empty: nobody is. */
export function makeState(preset: Preset, disabled: string | undefined): State {
	const text = disabled ?? preset.disabled ?? "";
	const filter = text.trim() === "" ? undefined : parseFilter(text);
	const matches = filter === undefined ? () => false : makeMatcher(filter, ldapSchema);
	const { expiry } = preset;
	return {
		attributes: [
			...new Set([...(filter === undefined ? [] : attributesOf(filter)), ...expiry.map(({ attribute }) => attribute.toLowerCase())]),
		],
		standing: (attributes, hidden) => {
			const truth = matches((name) => attributes.get(name) ?? (hidden.has(name) ? undefined : []));
			if (truth === true) return "disabled";
			// A hidden day on which it ended may have come.
			return truth === undefined || expiry.some(({ attribute }) => hidden.has(attribute.toLowerCase())) ? "unknown" : "enabled";
		},
		expiresAt: (attributes) => {
			const ends = expiry.flatMap(({ attribute, kind }) => endOf(attributes.get(attribute.toLowerCase())?.[0], kind) ?? []);
			return ends.length === 0 ? undefined : Math.min(...ends);
		},
		text: JSON.stringify([text, expiry]),
	};
}

function endOf(value: string | undefined, kind: Expiry["kind"]): number | undefined {
	if (value === undefined) return undefined;
	if (kind === "time") return timeOf(value);
	// -1 is "never"; 0, the first of January 1970, locks (chage -E 0).
	return /^\d{1,7}$/.test(value) ? Number(value) * DAY_MS : undefined;
}
