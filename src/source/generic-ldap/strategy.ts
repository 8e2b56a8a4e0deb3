import { isBackLink, isConstructed } from "../../core/constructed.ts";
import { attributesOf } from "../../core/filter-text.ts";
import { syncRequestOid } from "../ldap/wire/sync.ts";
import { isEntryUuid } from "./anchor.ts";
import type { Mark } from "./cursor.ts";
import { knowsAll } from "./cursor.ts";
import type { Changes } from "./options.ts";
import type { Root } from "./root.ts";
import type { Scope } from "./scope.ts";

/** How changes are found between full readings. */
export type Strategy =
	| { readonly kind: "syncrepl" }
	/** `because`: why not by syncrepl, where it was not asked for. */
	| { readonly kind: "timestamp"; readonly because: string | undefined }
	| { readonly kind: "full"; readonly because: string };

/** `showsTimestamp`: whether modifyTimestamp can be read. */
export function chooseStrategy(changes: Changes, scope: Scope, root: Root, showsTimestamp: boolean): Strategy {
	if (changes === "full") return { kind: "full", because: "changes: full is configured" };
	const silent = silentAttributes(scope);
	if (silent.length > 0) {
		const one = silent.length === 1;
		return {
			kind: "full",
			because: `${silent.join(", ")} ${one ? "changes" : "change"} without the entry changing, so that only a full reading sees it`,
		};
	}
	if (root.hidden !== undefined) {
		return {
			kind: "full",
			because: `the naming context "${root.hidden}" cannot be seen by this account, so who leaves the bases could not be followed`,
		};
	}
	const noSyncrepl = whyNoSyncrepl(scope, root);
	if (changes !== "timestamp" && noSyncrepl === undefined) return { kind: "syncrepl" };
	if (changes === "syncrepl") return { kind: "full", because: `changes: syncrepl is configured, but ${noSyncrepl}` };
	if (showsTimestamp) return { kind: "timestamp", because: changes === "auto" ? noSyncrepl : undefined };
	return {
		kind: "full",
		because: `modifyTimestamp cannot be read by this account${noSyncrepl === undefined ? "" : `, and ${noSyncrepl}`}`,
	};
}

/** For a person. */
export function describeStrategy(strategy: Strategy): string {
	switch (strategy.kind) {
		case "syncrepl":
			return "syncrepl";
		case "timestamp":
			return "modifyTimestamp (deletions by full readings)";
		case "full":
			return "full readings only";
	}
}

/** Why a delta cannot start where the last reading ended. */
export function whyFull(strategy: Strategy, mark: Mark | undefined, shape: string, root: Root): string | undefined {
	if (mark === undefined) return "the stored cursor is not one of this version";
	if (strategy.kind === "full") return strategy.because;
	if (mark.shape !== shape) return "what is asked of the directory has changed (bases, filters or attributes)";
	if (mark.kind !== strategy.kind) return `changes are found by ${describeStrategy(strategy)} from now on`;
	if (strategy.kind === "timestamp") {
		if (mark.newest === undefined) return "no modifyTimestamp has been seen so far";
		// Another server got the same change at another moment: what is older than the overlap may only just have come there.
		if (mark.server !== root.server) return `${root.server} is another server than ${mark.server}, and modifyTimestamp counts on one only`;
		return undefined;
	}
	for (const { dn, key } of root.contexts) {
		const before = mark.csns[key];
		if (before === undefined) return `"${dn}" was not read before`;
		if (!knowsAll(before, root.csns.get(key) ?? [])) return `${root.server} knows less of "${dn}" than was read before`;
	}
	return undefined;
}

function silentAttributes({ attributes, people, groups }: Scope): readonly string[] {
	const names = [...attributes, ...attributesOf(people), ...(groups === undefined ? [] : attributesOf(groups.filter))];
	const silent = names.filter((name) => isConstructed(name, "ldap") || isBackLink(name));
	return [...new Map(silent.map((name) => [name.toLowerCase(), name])).values()];
}

function whyNoSyncrepl({ anchors }: Scope, root: Root): string | undefined {
	if (!root.controls.has(syncRequestOid)) return "the server does not offer syncrepl (OpenLDAP: overlay syncprov)";
	if (!isEntryUuid(anchors.people) || !isEntryUuid(anchors.groups)) {
		return `syncrepl names who was deleted by entryUUID, and the anchor is ${anchors.people.attribute}`;
	}
	const blind = root.contexts.find(({ key }) => !root.csns.has(key));
	return blind === undefined ? undefined : `contextCSN of "${blind.dn}" cannot be read, from which syncrepl would start`;
}
