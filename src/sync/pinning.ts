import type { Pin } from "../core/pin.ts";
import { planPinned, planReverted } from "../core/pinned-plan.ts";
import type { PlannedAccount, Situation } from "../core/plan.ts";
import type { Session } from "../store/session.ts";

/** What is pinned of one account, or is to be by the run that is being planned. */
export interface Pinning {
	/** Whether it is decided that there is an account, or none. */
	readonly isOfState: boolean;
	/** Notes that nothing new is known of the person: what is pinned stands. */
	stand(): void;
	plan(situation: Situation): { readonly planned: PlannedAccount; readonly standing: readonly Pin[] };
}

/** Looks up what is pinned; `reverted`: the run that this one takes back, if it does. Within a batch of the stage. */
export function makePinning({ pins }: Session, reverted: number | undefined): (id: number) => Pinning | undefined {
	if (reverted === undefined && pins.isEmpty()) return () => undefined;
	return (id) => {
		const pinned = pins.of(id);
		const keeps = reverted === undefined ? [] : pins.keeps(id);
		if (pinned.length === 0 && keeps.length === 0) return undefined;
		return {
			isOfState: [...pinned, ...keeps].some(({ part }) => part === "state"),
			stand: () => {
				for (const pin of pinned) pins.stand(id, pin, false);
			},
			plan: (situation) => {
				const plan =
					reverted === undefined || keeps.length === 0 ? planPinned(situation, pinned) : planReverted(situation, pinned, keeps, reverted);
				for (const pin of plan.standing) pins.stand(id, pin, !pinned.includes(pin));
				return plan;
			},
		};
	};
}
