import { type KnownTable, makeKnownTable } from "../lib/known-table.ts";
import type { MemberKeys, RawGroup, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { dnDigest } from "./reading.ts";

/** The ids under which members are stored, by the keys that the directory's groups name them by. */
export interface MemberIds {
	/** Whoever has no id yet gets one, as a stranger: `name` is asked for only then. */
	idOf(key: Uint8Array, name: () => string): number;
	/** The id of a group that the snapshot does not have: the one under which others name it already, or a new one. */
	idOfGroup(group: RawGroup): number;
}

/** Past so many questions a table of all keys is made: a select takes ten times as long as a look into it. */
const QUESTIONS = 2000;
const noDigest = new Uint8Array(16);

/** `isWhole`: nearly every key will be asked for. */
export function makeMemberIds(session: Session, source: Source, by: MemberKeys, state: SourceState, isWhole: boolean): MemberIds {
	const { stage, groups, groupStage } = session;
	let table: KnownTable | undefined;
	let questions = 0;

	const fillTable = (): KnownTable => {
		const filled = makeKnownTable(state.entries + 1024);
		// The first of two wins: where people are now, before where the snapshot has somebody else.
		if (by === "dn") for (const { id, key } of stage.keysByDn()) filled.add(key, noDigest, id);
		for (const { id, key } of groups.keys(state.id, by)) if (by === "anchor" || !stage.has(id)) filled.add(key, noDigest, id);
		if (by === "anchor") for (const { id, key } of stage.newKeys()) filled.add(key, noDigest, id);
		return filled;
	};

	const ask = (key: Uint8Array): number | undefined => {
		if (by === "anchor") {
			const anchor = source.anchor(key);
			return (
				groups.idByAnchor(state.id, anchor) ??
				stage.idOf(anchor) ??
				groupStage.idByAnchor(anchor) ??
				groups.stranger(state.id, key) ??
				groupStage.strangerId(key)
			);
		}
		const staged = stage.idByDn(key);
		if (staged !== undefined) return staged;
		const known = groups.idByDn(state.id, key);
		return (
			// Whoever the snapshot has there may be somewhere else by now.
			(known !== undefined && !stage.has(known) ? known : undefined) ??
			groupStage.idByDn(key) ??
			groups.stranger(state.id, key) ??
			groupStage.strangerId(key)
		);
	};

	const find = (key: Uint8Array): number | undefined => {
		if (table === undefined && (isWhole || ++questions > QUESTIONS)) table = fillTable();
		if (table === undefined) return ask(key);
		const id = table.see(key);
		return id === 0 ? undefined : id;
	};

	const remember = (key: Uint8Array, id: number): number => {
		table?.add(key, noDigest, id);
		return id;
	};

	return {
		idOf: (key, name) => {
			const known = find(key);
			if (known !== undefined) return known;
			const id = stage.allocate();
			groupStage.stranger(id, key, name());
			return remember(key, id);
		},
		idOfGroup: (group) => {
			const key = by === "anchor" ? group.key : dnDigest(source.dn(group.raw));
			return groupStage.idByAnchor(source.anchor(group.key)) ?? find(key) ?? remember(key, stage.allocate());
		},
	};
}
