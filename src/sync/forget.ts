import { Failure } from "../core/errors.ts";
import type { Forgotten } from "../store/forget.ts";
import type { Session } from "../store/session.ts";

export interface ForgetContext {
	readonly session: Session;
	/** Names of the targets in the configuration. */
	readonly configured: readonly string[];
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/** Forgets a target that is not configured any more, or what is known of one account at a target. Throws NOT_FOUND or USAGE. */
export function forget({ session, configured, clock }: ForgetContext, target: string, user: string | undefined, by: string): Forgotten {
	const known = session.forget.targets();
	if (!known.includes(target)) {
		throw new Failure("NOT_FOUND", `nothing is known of a target ${target}`, { hint: `There is: ${known.join(", ")}.` });
	}
	if (user === undefined && configured.includes(target)) {
		const hint = "Take it out of the configuration first; to have one account matched anew, name it as well.";
		throw new Failure("USAGE", `target ${target} is in the configuration`, { hint });
	}
	return session.transaction(() => {
		const forgotten = user === undefined ? session.forget.target(target) : forgetAccount(session, target, user, clock());
		const what = user === undefined ? `all that was known of target ${target}` : `what was known of ${user} at ${target}`;
		const change = { at: clock(), run: 0, source: target, target, kind: "delete", subject: "target", anchor: "" };
		const sides = { before: undefined, after: undefined };
		session.log.append()({ ...change, ...sides, name: user ?? target, why: `forgot ${what}`, result: `forgotten by ${by}` });
		return forgotten;
	});
}

function forgetAccount({ forget, groupLedger }: Session, target: string, user: string, at: number): Forgotten {
	const accounts = forget.find(user).filter((account) => forget.account(target, account, at));
	if (accounts.length === 0) throw new Failure("NOT_FOUND", `nothing is known of ${user} at target ${target}`);
	for (const account of accounts) groupLedger.reopenMembers(target, account);
	return { accounts: accounts.length, groups: 0 };
}
