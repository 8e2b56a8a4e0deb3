import { Resolver } from "node:dns/promises";

/** Where a service is, as DNS has it (RFC 2782). */
export interface SrvRecord {
	/** The target's host name; "." (or nothing) says that there decidedly is none. */
	readonly name: string;
	readonly port: number;
	/** The lowest is tried first. */
	readonly priority: number;
	/** Its share among those of the same priority. */
	readonly weight: number;
}

/** Asks DNS for the SRV records of a name. Rejects as node:dns does: an error whose `code` is ENOTFOUND, ENODATA, ETIMEOUT, … */
export type SrvResolver = (name: string) => Promise<readonly SrvRecord[]>;

/** By this machine's DNS servers, as they are at each question: a Resolver keeps those of the time it was made. */
export function makeSrvResolver(open: () => Pick<Resolver, "resolveSrv"> = openResolver): SrvResolver {
	return (name) => open().resolveSrv(name);
}

/** Two tries of 2 s each: a reading should not wait for half a minute to learn that DNS is down. */
function openResolver(): Resolver {
	return new Resolver({ timeout: 2000, tries: 2 });
}

/**
 * In the order in which they are to be tried: by priority, and by lot with their weights (RFC 2782, "Usage rules"). Hosts that
 * were read before (the last one first) go before others of their priority: a USN counts on one domain controller only, and a
 * lot drawn for each reading would make a full one of it as often as there are controllers.
 */
export function inSrvOrder(records: readonly SrvRecord[], random: () => number, readBefore: readonly string[]): readonly SrvRecord[] {
	const known = readBefore.map((host) => host.toLowerCase());
	const rank = (record: SrvRecord): number => {
		const index = known.indexOf(hostOf(record));
		return index < 0 ? known.length : index;
	};
	const priorities = [...new Set(records.map(({ priority }) => priority))].sort((one, other) => one - other);
	return priorities.flatMap((wanted) => {
		const equals = records.filter(({ priority }) => priority === wanted);
		return [...byLot(equals, random)].sort((one, other) => rank(one) - rank(other));
	});
}

/** The target's name in lower case, without the dot at its end; "" for none. */
export function hostOf({ name }: SrvRecord): string {
	return name.replace(/\.$/, "").toLowerCase();
}

function byLot(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
	// Those of weight 0 stand first, so that they have a small chance at all.
	const left = [...records].sort((one, other) => one.weight - other.weight);
	const drawn: SrvRecord[] = [];
	while (left.length > 0) {
		const sum = left.reduce((total, { weight }) => total + weight, 0);
		let mark = Math.floor(random() * (sum + 1));
		const index = left.findIndex(({ weight }) => {
			mark -= weight;
			return mark <= 0;
		});
		drawn.push(...left.splice(index, 1));
	}
	return drawn;
}
