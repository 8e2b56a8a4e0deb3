import type { TargetConfig } from "../config/target-config.ts";
import { Failure } from "../core/errors.ts";
import { type LocalGroupTable, type LocalTable, makeLocalTarget } from "./local/local.ts";
import type { Target } from "./target.ts";

/** What a target is given besides its configuration. */
export interface Surroundings {
	/** The embedded account store's rows for this target. */
	readonly accounts: LocalTable;
	readonly groups: LocalGroupTable;
}

/** The target that a configuration describes, by its type. */
export function makeTarget(config: TargetConfig, { accounts, groups }: Surroundings): Target {
	switch (config.type) {
		case "local":
			return makeLocalTarget(config.name, accounts, groups);
		case "scim":
		case "file":
		case "webhook":
			throw new Failure("CONFIG_INVALID", `targets of type ${config.type} are not there yet`, { hint: "Take it out of targets." });
	}
}
