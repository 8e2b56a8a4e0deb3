import { equal } from "../../core/filter-text.ts";
import type { Members, ReadGroup, ReadRequest } from "../source.ts";
import type { Marked, MarkedGroup } from "./delta.ts";
import type { GroupTally } from "./group-pages.ts";
import { readGroupKeys } from "./group-pages.ts";
import { batches, completeGroup, inScopeOf, type KeyedGroup, rawGroup, readGroups } from "./group-read.ts";
import { keyText, nameAll } from "./member-ranges.ts";
import { nobody } from "./members.ts";
import type { NamedGroup } from "./named-groups.ts";
import { keyOf, type Visit, visitAll } from "./visit.ts";

/** Why a group is read again, and so how much of it. */
interface Mark {
	readonly key: Uint8Array;
	/** `moved`: a container above it changed, and with it no more than where it is. */
	readonly change: "any" | "moved" | NonNullable<MarkedGroup["members"]>;
	/** For a person, as it was told. */
	readonly dn: string;
}

/** Unknown members past which all groups are listed once, instead of asking for each whether it is one. */
const MANY = 1000;

/**
 * The groups that changed: those in scope, and those that the snapshot has already, because they are named or nested. Then those
 * that became members of one, and that nobody had known before. `visit` is that of the groups' scope.
 */
export async function* deltaGroups(
	visit: Visit,
	{ marked, named, known }: { readonly marked: Marked; readonly named: readonly NamedGroup[]; readonly known: ReadRequest["known"] },
	tally: GroupTally,
): AsyncGenerator<readonly ReadGroup[], void> {
	const gone = marked.groups.filter(({ key, isDeleted }) => isDeleted && known(key) === "group");
	if (gone.length > 0) yield gone.map(({ key }) => ({ kind: "deleted", key }));

	const isKnown = (key: Uint8Array): boolean => known(key) === "group";
	const wantedAnyway = new Set(named.filter(({ key }) => !isKnown(key)).map(({ key }) => keyText(key)));
	const done = new Set<string>();
	const nested = makeNested(known);
	for (const batch of batches(await gatherMarks(visit, marked, named, wantedAnyway))) {
		const fields = await readGroups(
			visit,
			batch.map(({ key }) => key),
			"fields",
		);
		const inScope = await inScopeOf(visit, fields);
		const byKey = new Map(batch.map((mark) => [keyText(mark.key), mark]));
		noteUnseen(visit, batch, fields, isKnown);
		const whole: Uint8Array[] = [];
		const page: ReadGroup[] = [];
		for (const group of fields) {
			const text = keyText(group.key);
			const change = byKey.get(text)?.change ?? "any";
			if (!inScope.has(text) && !isKnown(group.key) && !wantedAnyway.has(text)) continue;
			done.add(text);
			if (change === "any" || !isKnown(group.key)) whole.push(group.key);
			else page.push(await changedGroup(visit, group, inScope.has(text), change));
		}
		for (const group of await readGroups(visit, whole, "whole")) {
			const complete = await completeGroup(visit, group, inScope.has(keyText(group.key)));
			if (complete !== undefined) page.push(complete);
		}
		for (const group of page) nested.note(group);
		if (page.length > 0) yield page;
	}
	yield* nestedGroups(visit, nested, done);
	tally.isComplete = true;
}

/** Each group once: what has changed of it wins over that something above it has. */
async function gatherMarks(
	visit: Visit,
	marked: Marked,
	named: readonly NamedGroup[],
	wantedAnyway: ReadonlySet<string>,
): Promise<readonly Mark[]> {
	const marks = new Map<string, Mark>();
	for (const { anchor, dn } of marked.containers) {
		// A group beneath it may have come into the scope or left it, and its own USN did not move.
		for (const raw of await visitAll(visit, `<GUID=${anchor}>`, equal("objectClass", "group"), ["objectGUID"])) {
			const key = keyOf(raw)?.slice();
			if (key !== undefined) marks.set(keyText(key), { key, change: "moved", dn });
		}
	}
	for (const { key, dn } of named) if (wantedAnyway.has(keyText(key))) marks.set(keyText(key), { key, change: "any", dn });
	for (const { key, dn, isDeleted, members } of marked.groups) {
		if (!isDeleted) marks.set(keyText(key), { key, change: members ?? "any", dn });
	}
	return [...marks.values()];
}

/** A known group that changed and is not found: it may be deleted since, or hidden. Either way the next delta has to ask again. */
function noteUnseen(visit: Visit, batch: readonly Mark[], found: readonly KeyedGroup[], isKnown: (key: Uint8Array) => boolean): void {
	const seen = new Set(found.map(({ key }) => keyText(key)));
	for (const { key, dn } of batch) {
		if (isKnown(key) && !seen.has(keyText(key)))
			visit.unsealed.push(`the group "${dn}" changed, but could not be seen when it was asked for`);
	}
}

async function changedGroup(
	visit: Visit,
	group: KeyedGroup,
	isInScope: boolean,
	change: Exclude<Mark["change"], "any">,
): Promise<ReadGroup> {
	const raw = rawGroup(group, isInScope);
	if (change === "moved") return { kind: "changed", group: raw, added: nobody, removed: nobody };
	return { kind: "changed", group: raw, added: await nameAll(visit, change.added), removed: await nameAll(visit, change.removed) };
}

/** Members of the groups that were read which the snapshot does not know: some of them may be groups. */
function makeNested(known: ReadRequest["known"]) {
	let open = new Map<string, Uint8Array>();
	const noteAll = ({ count, keys }: Members): void => {
		for (let i = 0; i < count; i++) {
			const key = keys.subarray(i * 16, i * 16 + 16);
			if (known(key) === undefined) open.set(keyText(key), key.slice());
		}
	};
	return {
		note: (group: ReadGroup): void => {
			if (group.kind === "whole") noteAll(group.members);
			else if (group.kind === "changed") noteAll(group.added);
		},
		take: (): ReadonlyMap<string, Uint8Array> => {
			const taken = open;
			open = new Map();
			return taken;
		},
	};
}

async function* nestedGroups(
	visit: Visit,
	nested: ReturnType<typeof makeNested>,
	done: Set<string>,
): AsyncGenerator<readonly ReadGroup[], void> {
	let groups: ReadonlySet<string> | undefined;
	for (let open = nested.take(); open.size > 0; open = nested.take()) {
		if (open.size > MANY) groups ??= await readGroupKeys(visit);
		const asked = [...open].filter(([text]) => !done.has(text) && groups?.has(text) !== false);
		for (const batch of batches(asked)) {
			for (const [text] of batch) done.add(text);
			const found = await readGroups(
				visit,
				batch.map(([, key]) => key),
				"whole",
			);
			const inScope = await inScopeOf(visit, found);
			const page: ReadGroup[] = [];
			for (const group of found) {
				const complete = await completeGroup(visit, group, inScope.has(keyText(group.key)));
				if (complete !== undefined) page.push(complete);
			}
			for (const group of page) nested.note(group);
			if (page.length > 0) yield page;
		}
	}
}
