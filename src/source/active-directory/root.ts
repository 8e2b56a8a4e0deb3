import { dnKey, isBeneath } from "../../core/dn.ts";
import { Failure } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-text.ts";
import { attributeName, firstValue, textsOf } from "../ldap/wire/entry.ts";
import { probe, type Session, search } from "../ldap/wire/session.ts";
import { guidText } from "./guid.ts";
import { outermost, type Place, type Scope } from "./scope.ts";

/** What a domain controller says of itself before a reading. */
export interface Root {
	/** Names this DC's database; changes when it is restored from a backup. Undefined when it cannot be read. */
	readonly invocationId: string | undefined;
	/** The highest USN committed when it was asked: where the next delta begins. */
	readonly highestUsn: bigint | undefined;
	/** The naming contexts in which the bases lie. */
	readonly domains: readonly Place[];
	readonly controls: ReadonlySet<string>;
	/** Generalized time, the server's clock. */
	readonly currentTime: string | undefined;
	/** "dc1.corp.example.com", for a person. */
	readonly hostName: string | undefined;
}

export const anything = parseFilter("(objectClass=*)");

/** Reads the root DSE. Ask before searching: what changes during a reading is then seen by the next delta. */
export async function readRoot(session: Session, scope: Scope): Promise<Root> {
	const [raw] = await search(session, {
		base: "",
		scope: "base",
		filter: anything,
		attributes: [
			"highestCommittedUSN",
			"dsServiceName",
			"namingContexts",
			"defaultNamingContext",
			"supportedControl",
			"currentTime",
			"dnsHostName",
		],
	});
	if (raw === undefined) {
		throw new Failure("SOURCE_PROTOCOL", `${session.server} shows no root DSE`, {
			hint: "This is no directory server, or it hides its root DSE.",
		});
	}
	const usn = textsOf(raw, "highestCommittedUSN")[0];
	const [service] = textsOf(raw, "dsServiceName");
	return {
		invocationId: service === undefined ? undefined : await readInvocationId(session, service),
		highestUsn: usn !== undefined && /^\d{1,19}$/.test(usn) ? BigInt(usn) : undefined,
		domains: domainsOf(scope, [...textsOf(raw, "defaultNamingContext"), ...textsOf(raw, "namingContexts")]),
		controls: new Set(textsOf(raw, "supportedControl")),
		currentTime: textsOf(raw, "currentTime")[0],
		hostName: textsOf(raw, "dnsHostName")[0],
	};
}

async function readInvocationId(session: Session, service: string): Promise<string | undefined> {
	const { entries } = await probe(session, { base: service, filter: anything, attributes: ["invocationId"] });
	const value = entries[0] === undefined ? undefined : firstValue(entries[0], attributeName("invocationId"));
	return value?.length === 16 ? guidText(value) : undefined;
}

/** The naming context of each base: the longest that it lies in, or the base itself where the server names none. */
function domainsOf(scope: Scope, contexts: readonly string[]): readonly Place[] {
	const places = contexts.filter((dn) => dn !== "").map((dn) => ({ dn, key: dnKey(dn) }));
	const domains = scope.bases.map((base) => {
		const around = places.filter((place) => isBeneath(base.key, place.key));
		return around.reduce((longest, place) => (place.key.length > longest.key.length ? place : longest), around[0] ?? base);
	});
	return outermost(domains);
}

const USN = attributeName("uSNChanged");

/**
 * Makes sure that each base is there and visible; returns whether all of them show their uSNChanged. Throws Failure
 * SOURCE_BASE_MISSING naming the one that is not.
 */
export async function requireBases(session: Session, scope: Scope): Promise<boolean> {
	let showsUsn = true;
	for (const { dn } of scope.bases) {
		const { entries, isThere } = await probe(session, { base: dn, filter: anything, attributes: ["objectGUID", "uSNChanged"] });
		const [raw] = entries;
		if (raw !== undefined) {
			showsUsn = showsUsn && firstValue(raw, USN) !== undefined;
			continue;
		}
		const why = isThere ? "is there, but this account cannot read it" : "is not there, or not visible to this account";
		throw new Failure("SOURCE_BASE_MISSING", `the base "${dn}" ${why} (${session.server})`, {
			hint: "Check its spelling, whether it was renamed or moved, and the service account's right to read it.",
		});
	}
	return showsUsn;
}
