import type { Anchor } from "../core/entry.ts";
import { parseGroupName } from "../core/group-name.ts";
import type { ScopeGroup, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible } from "./attributes.ts";
import { dnDigest } from "./reading.ts";

/** Groups of a configuration by the snapshot alone. */
export interface SnapshotGroups {
	readonly found: readonly ScopeGroup[];
	/** Those that are not in it, as written, each with why by its key. */
	readonly missing: ReadonlyMap<string, string>;
}

/** What a group may be called besides its DN and anchor. */
interface Called {
	readonly sids: ReadonlyMap<string, Anchor>;
	/** By sAMAccountName, then by cn; undefined: several are called so. */
	readonly logonNames: ReadonlyMap<string, Anchor | undefined>;
	readonly commonNames: ReadonlyMap<string, Anchor | undefined>;
}

/** Looks for groups as a reading does: the one that was known under a name first, and only then by what the name says. */
export function findInSnapshot(session: Session, source: Source, state: SourceState, wanted: ReadonlyMap<string, string>): SnapshotGroups {
	const { groups } = session;
	const named = groups.named(state.id);
	const lost = new Set(named.filter(({ isMissing }) => isMissing === true).map(({ nameKey }) => nameKey));
	const pins = new Map([...named, ...(groups.scope(state.id) ?? [])].map(({ nameKey, anchor }) => [nameKey, anchor]));
	let called: Called | undefined;
	const found: ScopeGroup[] = [];
	const missing = new Map<string, string>();
	for (const [nameKey, written] of wanted) {
		if (lost.has(nameKey)) {
			missing.set(nameKey, `the group "${written}" was not there any more at the last reading`);
			continue;
		}
		const pin = pins.get(nameKey);
		const isPinned = pin !== undefined && groups.byAnchor(state.id, pin) !== undefined;
		const anchor = isPinned ? pin : byName(written);
		if (anchor === "several") missing.set(nameKey, `the group "${written}" may be any of several that are called so`);
		else if (anchor === undefined)
			missing.set(nameKey, `the group "${written}" is not in the snapshot: who is in it is known only after the next reading`);
		else found.push({ nameKey, anchor });
	}
	return { found, missing };

	function byName(written: string): Anchor | "several" | undefined {
		const name = parseGroupName(written);
		switch (name?.kind) {
			case undefined:
				return undefined;
			case "dn": {
				const id = groups.idByDn(state.id, dnDigest(name.dn));
				return id === undefined ? undefined : groups.byId(id)?.anchor;
			}
			case "guid":
				return byGuid(name.guid);
			case "sid":
				called ??= namesOfGroups(session, source, state);
				return called.sids.get(name.sid);
			case "name": {
				called ??= namesOfGroups(session, source, state);
				const key = name.name.toLowerCase();
				for (const names of [called.logonNames, called.commonNames]) if (names.has(key)) return names.get(key) ?? "several";
				return undefined;
			}
		}
	}

	/** Dashes where this directory has them, wherever they were written. */
	function byGuid(guid: string): Anchor | undefined {
		const spelled = [guid as Anchor, source.anchor(Buffer.from(guid.replaceAll("-", ""), "hex"))];
		const anchor = spelled.find((each) => groups.byAnchor(state.id, each) !== undefined);
		return anchor;
	}
}

function namesOfGroups({ groups }: Session, source: Source, state: SourceState): Called {
	const sids = new Map<string, Anchor>();
	const logonNames = new Map<string, Anchor | undefined>();
	const commonNames = new Map<string, Anchor | undefined>();
	for (const { anchor, bytes } of groups.walk(state.id)) {
		const attributes = decodeIfPossible(source, bytes)?.attributes;
		for (const sid of attributes?.get("objectsid") ?? []) sids.set(sid.toUpperCase(), anchor);
		note(logonNames, attributes?.get("samaccountname"), anchor);
		note(commonNames, attributes?.get("cn"), anchor);
	}
	return { sids, logonNames, commonNames };
}

function note(names: Map<string, Anchor | undefined>, values: readonly string[] | undefined, anchor: Anchor): void {
	for (const name of new Set(values?.map((value) => value.toLowerCase()))) names.set(name, names.has(name) ? undefined : anchor);
}
