import { parentDn } from "../../../core/dn.ts";
import { deletedObjectsDn } from "../deleted.ts";
import type { Grant, Named, Right } from "./grant.ts";
import type { Property } from "./schema.ts";
import type { Lack } from "./sight.ts";

/** MS-ADTS §5.1.3.2.1. The third of them hands out password hashes, and is never granted. */
export const getChanges: Named = { name: "Replicating Directory Changes", guid: "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2" };
export const getChangesFiltered: Named = {
	name: "Replicating Directory Changes In Filtered Set",
	guid: "89e95b76-444d-4c62-991a-0facbeda640c",
};
export const getChangesAll: Named = { name: "Replicating Directory Changes All", guid: "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2" };

/** Who inherits what is granted for people and groups. An entry for a class counts for no class derived from it. */
export interface Heirs {
	readonly people: readonly Named[];
	readonly group: Named;
}

/** What has to be granted at a base, or at a container that takes nothing over from one, so that nothing is lacking. */
export function grantsAt(lack: Lack, heirs: Heirs, isListObjectMode: boolean): readonly Grant[] {
	const { dn } = lack;
	const general: Right[] = [];
	if (!lack.mayList) general.push("list");
	if (!lack.maySeeSecurity) general.push("read-security");
	return [
		...(lack.isThere ? [] : toBeSeen(dn, isListObjectMode)),
		...(general.length === 0 ? [] : [grant(dn, WHY_LIST, general, "here-and-beneath")]),
		...reading(dn, "what an object is, and whether it changed", "here-and-beneath", lack.any, undefined),
		...heirs.people.flatMap((heir) => reading(dn, `what is read of people (class ${heir.name})`, "beneath", lack.people, heir)),
		...reading(dn, "what is read of groups, with their members", "beneath", lack.groups, heirs.group),
	];
}

const WHY_LIST = "who is in it, and the proof that somebody is not (access lists tell an empty container from a hidden one)";

/** An object is seen by who may list the one above it; in List Object mode, by who may see the object in both (MS-ADTS §5.1.3.3.6). */
export function toBeSeen(dn: string, isListObjectMode: boolean): readonly Grant[] {
	const above = parentDn(dn);
	if (above === undefined) return [];
	if (!isListObjectMode) {
		return [grant(above, `so that "${dn}" is seen; so are the names of what lies beside it, and nothing else of them`, ["list"], "here")];
	}
	return [dn, above].map((each) =>
		grant(each, `so that "${dn}" is seen, and nothing beside it (List Object mode)`, ["list-object"], "here"),
	);
}

/** The properties of one object alone. */
export function grantsOf(dn: string, where: string, properties: readonly Property[]): readonly Grant[] {
	return reading(dn, `is ${where}`, "here", properties, undefined);
}

/** Tombstones, which prove a deletion at once: List Contents and Read Property, as in Microsoft's article 892806. */
export function grantOfDeleted(domain: string): Grant {
	const why = "deletions are seen with the next delta, and proven by their tombstones";
	return { ...grant(deletedObjectsDn(domain), why, ["list", "read"], "here"), isOwnedBySystem: true };
}

/** What DirSync asks for at the root of a domain (MS-ADTS §3.1.1.3.4.1.3; MS-DRSR, SecurityCheckForChanges). */
export function grantsOfDirSync(domain: string, lacking: readonly Named[]): readonly Grant[] {
	const why = "changes: dirsync, which tells changes of the whole domain, but no passwords";
	return lacking.length === 0 ? [] : [{ ...grant(domain, why, ["control"], "here"), of: lacking }];
}

/** The domain controller's own identity, by which it is known that a copy was restored, and whose USNs those are. */
export function grantsOfIdentity(configuration: string, properties: readonly Property[], heirs: Named): readonly Grant[] {
	const sites = `CN=Sites,${configuration}`;
	const why = "the invocation id of each domain controller, without which every reading is a full one";
	return [grant(sites, why, ["list"], "here-and-beneath"), ...reading(sites, why, "beneath", properties, heirs)];
}

function reading(
	dn: string,
	why: string,
	reach: Grant["reach"],
	properties: readonly Property[],
	heirs: Named | undefined,
): readonly Grant[] {
	const plain = properties.filter(({ isConfidential }) => !isConfidential);
	const confidential = properties.filter(({ isConfidential }) => isConfidential);
	const of = (rights: readonly Right[], some: readonly Property[], note: string): readonly Grant[] =>
		some.length === 0 ? [] : [{ ...grant(dn, `${why}${note}`, rights, reach), of: some, heirs }];
	return [...of(["read"], plain, ""), ...of(["read", "control"], confidential, "; the schema marks these as confidential")];
}

function grant(dn: string, why: string, rights: readonly Right[], reach: Grant["reach"]): Grant {
	return { dn, why, rights, reach, of: [], heirs: undefined, isOwnedBySystem: false };
}
