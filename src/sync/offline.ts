import { setImmediate } from "node:timers/promises";
import { groupKey } from "../core/group-name.ts";
import type { ScopePlace } from "../core/scope.ts";
import type { Protection, ScopeGroup, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { decodeIfPossible } from "./attributes.ts";
import type { KeptFields } from "./kept-fields.ts";
import { makeRuleTally, type RuleTally } from "./rule-tally.ts";
import { groupsOfRules } from "./rules.ts";
import type { SyncSource } from "./settings.ts";
import { findInSnapshot, type SnapshotGroups } from "./snapshot-groups.ts";
import { protectionBySnapshot } from "./snapshot-protection.ts";
import { isAnotherScope, whyViewChanged } from "./view-change.ts";

/** What a configuration says of a source that a run otherwise learns from its reading. */
export interface OfflineTerms {
	/** The groups of users.groups, as written. */
	readonly scopeGroups: readonly string[];
	/** DNs under protection. */
	readonly protect: readonly string[];
	/** Whether it can be told as whom the directory would be read. */
	readonly knowsIdentity: boolean;
	readonly kept: KeptFields;
	/** Names of people in each list of examples. */
	readonly mostExamples: number;
}

/** What takes the place of a reading where the snapshot is all there is. */
export interface Offline {
	readonly viewChanged: string | undefined;
	readonly ruleGroups: readonly ScopeGroup[];
	/** Undefined: everybody who is in the snapshot is in scope, as far as groups go. */
	readonly scopeGroups: readonly ScopeGroup[] | undefined;
	readonly protection: Protection;
	readonly kept: KeptFields;
	readonly tally: RuleTally;
	/** By the keys of their names: groups of rules that are not in the snapshot. */
	readonly missingGroups: SnapshotGroups["missing"];
	/** What can be told only after the next reading, in sentences. */
	readonly unknown: readonly string[];
}

const PAGE = 500;

/** Holds a source's terms against the snapshot, and stages those whom another scope leaves out. */
export async function lookOffline(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	terms: OfflineTerms,
	signal: AbortSignal,
): Promise<Offline> {
	const { source } = sync;
	const ofRules = findInSnapshot(session, source, state, groupsOfRules(sync));
	const ofScope = findInSnapshot(session, source, state, new Map(terms.scopeGroups.map((name) => [groupKey(name), name])));
	const { protection, unknown } = protectionBySnapshot(session, source, state, terms.protect);
	const isAnother = isAnotherScope(source.scope, state);
	const untold = isAnother ? await stageLeavers(session, source, state, signal) : [];
	return {
		viewChanged: whyViewChanged({ identity: terms.knowsIdentity ? source.identity : undefined, scope: source.scope }, state),
		ruleGroups: ofRules.found,
		scopeGroups: terms.scopeGroups.length === 0 || ofScope.missing.size > 0 ? undefined : ofScope.found,
		protection,
		kept: terms.kept,
		tally: makeRuleTally(sync.entitling, terms.mostExamples),
		missingGroups: ofRules.missing,
		unknown: [
			...(isAnother ? ["the scope is another than at the last reading: whom it has newly is known only after the next one"] : []),
			...untold,
			...[...ofScope.missing.values()].map((why) => `users.groups: ${why}; nobody is put out of scope by it until then`),
			...(terms.knowsIdentity ? [] : ["as whom the directory would be read: the client certificate's key cannot be read"]),
			...(source.groupScope !== undefined && source.groupScope !== state.groupScope
				? ["the scope of groups is another than at the last reading: which groups come and go is known only after the next one"]
				: []),
			...unknown,
		],
	};
}

/** Stages whoever is not in scope any more, for certain. Who may be stays; returns of how many that is so, and why of the first. */
async function stageLeavers(session: Session, source: Source, state: SourceState, signal: AbortSignal): Promise<readonly string[]> {
	const asked = new Set((JSON.parse(state.attributes ?? "[]") as string[]).map((name) => name.toLowerCase()));
	let untold = 0;
	let because = "";
	for (let after = 0; ; ) {
		signal.throwIfAborted();
		const page = session.snapshot.presentPage(state.id, after, PAGE);
		session.stage.batch(() => {
			for (const { id, bytes } of page) {
				const entry = decodeIfPossible(source, bytes);
				if (entry === undefined) continue;
				const place = source.placeOf(entry, asked);
				if (place.kind === "unknown") {
					if (untold++ === 0) because = place.why;
				} else if (place.kind !== "in-scope") session.stage.gone(id, "out-of-scope", whereOf(place), undefined);
			}
		});
		const last = page.at(-1);
		if (last === undefined) break;
		after = last.id;
		await setImmediate();
	}
	if (untold === 0) return [];
	return [`of ${untold.toLocaleString("en-US")} people it cannot be told whether they are in scope (${because}); they stay`];
}

function whereOf(place: Exclude<ScopePlace, { readonly kind: "in-scope" | "unknown" }>): string {
	switch (place.kind) {
		case "elsewhere":
			return place.where;
		case "excluded":
			return `beneath ${place.by}, which is excluded`;
		case "filtered":
			return place.why;
		case "not-a-person":
			return `${place.what}, no person`;
	}
}
