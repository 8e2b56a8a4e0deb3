import { dnKey } from "../core/dn.ts";
import { type AdObject, keyOf, type Store } from "./store.ts";

/** What an account may not see and may do, on top of AD's default that everybody who is bound reads nearly everything. */
export interface Rights {
	/** Attributes that are not shown, everywhere or beneath one container; in filters they count as Undefined. */
	readonly hiddenAttributes: readonly HiddenAttribute[];
	/** Containers (or single objects) that are not there for the account, with all beneath. */
	readonly hiddenSubtrees: readonly string[];
	/** Containers that are there, but whose contents are not (no List Contents). */
	readonly unlistable: readonly string[];
	readonly mayReadDeleted: boolean;
	/** DS-Replication-Get-Changes: DirSync with all there is. */
	readonly mayReplicate: boolean;
	readonly mayWrite: boolean;
}

export interface HiddenAttribute {
	readonly attribute: string;
	readonly under?: string;
}

export const plainRights: Rights = {
	hiddenAttributes: [],
	hiddenSubtrees: [],
	unlistable: [],
	mayReadDeleted: false,
	mayReplicate: false,
	mayWrite: false,
};

/** The directory as one account sees it. */
export interface Sight {
	canSee(object: AdObject): boolean;
	/** Lower-case names of what is hidden on an object. The same set for all objects that are treated alike. */
	hiddenOn(object: AdObject): ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

/** `showDeleted`: the request carried control 417; without the right it changes nothing, as in AD. */
export function sightOf(store: Store, rights: Rights, showDeleted: boolean): Sight {
	const seesDeleted = showDeleted && rights.mayReadDeleted;
	const hidden = rights.hiddenSubtrees.map(dnKey);
	const unlistable = rights.unlistable.map(dnKey);
	const isPlain = hidden.length === 0 && unlistable.length === 0;
	return {
		canSee(object) {
			if (object.isDeleted && !seesDeleted) return false;
			if (isPlain || object === store.domain) return true;
			if (hidden.some((key) => keyOf(object).startsWith(key))) return false;
			return !unlistable.some((key) => keyOf(object).startsWith(key) && keyOf(object) !== key);
		},
		hiddenOn: makeHiding(rights.hiddenAttributes),
	};
}

function makeHiding(hidden: readonly HiddenAttribute[]): Sight["hiddenOn"] {
	if (hidden.length === 0) return () => NOTHING;
	const rules = hidden.map(({ attribute, under }) => ({ name: attribute.toLowerCase(), key: under === undefined ? "" : dnKey(under) }));
	const everywhere = new Set(rules.filter(({ key }) => key === "").map(({ name }) => name));
	const somewhere = rules.filter(({ key }) => key !== "");
	const known = new Map<string, ReadonlySet<string>>();
	return (object) => {
		const here = somewhere.filter(({ key }) => keyOf(object).startsWith(key)).map(({ name }) => name);
		if (here.length === 0) return everywhere;
		const text = here.join(" ");
		const found = known.get(text) ?? new Set([...everywhere, ...here]);
		known.set(text, found);
		return found;
	};
}
