/** One attribute's value with the stamp that decides between two of them (MS-ADTS §3.1.1.1.9). */
export interface Stamped {
	readonly value: string;
	readonly version: number;
	readonly at: number;
	/** Who wrote it, and at which of its USNs. */
	readonly origin: string;
	readonly originUsn: number;
}

interface Entry {
	readonly attributes: Map<string, Stamped>;
	/** The USN of its last change in this database, whoever made it. */
	usnChanged: number;
}

/**
 * A domain controller in memory: just what replication is made of, so that thousands of histories can be tried where real ones
 * would take hours. Each has a database and USNs of its own.
 */
export interface Replica {
	readonly name: string;
	highestUsn(): number;
	write(entry: string, attribute: string, value: string, at: number): void;
	/** Every entry that changed here since, by name, as one text. */
	changedSince(usn: number): ReadonlyMap<string, string>;
	/** Takes from another what it has not got yet, as its up-to-dateness vector says (MS-ADTS §3.1.1.1.13). */
	fetchFrom(other: Replica): void;
	/** For another's `fetchFrom`. */
	readonly database: ReadonlyMap<string, Entry>;
	readonly upToDateness: ReadonlyMap<string, number>;
}

export function makeReplica(name: string): Replica {
	const database = new Map<string, Entry>();
	const upToDateness = new Map<string, number>();
	let usn = 0;
	const change = (key: string, attributes: Iterable<readonly [string, Stamped]>): void => {
		const entry = database.get(key) ?? { attributes: new Map(), usnChanged: 0 };
		for (const [attribute, stamped] of attributes) entry.attributes.set(attribute, stamped);
		entry.usnChanged = usn;
		database.set(key, entry);
		upToDateness.set(name, usn);
	};
	return {
		name,
		database,
		upToDateness,
		highestUsn: () => usn,
		write: (key, attribute, value, at) => {
			const version = (database.get(key)?.attributes.get(attribute)?.version ?? 0) + 1;
			change(key, [[attribute, { value, version, at, origin: name, originUsn: ++usn }]]);
		},
		changedSince: (since) => {
			const changed = [...database].filter(([, { usnChanged }]) => usnChanged > since);
			return new Map(changed.map(([key, entry]) => [key, textOf(entry)]));
		},
		fetchFrom: (other) => {
			// In the order of its changes there, as the protocol has it.
			for (const [key, theirs] of [...other.database].sort(([, one], [, two]) => one.usnChanged - two.usnChanged)) {
				const ours = database.get(key)?.attributes;
				const better = [...theirs.attributes].filter(
					([attribute, stamped]) => stamped.originUsn > (upToDateness.get(stamped.origin) ?? 0) && isBetter(stamped, ours?.get(attribute)),
				);
				if (better.length === 0) continue;
				usn++;
				change(key, better);
			}
			for (const [origin, theirs] of other.upToDateness) {
				if (origin !== name) upToDateness.set(origin, Math.max(theirs, upToDateness.get(origin) ?? 0));
			}
		},
	};
}

/** Whether `theirs` has something of an entry that is older than in `ours`. */
export function isOlder(theirs: ReadonlyMap<string, Stamped>, ours: ReadonlyMap<string, Stamped>): boolean {
	return [...ours].some(([attribute, stamped]) => theirs.get(attribute) !== stamped && isBetter(stamped, theirs.get(attribute)));
}

/** A later version wins, then a later time, then the greater name. */
function isBetter(one: Stamped, other: Stamped | undefined): boolean {
	if (other === undefined) return true;
	if (one.version !== other.version) return one.version > other.version;
	return one.at !== other.at ? one.at > other.at : one.origin > other.origin;
}

function textOf({ attributes }: Entry): string {
	return [...attributes]
		.map(([attribute, { value }]) => `${attribute}=${value}`)
		.sort()
		.join(" ");
}
