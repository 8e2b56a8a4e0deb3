import type { Session } from "../store/session.ts";
import type { Target } from "../target/target.ts";
import type { Tally } from "./tally-deliveries.ts";

/** One target with what the configuration lets us do to what is there. */
export interface SyncTarget {
	readonly target: Target;
	/** What becomes of an account that is there before we made it. `report`: it is left alone, and said. */
	readonly adopt: "never" | "exact" | "report";
}

export interface DeliverContext extends SyncTarget {
	readonly session: Session;
	/** Unix milliseconds. */
	readonly clock: () => number;
	readonly tally: Tally;
	/** After every write of what came of deliveries. */
	readonly onSettled: () => void;
}
