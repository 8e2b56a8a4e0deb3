/** How often one attribute was there at the last commit, and how many entries lost it in this reading. */
export interface AttributeLoss {
	readonly attribute: string;
	/** Entries that had it, by the snapshot. */
	readonly had: number;
	/** Of those, how many were seen again without it. */
	readonly lost: number;
}

/** So few may lose an attribute in one run without being suspicious, as long as somebody has it still. */
const LOSSES_BELIEVED = 10;
/** And so few may even be all who had it. */
export const LAST_BELIEVED = 2;
/** A fifth of all that had it: whole departments are not stripped of an attribute between two readings; rights are. */
const SHARE_BELIEVED = 0.2;

/** Why a full reading with nobody in it proves nothing by itself: lost rights and a wrong filter look the same (design, invariant 1). */
export function doubtOfEmptiness(known: number, seen: number): string | undefined {
	if (known === 0 || seen > 0) return undefined;
	return `no entries at all, where the last reading had ${count(known)}: a lost right or a wrong filter, until proven`;
}

/** The attributes that can be read no more, each as a sentence. Nothing that such a reading says of anyone is believed. */
export function collapsed(losses: readonly AttributeLoss[]): readonly string[] {
	return losses
		.filter(({ had, lost }) => (lost > LOSSES_BELIEVED && lost > had * SHARE_BELIEVED) || (lost > LAST_BELIEVED && lost >= had))
		.map(
			({ attribute, had, lost }) =>
				`attribute ${attribute} is missing from ${count(lost)} of the ${count(had)} entries that had it: lost rights, not changed people`,
		);
}

/** An entry of AD always has userAccountControl: where many do not show it, this account may not read it. */
export function unreadableStanding(shown: number, entries: number): readonly string[] {
	if (shown >= entries * (1 - SHARE_BELIEVED)) return [];
	return [`userAccountControl cannot be read on ${count(entries - shown)} of ${count(entries)} entries: who is disabled is not known`];
}

function count(value: number): string {
	return value.toLocaleString("en-US");
}
