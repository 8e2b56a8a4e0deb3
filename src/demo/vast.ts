import { sidBytes, sidText } from "../core/syntax.ts";
import { categoryDn } from "./found.ts";
import { joinDn } from "./name.ts";
import { makePassing } from "./object.ts";
import { loginName, mailName, makePerson, type Person } from "./people.ts";
import { type Listing, userAttributes } from "./personnel.ts";
import { makeRandom, scramble, unscramble } from "./random.ts";
import { type AdObject, hex, keyOf, type MadeUp, type Store } from "./store.ts";
import { dnsName } from "./values.ts";

/** RIDs of people that are made up on demand begin here. */
const FIRST_RID = 1_000_000;

export interface VastPlan {
	readonly count: number;
	readonly seed: number;
	/** The container of each department. */
	readonly homes: ReadonlyMap<string, AdObject>;
}

/**
 * A company of any size that needs no memory: a person is computed from seed and index whenever somebody looks, and thrown away.
 * Only those that were written to are held. Each has the USN of its own making, so that a delta begins in the middle.
 */
export function makeVast(store: Store, { count, seed, homes }: VastPlan): MadeUp {
	const firstUsn = store.highestUsn + 1;
	store.highestUsn += count;
	const bornAt = store.clock();
	const heldByIndex = new Map<number, AdObject>();
	const listing = { domain: dnsName(store.domain.dn), company: "Vast Ltd", now: bornAt };
	const category = [categoryDn(store, "Person")];
	const salt = saltOf(seed);
	const someSid = Buffer.from(sidBytes(`${store.domainSid}-0`) ?? []);
	const sidOf = (index: number): Uint8Array => {
		const sid = Buffer.from(someSid);
		sid.writeUInt32LE(FIRST_RID + index, sid.length - 4);
		return sid;
	};
	let manager: { readonly index: number; readonly dn: string } | undefined;

	function make(index: number): AdObject {
		const person = makePerson(seed, index);
		const home = homeOf(person);
		const attributes = userAttributes(person, { ...listing, ...namesOf(person) });
		attributes.set("instancetype", ["4"]);
		attributes.set("objectcategory", category);
		attributes.set("samaccounttype", ["805306368"]);
		if (person.manager !== undefined) attributes.set("manager", [managerDn(person.manager)]);
		const rdn = { type: "CN", value: leafOf(person) };
		return makePassing({
			guid: guidOf(index, salt),
			sid: sidOf(index),
			className: "user",
			rdn,
			dn: joinDn(rdn, home.dn),
			parent: home,
			attributes,
			index,
			usn: firstUsn + index,
			at: bornAt,
		});
	}

	function homeOf(person: Person): AdObject {
		return homes.get(person.department) ?? store.domain;
	}

	/** Neighbours have the same manager: the last one is remembered. */
	function managerDn(index: number): string {
		const held = heldByIndex.get(index);
		if (held !== undefined) return held.dn;
		if (manager?.index === index) return manager.dn;
		const person = makePerson(seed, index);
		const dn = joinDn({ type: "CN", value: leafOf(person) }, homeOf(person).dn);
		manager = { index, dn };
		return dn;
	}

	/** The one at an index, if it is what was asked for and nobody holds it under another name by now. */
	function at(index: number, isAsked: (object: AdObject) => boolean): AdObject | undefined {
		if (!Number.isSafeInteger(index) || index < 0 || index >= count) return undefined;
		const object = heldByIndex.get(index) ?? make(index);
		return isAsked(object) ? object : undefined;
	}

	return {
		find(key) {
			const number = /(\d+)\),$/.exec(key)?.[1];
			return number === undefined ? undefined : at(Number(number) - FIRST_EMPLOYEE, (object) => keyOf(object) === key);
		},
		findGuid: (wanted) =>
			at((unscramble(Buffer.from(wanted, "hex").readUInt32LE(0)) ^ GUID_KEY) >>> 0, (object) => hex(object.guid) === wanted),
		findSid: (wanted) => at(Number(wanted.split("-").at(-1)) - FIRST_RID, ({ sid }) => sid !== undefined && sidText(sid) === wanted),
		*walk(usnFrom) {
			const start = Math.max(0, usnFrom - firstUsn);
			if (start > 0) for (const [index, held] of heldByIndex) if (index < start && held.usnChanged >= usnFrom) yield held;
			for (let index = start; index < count; index++) yield heldByIndex.get(index) ?? make(index);
		},
		hold: (held) => void heldByIndex.set(held.index ?? 0, held),
		livesBeneath: (container) => [...homes.values()].some((home) => home.context === container || keyOf(home).startsWith(keyOf(container))),
		livesIn: (container) => [...homes.values()].includes(container),
		count,
		nth: (index) => at(index, () => true),
	};
}

const FIRST_EMPLOYEE = 100_000;
/** Keeps the first GUIDs from looking like first GUIDs. */
const GUID_KEY = 0x9e37_79b9;

/** Unique in its container, and the index can be had back from it. */
function leafOf({ listed, employeeId }: Person): string {
	return `${listed} (${employeeId})`;
}

/** Letters, then digits: no two people get the same. */
function namesOf({ given, family, index }: Person): Pick<Listing, "sam" | "mail"> {
	return { sam: `${loginName(given, family)}${index}`, mail: `${mailName(given, family)}${index}` };
}

function saltOf(seed: number): Uint8Array {
	const random = makeRandom(seed);
	return Uint8Array.from({ length: 8 }, () => Math.floor(random() * 256));
}

/** Looks random from its first byte on, and tells its index. */
function guidOf(index: number, salt: Uint8Array): Uint8Array {
	const bytes = Buffer.allocUnsafe(16);
	bytes.writeUInt32LE(scramble((index ^ GUID_KEY) >>> 0), 0);
	bytes.writeUInt32LE(scramble(index ^ 0x5bd1_e995), 4);
	bytes.set(salt, 8);
	bytes[7] = ((bytes[7] as number) & 0x0f) | 0x40;
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	return bytes;
}
