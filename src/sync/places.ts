import { dnKey, parentDn } from "../core/dn.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible } from "./attributes.ts";

/** So many of one container losing the same attribute at once are suspicious, if nobody there has it any more. */
const SUSPICIOUS = 3;
const PAGE = 500;

interface Place {
	readonly attribute: string;
	readonly dn: string;
	readonly ids: number[];
}

/**
 * Attributes that are gone from everyone in a container at once. Rights are given and taken by container: that a whole one is
 * stripped is lost rights sooner than changed people, however few they are among all. Returns a sentence for each id it concerns.
 * Walks the snapshot, but only when there is something suspicious.
 */
export function blindPlaces(
	session: Session,
	source: Source,
	state: SourceState,
	losses: readonly { readonly id: number; readonly lost: string }[],
): ReadonlyMap<number, string> {
	const places = new Map<string, Place>();
	for (const { id, lost } of losses) {
		const bytes = session.stage.bytes(id);
		const dn = bytes && parentDn(source.dn(bytes));
		if (dn === undefined) continue;
		for (const attribute of lost.split(",")) {
			const key = keyOf(attribute, dn);
			const place = places.get(key);
			if (place === undefined) places.set(key, { attribute, dn, ids: [id] });
			else place.ids.push(id);
		}
	}
	for (const [key, { ids }] of places) if (ids.length < SUSPICIOUS) places.delete(key);
	if (places.size > 0) leaveOutSeen(session, source, state, places);
	const sentences = new Map<number, string>();
	for (const { attribute, dn, ids } of places.values()) {
		const where = dn.split(/(?<!\\),/, 1)[0];
		for (const id of ids) sentences.set(id, `${attribute} is gone from everyone in ${where} at once: lost rights, or meant`);
	}
	return sentences;
}

/** Takes out the places where somebody still shows the attribute. */
function leaveOutSeen(session: Session, source: Source, state: SourceState, places: Map<string, Place>): void {
	const { stage, snapshot } = session;
	const look = (bytes: Uint8Array): void => {
		const dn = parentDn(source.dn(bytes));
		if (dn === undefined) return;
		const here = [...places].filter(([key, { attribute }]) => key === keyOf(attribute, dn));
		if (here.length === 0) return;
		const entry = decodeIfPossible(source, bytes);
		for (const [key, { attribute }] of here) if (entry?.attributes.has(attribute)) places.delete(key);
	};
	for (let after = 0; ; ) {
		const page = stage.page(after, PAGE);
		for (const { id, bytes } of page) {
			after = id;
			if (bytes !== null) look(bytes);
		}
		if (page.length < PAGE || places.size === 0) break;
	}
	for (let after = 0; places.size > 0; ) {
		const page = snapshot.presentIds(state.id, after, PAGE);
		for (const id of page) {
			after = id;
			const stored = stage.has(id) ? undefined : snapshot.bytes(id);
			if (stored !== undefined) look(stored.bytes);
		}
		if (page.length < PAGE) return;
	}
}

function keyOf(attribute: string, dn: string): string {
	return `${attribute} ${dnKey(dn)}`;
}
