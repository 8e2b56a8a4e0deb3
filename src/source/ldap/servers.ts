import { Failure } from "../../core/errors.ts";
import { type Address, parseAddress } from "./address.ts";
import type { Timeouts, Tls } from "./dial.ts";
import { type Discovered, type Discovery, discover } from "./discovery.ts";
import type { ServerMemory } from "./server-memory.ts";

/** Where a source's servers come from. */
export interface ServerOptions {
	/** In order of preference; not looked at when they are discovered. */
	readonly urls: readonly string[];
	readonly discovery: Discovery | undefined;
	/** Host names of servers that were read before, the last one first: preferred among those that DNS names. */
	readonly readBefore: readonly string[];
	/** Of this source alone. */
	readonly memory: ServerMemory;
	readonly tls: Tls;
	readonly timeouts: Timeouts;
	/** 0 to below 1. */
	readonly random: () => number;
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/** "ldaps://dc1.corp.example.com, ldaps://dc2.corp.example.com", or whose servers DNS is asked for. */
export function describeServers({ urls, discovery }: Pick<ServerOptions, "urls" | "discovery">): string {
	if (discovery === undefined) return urls.join(", ");
	return `the servers of ${discovery.domain} by DNS${discovery.site === undefined ? "" : `, site ${discovery.site} first`}`;
}

/**
 * The servers of a source, in the order in which they are to be tried: as configured or as DNS has them now, those that broke
 * lately behind the others. Throws Failure CONFIG_INVALID, SOURCE_UNREACHABLE, SOURCE_UNTRUSTED or CANCELLED.
 */
export async function findServers(options: ServerOptions, signal: AbortSignal): Promise<Discovered> {
	const { discovery, memory, urls } = options;
	const found =
		discovery === undefined
			? { addresses: urls.map(parseAddress), near: [], isActiveDirectory: false, warnings: [] }
			: await askOrRecall(options, discovery, signal);
	const { addresses, warnings } = restingLast(found.addresses, memory);
	return { ...found, addresses, warnings: [...found.warnings, ...warnings] };
}

async function askOrRecall(options: ServerOptions, discovery: Discovery, signal: AbortSignal): Promise<Discovered> {
	const { memory, tls, timeouts, random, readBefore, clock } = options;
	const site = discovery.site ?? memory.site;
	const trustsAnyName = tls.ca !== undefined || tls.servername !== undefined || (discovery.scheme === "ldap" && !tls.startTls);
	try {
		const what = await discover({ discovery, site, trustsAnyName, random, readBefore, timeoutMs: timeouts.connectMs }, signal);
		memory.found = { at: clock(), what };
		return what;
	} catch (cause) {
		if (!(cause instanceof Failure) || cause.code !== "SOURCE_UNREACHABLE" || memory.found === undefined) throw cause;
		const { at, what } = memory.found;
		return { ...what, warnings: [`${cause.message}; the servers that it named at ${instant(at)} are used`] };
	}
}

function restingLast(addresses: readonly Address[], memory: ServerMemory): Pick<Discovered, "addresses" | "warnings"> {
	const resting = addresses.flatMap((address) => {
		const last = memory.breakOf(address.url);
		return last === undefined ? [] : [{ address, last }];
	});
	resting.sort((one, other) => one.last.at - other.last.at);
	const ordered = [...addresses.filter(({ url }) => memory.breakOf(url) === undefined), ...resting.map(({ address }) => address)];
	const moved = resting.filter(({ address }) => ordered.indexOf(address) > addresses.indexOf(address));
	return {
		addresses: ordered,
		warnings: moved.map(
			({ address, last }) => `${address.url} is tried after the others until ${instant(last.until)}, since it failed: ${last.because}`,
		),
	};
}

/** "2026-10-17T02:10:00Z". */
function instant(at: number): string {
	return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
