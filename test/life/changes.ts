import { type Directory, person, type Values } from "../contract/directory.ts";
import { addPerson, type Places } from "../contract/population.ts";

/** One thing that happened in the directory. */
export interface Happening {
	/** A sentence for who reads the failure of a test. */
	readonly what: string;
	/** Whether only a full reading can see it. */
	readonly isDeletion: boolean;
}

interface Known {
	name: string;
	ou: string;
	hasPrincipal: boolean;
	readonly logon: string;
}

/** 0 to below 1, the same for a seed. */
export function makeRandom(seed: number): () => number {
	let state = seed >>> 0 || 1;
	return () => {
		// xorshift32: enough to shuffle a company.
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		state >>>= 0;
		return state / 2 ** 32;
	};
}

/** Lets one thing happen after another to the people of `places`, as administrators do by Active Directory's own tools. */
export function makeHappenings(directory: Directory, places: Places, random: () => number): () => Promise<Happening> {
	const people: Known[] = [];
	let hired = 0;
	let berlin = places.berlin;
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
	const anyPlace = () => pick([places.people, places.people, berlin, places.second, places.excluded]);
	const dnOf = ({ name, ou }: Known) => person(name, ou);
	const modify = async (values: Values, what: string): Promise<string> => {
		const known = pick(people);
		await directory.modify(dnOf(known), values);
		return `${known.logon} ${what}`;
	};
	const moveTo = async (known: Known, name: string, ou: string): Promise<void> => {
		await directory.move(dnOf(known), person(name, ou));
		Object.assign(known, { name, ou });
	};
	const moveBerlin = async (dn: string): Promise<string> => {
		await directory.move(berlin, dn);
		for (const known of people) if (known.ou === berlin) known.ou = dn;
		berlin = dn;
		return `the OU of Berlin is now ${dn}`;
	};
	const hire = async (): Promise<string> => {
		const known = {
			name: pick(["Ann, É", 'Bo "B" ', "Chi\\Cho", "Дима", "Eva+", "#Fay"]) + hired,
			ou: anyPlace(),
			hasPrincipal: true,
			logon: `life${hired++}`,
		};
		await addPerson(directory, known.name, known.ou, known.logon, random() < 0.2 ? { userAccountControl: "514" } : {});
		people.push(known);
		return `${known.logon} was hired in ${known.ou}`;
	};

	const ways: readonly (() => Promise<string>)[] = [
		hire,
		hire,
		() => modify({ department: `Department ${hired}`, title: `Title ${hired}` }, "has another department"),
		() => modify({ displayName: [], telephoneNumber: [] }, "has no displayName any more"),
		() => modify({ displayName: `Displayed ☃ ${hired}`, givenName: "Zoë" }, "has another displayName"),
		() => modify({ userAccountControl: "514" }, "was disabled"),
		() => modify({ userAccountControl: "512" }, "was enabled"),
		() => modify({ accountExpires: "132223104000000000" }, "expired"),
		() => modify({ accountExpires: pick(["0", "9223372036854775807"]) }, "does not expire"),
		() => modify({ manager: dnOf(pick(people)) }, "has another manager"),
		async () => {
			const known = pick(people);
			const domain = directory.domain;
			await directory.modify(dnOf(known), { proxyAddresses: [`SMTP:${known.logon}.${hired}@${domain}`, `smtp:${known.logon}@${domain}`] });
			return `${known.logon} has another address`;
		},
		async () => {
			const known = pick(people);
			known.hasPrincipal = !known.hasPrincipal;
			await directory.modify(dnOf(known), { userPrincipalName: known.hasPrincipal ? `${known.logon}.${hired}@${directory.domain}` : [] });
			return `${known.logon} has ${known.hasPrincipal ? "another" : "no"} userPrincipalName`;
		},
		async () => {
			const known = pick(people);
			await moveTo(known, `${known.name} m`.slice(0, 60), known.ou);
			return `${known.logon} married`;
		},
		async () => {
			const known = pick(people);
			await moveTo(known, known.name, anyPlace());
			return `${known.logon} moved to ${known.ou}`;
		},
		() => moveBerlin(`OU=Berlin ${hired}x${Math.floor(random() * 1e6)},${places.people}`),
		() => moveBerlin(`OU=Berlin ${hired}x${Math.floor(random() * 1e6)},${places.second}`),
	];

	return async () => {
		if (people.length < 8) return { what: await hire(), isDeletion: false };
		if (random() < 0.08) {
			const [known] = people.splice(Math.floor(random() * people.length), 1) as [Known];
			await directory.remove(dnOf(known));
			return { what: `${known.logon} was deleted`, isDeletion: true };
		}
		return { what: await pick(ways)(), isDeletion: false };
	};
}
