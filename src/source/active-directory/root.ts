import { Failure } from "../../core/errors.ts";
import { parseFilter } from "../../core/filter-text.ts";
import { contextsOf, type Place } from "../ldap/place.ts";
import { attributeName, firstValue, textsOf } from "../ldap/wire/entry.ts";
import { probe, type Session, search } from "../ldap/wire/session.ts";
import { guidText } from "./guid.ts";
import type { Scope } from "./scope.ts";
import { parseVector, type Vector } from "./vector.ts";

/** What a domain controller says of itself before a reading. */
export interface Root {
	/** Names this DC's database; changes when it is restored from a backup. Undefined when it cannot be read. */
	readonly invocationId: string | undefined;
	/** The highest USN committed when it was asked: where the next delta begins. */
	readonly highestUsn: bigint | undefined;
	/** What its database surely has, its own writes among it. Undefined when it cannot be told. */
	readonly vector: Vector | undefined;
	/** Its invocation id, if it is not a read-only one, of whose own writes nobody hears. */
	readonly writes: string | undefined;
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
			"supportedCapabilities",
		],
	});
	if (raw === undefined) {
		throw new Failure("SOURCE_PROTOCOL", `${session.server} shows no root DSE`, {
			hint: "This is no directory server, or it hides its root DSE.",
		});
	}
	const [service] = textsOf(raw, "dsServiceName");
	const invocationId = service === undefined ? undefined : await readInvocationId(session, service);
	const highestUsn = usnOf(raw);
	const domains = contextsOf(scope.bases, [...textsOf(raw, "defaultNamingContext"), ...textsOf(raw, "namingContexts")]);
	const isReadOnly = textsOf(raw, "supportedCapabilities").includes(READ_ONLY);
	const writes = { id: isReadOnly ? undefined : invocationId, usn: highestUsn };
	return {
		invocationId,
		highestUsn,
		// After its own USN and before all else: what arrives in between is in the vector, and told again.
		vector: invocationId === undefined ? undefined : await readVector(session, domains, writes),
		writes: writes.id,
		domains,
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

/** LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID (MS-ADTS §3.1.1.3.4.3.7): a read-only domain controller. */
const READ_ONLY = "1.2.840.113556.1.4.1920";

/** What a domain controller has now: asked for again after a reading, since that may have shown what came during it. */
export async function readSeen(session: Session, root: Root): Promise<Vector | undefined> {
	if (root.vector === undefined) return undefined;
	const raw = await search(session, { base: "", scope: "base", filter: anything, attributes: ["highestCommittedUSN"] });
	const usn = raw[0] === undefined ? undefined : usnOf(raw[0]);
	return readVector(session, root.domains, { id: root.writes, usn });
}

async function readVector(
	session: Session,
	domains: readonly Place[],
	{ id, usn }: { readonly id: string | undefined; readonly usn: bigint | undefined },
): Promise<Vector | undefined> {
	const arrived = await readArrived(session, domains);
	return arrived === undefined || id === undefined || usn === undefined ? arrived : new Map([...arrived, [id, usn]]);
}

function usnOf(raw: Uint8Array): bigint | undefined {
	const [usn] = textsOf(raw, "highestCommittedUSN");
	return usn !== undefined && /^\d{1,19}$/.test(usn) ? BigInt(usn) : undefined;
}

const VECTOR = attributeName("replUpToDateVector");

/**
 * What has arrived from the others. Undefined when it cannot be told: the attribute may be hidden, does not exist where nothing
 * ever arrived, and is another one in each naming context.
 */
async function readArrived(session: Session, domains: readonly Place[]): Promise<Vector | undefined> {
	const [domain] = domains;
	if (domain === undefined || domains.length > 1) return undefined;
	const { entries } = await probe(session, { base: domain.dn, filter: anything, attributes: ["replUpToDateVector"] });
	const value = entries[0] === undefined ? undefined : firstValue(entries[0], VECTOR);
	return value === undefined ? undefined : parseVector(value);
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

/** What it has of its own writes, where no more can be told. */
export function ownOf({ invocationId, highestUsn }: Root): Vector | undefined {
	return invocationId === undefined || highestUsn === undefined ? undefined : new Map([[invocationId, highestUsn]]);
}
