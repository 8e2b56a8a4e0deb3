import type { CompiledCondition } from "../core/condition.ts";
import { collapsed } from "../core/seal.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { LINK } from "./attributes.ts";
import type { Hold } from "./holding.ts";
import { blindPlaces } from "./places.ts";
import type { PlanningResult } from "./planning.ts";
import { chainsOfRules } from "./rules.ts";
import type { SyncSource } from "./settings.ts";

/**
 * Why what conditions say of links is doubted: the links of many are gone at once although those whom they name are there, or those on
 * the way up lost the attribute that leads on. It touches people who lost nothing themselves, so that all of them wait.
 */
export function whyLinksAreDoubted(
	session: Session,
	sync: SyncSource,
	state: SourceState,
	{ unlinked }: PlanningResult,
	lossHolds: ReadonlyMap<number, Hold>,
): string | undefined {
	if (!asksLinks([...sync.entitling.all, ...sync.views])) return undefined;
	const chains = chainsOfRules(sync);
	const led = session.settlement.lossy().find(({ id, lost }) => lossHolds.has(id) && lost.split(",").some((name) => chains.has(name)));
	const why =
		(led && lossHolds.get(led.id)?.because) ??
		[...blindPlaces(session, sync.source, state, unlinkedRows(unlinked)).values()][0] ??
		collapsed([{ attribute: LINK, lost: unlinked.length, had: session.snapshot.attributeCounts(state.id).get(LINK) ?? 0 }])[0];
	return why && `links may not be followed to their end: ${why}`;
}

/** Whether a condition of these asks whom entries name. */
export function asksLinks(holders: readonly { readonly condition: CompiledCondition | undefined }[]): boolean {
	return holders.some(({ condition }) => condition !== undefined && (condition.chains.size > 0 || condition.attributes.has(LINK)));
}

function unlinkedRows(ids: readonly number[]) {
	return ids.map((id) => ({ id, lost: LINK }));
}
