import type { Account } from "../../core/account.ts";
import type { Delivery, DeliveryResult, Match } from "../target.ts";
import { type Change, change } from "./change.ts";
import type { Abilities, Discover } from "./discovery.ts";
import type { UserForm } from "./entitled.ts";
import { type Changes, differences, type Fields, isAlike, isEqual, sendable } from "./fields.ts";
import type { Json } from "./json.ts";
import { anchorKey, type Key, matchKey, matchPath } from "./key.ts";
import { accountFields, MANAGER } from "./mapping.ts";
import type { Dialect, ScimOptions } from "./options.ts";
import { fieldsIn, remoteAccount } from "./remote.ts";
import { create, type Endpoint, remove } from "./resource.ts";

export interface Users {
	apply(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult>;
	find(anchor: Delivery["anchor"], wanted: Account | undefined, signal: AbortSignal): Promise<Match | undefined>;
}

/** Creates that met a taken name and wait to be looked up, at most: beyond that the oldest is looked up as any other. */
const MOST_CONFLICTS = 1000;

export function makeUsers(endpoint: Endpoint, discover: Discover, options: Pick<ScimOptions, "match" | "features" | "policies">): Users {
	const conflicts = new Set<string>();

	return {
		apply: async (delivery, signal) => {
			const { anchor, remoteId, wanted } = delivery;
			if (wanted === undefined) return remoteId === undefined ? { kind: "applied", remoteId: "" } : remove(endpoint, remoteId, signal);
			const abilities = await discover(signal);
			const form = formOf(options, abilities);
			if (remoteId !== undefined)
				return change(endpoint, abilities, remoteId, changeOf(delivery, wanted, form, endpoint.manners.dialect), signal);
			const fields = sendable(accountFields(wanted, anchor, delivery.managerId, form), form.shape, "create");
			const result = await create(endpoint, fields, anchorKey(anchor), signal);
			if (result.kind === "conflict") remember(conflicts, anchor);
			if (result.kind === "applied") endpoint.finder.witness(matchPath(options.match), () => matchKey(options.match, wanted, form));
			return result;
		},
		find: async (anchor, wanted, signal) => {
			const form = formOf(options, await discover(signal));
			const { finder } = endpoint;
			const own = await finder.find(anchorKey(anchor), signal);
			if (own.length > 0) return matchOf("external-id", anchorKey(anchor), own, form);
			const key = wanted && matchKey(options.match, wanted, form);
			if (key === undefined) return undefined;
			const named = await finder.find(key, signal);
			if (named.length > 0) return matchOf("attribute", key, named, form);
			// Somebody has the name, as the server said: one that compares with case may just not find who it is.
			if (!conflicts.delete(anchor) || !key.isCaseless) return undefined;
			const scanned = await finder.scan(key, signal);
			return scanned.length > 0 ? matchOf("attribute", key, scanned, form) : undefined;
		},
	};
}

export function formOf({ features, policies }: Pick<ScimOptions, "features" | "policies">, { users }: Abilities): UserForm {
	return { features, policies, shape: users };
}

function remember(conflicts: Set<string>, anchor: string): void {
	conflicts.add(anchor);
	const [oldest] = conflicts;
	if (conflicts.size > MOST_CONFLICTS && oldest !== undefined) conflicts.delete(oldest);
}

function matchOf(by: Match["by"], { path, value }: Key, resources: readonly Json[], form: UserForm): Match | undefined {
	const [first] = resources;
	const remote = first && remoteAccount(first, form);
	return remote && { by, on: `${path} "${value}"`, remote, isAmbiguous: resources.length > 1 };
}

function changeOf(delivery: Delivery, wanted: Account, form: UserForm, dialect: Dialect): Change {
	const { anchor, managerId } = delivery;
	const after = sendable(accountFields(wanted, anchor, managerId, form), form.shape, "update");
	const known = knownChanges(delivery, wanted, after, form);
	// A manager who is not at this target yet: whoever is shown as such stays until it is known better.
	const isManagerOpen = wanted.manager !== undefined && managerId === undefined;
	return {
		known,
		against: (resource) => {
			const before = new Map(sendable(fieldsIn(resource, form), form.shape, "update"));
			if (isManagerOpen) before.delete(MANAGER);
			// What we know to have changed is sent as it is; else the server may keep a value in its own way.
			return differences(before, after, (path, one, other) => (known?.has(path) ? isEqual : isAlike)(path, one, other));
		},
		shape: form.shape,
		dialect,
		lean: {},
	};
}

function knownChanges(
	{ anchor, applied, appliedAnchor, managerId }: Delivery,
	wanted: Account,
	after: Fields,
	form: UserForm,
): Changes | undefined {
	if (applied === undefined) return undefined;
	// The id of a manager of before is not known, only that it is another one.
	const appliedManager = applied.manager === wanted.manager ? managerId : applied.manager;
	const before = accountFields(applied, appliedAnchor ?? anchor, appliedManager, form);
	return differences(sendable(before, form.shape, "update"), after, isEqual);
}
