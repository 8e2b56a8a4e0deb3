import type { Account } from "./account.ts";

/** A value that only one account may have at a target, without case: "userName anna@corp" or "e-mail anna@corp". */
export type Claim = string;

/** What an account claims. */
export function claimsOf(account: Account): readonly Claim[] {
	const claims = [`userName ${account.userName.toLowerCase()}`];
	for (const email of account.emails ?? []) claims.push(`e-mail ${email.value.toLowerCase()}`);
	return claims;
}

export interface Claimant {
	readonly id: number;
	/** Whether it holds the claim already, and would still hold it if its change were set aside. */
	readonly holds: boolean;
	/** Whether it wants the claim in this plan. */
	readonly wants: boolean;
	/** Active ones come before the others among newcomers. */
	readonly active: boolean;
	/** Decides between newcomers that are alike, the same way in any order of reading. */
	readonly anchor: string;
}

/** Who of several may have a claim: its holder if it still wants it, else the first of the newcomers. */
export function winnerOf<T extends Claimant>(claimants: readonly T[]): T | undefined {
	const wanting = claimants.filter((claimant) => claimant.wants);
	return (
		wanting.find((claimant) => claimant.holds) ??
		wanting.sort((a, b) => Number(b.active) - Number(a.active) || (a.anchor < b.anchor ? -1 : 1))[0]
	);
}
