import type { Account } from "../core/account.ts";
import { type Claim, claimsOf, winnerOf } from "../core/claims.ts";
import { spread } from "../lib/spread.ts";
import type { Session } from "../store/session.ts";
import type { ContestedRow } from "../store/settlement.ts";

/**
 * Gives every contested userName and e-mail to one account, and sets the others aside with a reason that names both. An account
 * set aside keeps the names it had, which may be wanted by a third: so again, until nothing is contested. Every round sets
 * at least one aside, so it ends.
 */
export function settleClaims(session: Session): void {
	for (;;) {
		const losers = losersOf(session.settlement.contested());
		if (losers.size === 0) return;
		for (const [id, reason] of losers) session.settlement.setAside(id, reason);
	}
}

function losersOf(rows: readonly ContestedRow[]): ReadonlyMap<number, string> {
	const losers = new Map<number, string>();
	for (const [claim, claimants] of groupByClaim(rows)) {
		const winner = winnerOf(claimants.map((row) => ({ ...row, holds: row.holds === 1, wants: row.wants === 1, active: row.active === 1 })));
		for (const row of claimants) {
			// Only what this run plans can be set aside; two old accounts that share an e-mail are not this run's doing.
			if (row.id === winner?.id || row.is_planned === 0) continue;
			losers.set(
				row.id,
				`${claim} belongs to the account ${winner?.name} (${winner?.anchor}); ${row.name} (${row.anchor}) waits until it is freed`,
			);
		}
	}
	return losers;
}

/** By the claim's text: the database knows claims by a number, which two texts may share. */
function groupByClaim(rows: readonly ContestedRow[]): ReadonlyMap<Claim, readonly ContestedRow[]> {
	const groups = new Map<Claim, ContestedRow[]>();
	for (const row of rows) {
		const claim = claimsOf(JSON.parse(row.body) as Account).find((text) => spread(text) === row.claim);
		if (claim === undefined) continue;
		const group = groups.get(claim);
		if (group === undefined) groups.set(claim, [row]);
		else group.push(row);
	}
	return groups;
}
