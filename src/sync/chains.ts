import { dnKey } from "../core/dn.ts";
import type { Entry } from "../core/entry.ts";
import type { Truth } from "../core/matching.ts";
import { digest } from "../lib/digest.ts";
import type { Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible } from "./attributes.ts";

/** Whom one attribute names, from entry to entry: `manager` leads to the head of the company. */
export interface Chains {
	/** Whether the entry of a DN (its key) is reached from these values; undefined: an entry on the way is not ours to see. */
	reaches(attribute: string, values: readonly string[], target: string): Truth;
}

/** Links kept; a company has far fewer managers than people. */
const KEPT = 200_000;

/** Follows attributes through stage and snapshot, by rule 1.2.840.113556.1.4.1941 (MS-ADTS §3.1.1.3.4.4.3): to any depth, circles included. */
export function openChains(session: Session, source: Source, state: SourceState): Chains {
	const known = new Map<string, readonly string[] | undefined>();
	const valuesOf = (attribute: string, dn: string): readonly string[] | undefined => {
		const key = `${attribute} ${dn}`;
		if (!known.has(key)) {
			if (known.size >= KEPT) known.clear();
			const entry = entryAt(session, source, state, dn);
			known.set(key, entry && (entry.attributes.get(attribute) ?? []).map(dnKey));
		}
		return known.get(key);
	};
	return {
		reaches: (attribute, values, target) => {
			let truth: Truth = false;
			const seen = new Set(values.map(dnKey));
			// A set may grow while it is walked: new ones are visited, too.
			for (const dn of seen) {
				if (dn === target) return true;
				const next = valuesOf(attribute, dn);
				if (next === undefined) truth = undefined;
				else for (const each of next) seen.add(each);
			}
			return truth;
		},
	};
}

function entryAt(session: Session, source: Source, state: SourceState, dn: string): Entry | undefined {
	const at = digest(dn);
	const staged = session.stage.idByDn(at);
	if (staged !== undefined) return decoded(source, session.stage.bytes(staged));
	const before = session.snapshot.byDn(state.id, at);
	// Whoever the snapshot has there may be somewhere else by now.
	if (before === undefined || (session.stage.has(before.id) && !session.stage.isDoubted(before.id))) return undefined;
	return decoded(source, session.snapshot.bytes(before.id)?.bytes);
}

function decoded(source: Source, bytes: Uint8Array | undefined): Entry | undefined {
	return bytes === undefined ? undefined : decodeIfPossible(source, bytes);
}

const PAGE = 1000;

/**
 * Stages everybody beneath whoever names somebody else now, came, went or has another DN: the way up from them may lead somewhere else.
 * Asked for only where rules follow attributes; then every entry is looked at, in a run in which such a thing happened.
 */
export function stageBeneath(session: Session, source: Source, state: SourceState, attributes: ReadonlySet<string>): void {
	if (attributes.size === 0) return;
	const moved = movedDns(session, source, attributes);
	if (moved.size === 0) return;
	const naming = everyoneNaming(session, source, state, attributes);
	session.stage.batch(() => {
		for (const dn of moved) {
			for (const { id, dn: own } of naming.get(dn) ?? []) {
				session.stage.known(id);
				moved.add(own);
			}
		}
	});
}

/** Keys of the DNs, old and new, of those from whom the way goes on otherwise. */
function movedDns({ stage }: Session, source: Source, attributes: ReadonlySet<string>): Set<string> {
	const moved = new Set<string>();
	for (let after = 0; ; ) {
		const page = stage.page(after, PAGE);
		for (const { id, bytes, old_bytes, presence, gone } of page) {
			after = id;
			const was = old_bytes === null || gone !== null ? undefined : decodeIfPossible(source, old_bytes);
			const is = presence !== "present" ? undefined : bytes === null ? was : decodeIfPossible(source, bytes);
			if (was !== undefined && is !== undefined && linksOf(was, attributes) === linksOf(is, attributes)) continue;
			for (const entry of [was, is]) if (entry !== undefined) moved.add(dnKey(entry.dn));
		}
		if (page.length < PAGE) return moved;
	}
}

function linksOf({ dn, attributes }: Entry, names: ReadonlySet<string>): string {
	return JSON.stringify([dnKey(dn), ...[...names].map((name) => attributes.get(name))]);
}

/** Who names a DN, by its key, as the snapshot has it. Whoever this run read anew is on the stage already. */
function everyoneNaming(
	{ snapshot }: Session,
	source: Source,
	state: SourceState,
	attributes: ReadonlySet<string>,
): ReadonlyMap<string, readonly { readonly id: number; readonly dn: string }[]> {
	const naming = new Map<string, { id: number; dn: string }[]>();
	for (let after = 0; ; ) {
		const page = snapshot.presentIds(state.id, after, PAGE);
		for (const id of page) {
			after = id;
			const entry = decoded(source, snapshot.bytes(id)?.bytes);
			for (const name of attributes) {
				for (const value of entry?.attributes.get(name) ?? []) {
					const key = dnKey(value);
					const list = naming.get(key) ?? [];
					list.push({ id, dn: dnKey(entry?.dn ?? "") });
					naming.set(key, list);
				}
			}
		}
		if (page.length < PAGE) return naming;
	}
}
