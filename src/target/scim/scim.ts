import { Failure } from "../../core/errors.ts";
import { type Wait, waitReally } from "../../lib/waiting.ts";
import { openWire } from "../http/wire.ts";
import type { DeliveryResult, GroupTarget, Target, TargetReader } from "../target.ts";
import { type Discover, makeDiscovery } from "./discovery.ts";
import { makeFinder } from "./finder.ts";
import { makeGroups } from "./groups.ts";
import { listResources } from "./listing.ts";
import type { ScimOptions } from "./options.ts";
import { remoteAccount } from "./remote.ts";
import { makeRequests } from "./requests.ts";
import { type Endpoint, read } from "./resource.ts";
import { CORE_GROUP, CORE_USER } from "./urns.ts";
import { formOf, makeUsers } from "./users.ts";

/** What the target takes from outside; without `wait` it waits as long as it says. */
export interface ScimSurroundings {
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** From 0 to 1, without 1. */
	readonly random: () => number;
	readonly wait?: Wait;
}

/** So many deliveries that came to nothing, one after the other, and it is the server, not the accounts. */
const MOST_IN_VAIN = 5;

/** A service that speaks SCIM 2.0 (RFC 7643, RFC 7644) as a target. Opens no connection before it is used. */
export function makeScimTarget(options: ScimOptions, { clock, random, wait = waitReally }: ScimSurroundings): Target {
	const wire = openWire(options);
	const requests = makeRequests(options, wire, { clock, random, wait });
	const discover = makeDiscovery(requests);
	const endpointOf = (path: Endpoint["path"], schema: string): Endpoint => ({
		path,
		schema,
		requests,
		finder: makeFinder(requests, discover, path, clock),
		manners: { dialect: options.dialect, wantsVersion: false },
	});
	const endpoint = endpointOf("/Users", CORE_USER);
	const users = makeUsers(endpoint, discover, options);
	const groups = makeGroups(endpointOf("/Groups", CORE_GROUP), discover, options.memberBatch);
	const patience = makePatience(options.url);

	return {
		name: options.name,
		batch: 1,
		lanes: options.concurrency,
		announcesCreates: true,
		managerBy: "remote-id",
		apply: async (deliveries, signal) => {
			const results: DeliveryResult[] = [];
			for (const delivery of deliveries) results.push(patience(await users.apply(delivery, signal)));
			return results;
		},
		find: users.find,
		reader: makeReader(endpoint, discover, options),
		groups: options.groups ? patiently(groups, patience) : undefined,
		close: () => wire.close(),
	};
}

function makeReader(endpoint: Endpoint, discover: Discover, options: ScimOptions): TargetReader {
	return {
		async *list(signal) {
			const form = formOf(options, await discover(signal));
			for await (const resource of listResources(endpoint.requests, discover, endpoint.path, signal)) {
				const remote = remoteAccount(resource, form);
				if (remote !== undefined) yield remote;
			}
		},
		read: async (remoteId, signal) => {
			const seen = await read(endpoint, remoteId, {}, signal);
			if (seen === "gone") return undefined;
			if ("kind" in seen) throw new Failure("TARGET_UNREACHABLE", `${options.url} does not show the account ${remoteId}: ${seen.error}`);
			return remoteAccount(seen.resource, formOf(options, await discover(signal)));
		},
	};
}

type Patience = (result: DeliveryResult) => DeliveryResult;

function makePatience(url: string): Patience {
	let inVain = 0;
	return (result) => {
		inVain = result.kind === "later" ? inVain + 1 : 0;
		if (result.kind !== "later" || inVain < MOST_IN_VAIN) return result;
		inVain = 0;
		throw new Failure("TARGET_UNREACHABLE", `${url} does not do what it is asked: ${result.error}`);
	};
}

function patiently(groups: GroupTarget, patience: Patience): GroupTarget {
	return { ...groups, apply: async (delivery, signal) => patience(await groups.apply(delivery, signal)) };
}
