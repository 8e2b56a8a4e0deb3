import { dnKey, isBeneath } from "../../../core/dn.ts";
import { Failure } from "../../../core/errors.ts";
import { dnOf, firstValue, textsOf } from "../../ldap/wire/entry.ts";
import { type Session, search } from "../../ldap/wire/session.ts";
import { seesDeletedObjects } from "../deleted.ts";
import { accessListOnly, DESCRIPTOR } from "../listing.ts";
import { sightGroup } from "../named-groups.ts";
import { anything } from "../root.ts";
import { mayControl } from "../security-descriptor.ts";
import { type Visit, visitOne } from "../visit.ts";
import { type Forest, readAccount, type ServiceAccount } from "./account.ts";
import type { Named } from "./grant.ts";
import { getChanges, getChangesAll, getChangesFiltered } from "./grants.ts";
import { type ForestSchema, type Property, readSchema } from "./schema.ts";
import { type Lack, lookAt, makeJudge, type Properties } from "./sight.ts";
import type { Wanted } from "./wanted.ts";

/** All that was seen, before anything is concluded from it. */
export interface RightsSurvey {
	readonly account: ServiceAccount;
	readonly forest: Forest;
	readonly domains: readonly string[];
	readonly schema: ForestSchema;
	readonly properties: Properties;
	readonly unknown: readonly string[];
	readonly lacks: readonly Lack[];
	readonly isListObjectMode: boolean | undefined;
	readonly single: readonly {
		readonly dn: string;
		readonly where: string;
		readonly isThere: boolean;
		readonly all: readonly Property[];
		readonly lacking: readonly Property[];
	}[];
	readonly notFound: readonly string[];
	readonly seesDeleted: boolean;
	readonly wantsDirSync: boolean;
	/** The rights that DirSync asks for, and those of them that are lacking. */
	readonly replication: readonly {
		readonly domain: string;
		readonly needed: readonly Named[];
		readonly lacking: readonly Named[];
		readonly holdsAll: boolean;
	}[];
	readonly vector: { readonly property: Property | undefined; readonly isReadable: boolean };
	readonly seesIdentity: boolean;
}

/** By which domain controllers are compared. */
export const VECTOR = "replUpToDateVector";

/** Looks at everything that a source reads, as the account that is bound sees it. `boundAs`: what the configuration calls it. */
export async function surveyRights(visit: Visit, wanted: Wanted, boundAs: string): Promise<RightsSurvey> {
	const { session, root } = visit;
	const forest = await readForest(session);
	const account = await readAccount(visit, forest, boundAs);
	const names = [...wanted.any, ...wanted.people, ...wanted.ofGroups, ...wanted.ofProtected, VECTOR, "invocationId"];
	const schema = await readSchema(session, forest.schema, names, ["user", "inetOrgPerson", "group", "nTDSDSA"]);
	const known = (attributes: readonly string[]): readonly Property[] =>
		attributes.flatMap((name) => schema.properties.get((name.split(";")[0] as string).toLowerCase()) ?? []);
	const properties = { any: known(wanted.any), people: known(wanted.people), groups: known(wanted.ofGroups) };
	const lacks: Lack[] = [];
	for (const place of wanted.places) lacks.push(...(await lookAt(visit, place, properties, account.sids)));
	const { single, notFound } = await surveySingle(visit, wanted, known, account.sids);
	const domains = root.domains.map(({ dn }) => dn);
	const needed = [...new Set([...properties.any, ...properties.people, ...properties.groups])];
	const replicating = [getChanges, ...(needed.some(({ isFiltered }) => isFiltered) ? [getChangesFiltered] : [])];
	const replication = [];
	let isReadable = true;
	const vector = schema.properties.get(VECTOR.toLowerCase());
	for (const domain of domains) {
		const head = await visitOne(visit, domain, [VECTOR, "nTSecurityDescriptor"], [accessListOnly]);
		const descriptor = head && firstValue(head, DESCRIPTOR);
		const may = ({ guid }: Named): boolean => descriptor !== undefined && mayControl(descriptor, account.sids, [guid]) === true;
		replication.push({ domain, needed: replicating, lacking: replicating.filter((right) => !may(right)), holdsAll: may(getChangesAll) });
		if (head === undefined || (vector !== undefined && !makeJudge(account.sids).mayRead(head, vector))) isReadable = false;
	}
	return {
		...{ account, forest, domains, schema, properties, lacks, single, notFound, replication },
		unknown: [...wanted.people, ...wanted.ofGroups].filter((name) => known([name]).length === 0),
		isListObjectMode: await readListObjectMode(visit, forest),
		seesDeleted: await seesDeletedObjects(visit),
		wantsDirSync: wanted.changes === "dirsync",
		vector: { property: vector, isReadable },
		seesIdentity: root.invocationId !== undefined,
	};
}

async function readForest(session: Session): Promise<Forest> {
	const names = ["configurationNamingContext", "schemaNamingContext", "defaultNamingContext"];
	const [raw] = await search(session, { base: "", scope: "base", filter: anything, attributes: names });
	const [configuration, schema, domain] = names.map((name) => raw && textsOf(raw, name)[0]);
	if (configuration !== undefined && schema !== undefined && domain !== undefined) return { configuration, schema, domain };
	throw new Failure("SOURCE_PROTOCOL", `${session.server} does not name its naming contexts`, { hint: "It may be no domain controller." });
}

/** The third sign of dSHeuristics (MS-ADTS §6.1.1.2.4.1.2, fDoListObject); undefined where it cannot be told. */
async function readListObjectMode(visit: Visit, { configuration }: Forest): Promise<boolean | undefined> {
	const dn = `CN=Directory Service,CN=Windows NT,CN=Services,${configuration}`;
	const raw = await visitOne(visit, dn, ["objectClass", "dSHeuristics"]);
	if (raw === undefined || textsOf(raw, "objectClass").length === 0) return undefined;
	return (textsOf(raw, "dSHeuristics")[0] ?? "")[2] === "1";
}

/** Groups and protected objects that the configuration names, as far as no base holds them. */
async function surveySingle(
	visit: Visit,
	wanted: Wanted,
	known: (attributes: readonly string[]) => readonly Property[],
	sids: ReadonlySet<string>,
): Promise<Pick<RightsSurvey, "single" | "notFound">> {
	const { groups, protect, places } = wanted;
	const named: { dn: string; where: string; attributes: readonly string[] }[] = [];
	const notFound: string[] = [];
	for (const group of groups === undefined ? [] : [...groups.named, ...groups.ruled]) {
		const sighting = await sightGroup({ ...visit, scope: groups?.scope ?? visit.scope }, group, new Map(), "a rule");
		const dn = sighting.kind === "found" ? sighting.group.dn : group.name.kind === "dn" ? group.name.dn : undefined;
		if (dn === undefined) notFound.push(group.text);
		else named.push({ dn, where: "a group that users.groups or a rule names", attributes: [...wanted.any, ...wanted.ofGroups] });
	}
	for (const { dn } of protect) named.push({ dn, where: "named by protect", attributes: wanted.ofProtected });
	const isHeld = (dn: string): boolean => places.some(({ key, holdsGroups }) => holdsGroups && isBeneath(dnKey(dn), key));
	const single = [];
	for (const { dn, where, attributes } of named.filter(({ dn }) => !isHeld(dn))) {
		const all = known(attributes);
		const raw = await visitOne(visit, dn, [...attributes, "nTSecurityDescriptor"], [accessListOnly]);
		const lacking = all.filter((property) => raw === undefined || !makeJudge(sids).mayRead(raw, property));
		single.push({ dn: raw === undefined ? dn : dnOf(raw), where, isThere: raw !== undefined, all, lacking });
	}
	return { single, notFound };
}
