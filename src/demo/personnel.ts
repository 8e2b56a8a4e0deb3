import type { Value } from "../core/syntax.ts";
import { fileTime, NEVER } from "./bind.ts";
import type { Person } from "./people.ts";

/** What a directory decides for itself about a person: the names that must be unique there. */
export interface Listing {
	readonly sam: string;
	/** Local part of the mail address. */
	readonly mail: string;
	readonly domain: string;
	readonly company: string;
	/** When the file is kept from: expiry dates count from here. */
	readonly now: number;
}

const DAY_MS = 86_400_000;

/** A person's attributes as a user account has them, by lower-case name. */
export function userAttributes(person: Person, listing: Listing): Map<string, readonly Value[]> {
	const { sam, mail, domain } = listing;
	const attributes = new Map<string, readonly Value[]>([
		["sn", [person.family.shown]],
		["l", [person.city]],
		["title", [person.title]],
		["telephonenumber", [person.telephone]],
		["givenname", [person.given.shown]],
		["displayname", [`${person.given.shown} ${person.family.shown}`]],
		["department", [person.department]],
		["company", [listing.company]],
		["proxyaddresses", proxyAddresses(person, listing)],
		["employeeid", [person.employeeId]],
		["useraccountcontrol", [person.standing === "disabled" ? "514" : "512"]],
		["primarygroupid", ["513"]],
		["accountexpires", [expiryOf(person, listing.now)]],
		["samaccountname", [sam]],
		["userprincipalname", [`${sam}@${domain}`]],
		["mail", [`${mail}@${domain}`]],
	]);
	if (person.mobile !== undefined) attributes.set("mobile", [person.mobile]);
	return attributes;
}

export function contactAttributes(person: Person, { mail, company }: Listing): Map<string, readonly Value[]> {
	return new Map<string, readonly Value[]>([
		["sn", [person.family.shown]],
		["givenname", [person.given.shown]],
		["displayname", [`${person.given.shown} ${person.family.shown} (${company})`]],
		["mail", [`${mail}@partner.example.net`]],
		["proxyaddresses", [`SMTP:${mail}@partner.example.net`]],
	]);
}

function proxyAddresses(person: Person, { mail, sam, domain }: Listing): string[] {
	const primary = `SMTP:${mail}@${domain}`;
	return person.hasAlias ? [primary, `smtp:${sam}@${domain}`, `smtp:${mail}@old.example.org`] : [primary];
}

/** Both spellings of "never", days gone by, and days to come. */
function expiryOf(person: Person, now: number): string {
	if (person.standing === "expired") return fileTime(now - (1 + (person.index % 300)) * DAY_MS);
	if (person.standing === "expiring") return fileTime(now + (30 + (person.index % 300)) * DAY_MS);
	return person.index % 3 === 0 ? "0" : NEVER;
}
