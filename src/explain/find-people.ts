import { dnKey } from "../core/dn.ts";
import type { Entry } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { parseGroupName } from "../core/group-name.ts";
import { digest } from "../lib/digest.ts";
import type { Source } from "../source/source.ts";
import type { People } from "../store/people.ts";

/** Ids of those whom a name means: a userName, an e-mail address, a DN, a GUID, or a logon name with or without its domain. */
export function findPeople(people: People, sourceOf: (id: number) => Source | undefined, user: string): readonly number[] {
	const name = user.trim();
	const asName = parseGroupName(name);
	const known = asName?.kind === "dn" ? people.byDn(digest(dnKey(name))) : people.byName(asName?.kind === "guid" ? asName.guid : name);
	return known.length > 0 ? known : scan(people, sourceOf, name);
}

/** So many of one name are shown; more say nothing more. */
const MOST = 10;

/** Everybody whose entry shows the name somewhere is decoded; of these, who is called so. */
function scan(people: People, sourceOf: (id: number) => Source | undefined, name: string): readonly number[] {
	const logon = name.replace(/^[^\\]+\\/, "").toLowerCase();
	const local = logon.replace(/@.*$/, "");
	// Of other letters the case cannot be told in bytes: then everybody is decoded.
	const needle = /^\p{ASCII}*$/u.test(local) ? local : "";
	const found: number[] = [];
	for (const [id, bytes] of people.everybody()) {
		if (!asciiLower(bytes).includes(needle)) continue;
		const entry = decoded(sourceOf(id), bytes);
		if (entry === undefined || !isCalled(entry, logon)) continue;
		found.push(id);
		if (found.length >= MOST) break;
	}
	return found;
}

/** Attributes that name somebody to whom people give a name on the command line. */
const naming = [
	"samaccountname",
	"userprincipalname",
	"implicituserprincipalname",
	"mail",
	"uid",
	"primarysmtpaddress",
	"othersmtpaddresses",
];

function isCalled({ attributes }: Entry, name: string): boolean {
	return naming.some((attribute) => attributes.get(attribute)?.some((value) => value.toLowerCase() === name) === true);
}

function decoded(source: Source | undefined, bytes: Buffer): Entry | undefined {
	try {
		return source?.decode(bytes);
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		return undefined; // It is set aside, and has no name by which it could be found.
	}
}

function asciiLower(bytes: Buffer): string {
	// Of octets none but A to Z becomes one of a to z: 0.3 s for 100,000 entries, where a replacement of these alone takes 5 s.
	return bytes.toString("latin1").toLowerCase();
}
