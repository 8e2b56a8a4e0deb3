import { type Finding, passed, warned } from "../../ldap/diagnose.ts";
import { getChangesAll } from "./grants.ts";
import { type RightsSurvey, VECTOR } from "./rights-survey.ts";
import type { Property } from "./schema.ts";
import type { Lack } from "./sight.ts";

const RUN = "Run what is printed below as a domain administrator.";

/** What the account may do already, and what not, as lines of `check`. */
export function findingsOf(survey: RightsSurvey): readonly Finding[] {
	const { account, lacks, single, domains } = survey;
	const identified = account.dn === undefined ? account.name : `${account.name}, ${account.dn}`;
	return [
		account.mightyBy.length === 0
			? passed("account", account.name, `${identified}: in no group of administrators`)
			: warned(
					"account",
					account.name,
					`may do anything, by ${account.mightyBy.join(", ")}`,
					"Take it out of these groups: it reads, and no more.",
				),
		...lacks.map(ofPlace),
		...few(lacks.flatMap(({ unreached }) => unreached)).map((dn) =>
			warned(
				"object",
				dn,
				"inherits nothing, and something of it may not be read: mostly who is, or was, in a group of administrators (AdminSDHolder)",
				"Take it out of the scope, or grant the same on CN=AdminSDHolder,CN=System, which is copied to all of them.",
			),
		),
		...few(lacks.flatMap(({ veiled }) => veiled)).map((dn) =>
			warned(
				"object",
				dn,
				"shows nothing, not even what it is: it inherits nothing",
				"Should it be in scope: let it inherit again, or grant the same on it.",
			),
		),
		...single.map(({ dn, lacking }) =>
			lacking.length === 0
				? passed("object", dn, "all that is read of it can be read already")
				: warned("object", dn, `may not be read, or cannot be told: ${names(lacking)}`, RUN),
		),
		survey.seesDeleted
			? passed("deleted", domains.join("; "), "deleted objects can be seen already")
			: warned("deleted", domains.join("; "), "deleted objects cannot be seen: deletions wait for full readings", RUN),
		...survey.replication.flatMap(({ domain, lacking, holdsAll }) => [
			...(holdsAll
				? [
						warned(
							"replication",
							domain,
							`the account holds "${getChangesAll.name}": it may read every password's hash`,
							"Take that right away.",
						),
					]
				: []),
			...(survey.wantsDirSync && lacking.length > 0
				? [warned("replication", domain, `lacks ${lacking.map(({ name }) => `"${name}"`).join(", ")} for changes: dirsync`, RUN)]
				: []),
		]),
		survey.seesIdentity
			? passed("identity", "invocationId", "can be read already")
			: warned("identity", "invocationId", "cannot be read: every reading is a full one", RUN),
		survey.vector.isReadable
			? passed("identity", VECTOR, "can be read already")
			: warned("identity", VECTOR, "cannot be read: domain controllers cannot be compared", RUN),
	];
}

/** More of a kind are not read any more. */
const MOST_SAID = 20;

function few(dns: readonly string[]): readonly string[] {
	return dns.length <= MOST_SAID ? dns : [...dns.slice(0, MOST_SAID), `and ${dns.length - MOST_SAID} more`];
}

function ofPlace(lack: Lack): Finding {
	const { dn, seen } = lack;
	const what = [
		...(lack.isThere ? [] : ["it cannot be seen"]),
		...(lack.mayList ? [] : ["its contents cannot be listed everywhere"]),
		...(lack.maySeeSecurity ? [] : ["access lists cannot be read"]),
		...(lack.any.length === 0 ? [] : [`of all objects: ${names(lack.any)}`]),
		...(lack.people.length === 0 ? [] : [`of people: ${names(lack.people)}`]),
		...(lack.groups.length === 0 ? [] : [`of groups: ${names(lack.groups)}`]),
	];
	const looked = `looked at: containers ${seen.containers}, people ${seen.people}, groups ${seen.groups}`;
	const kind = lack.isBase ? "base" : "container";
	if (what.length === 0) return passed(kind, dn, `all that is read can be read already (${looked})`);
	const inherits = lack.isBase ? "" : "; it inherits nothing from the base";
	return warned(kind, dn, `may not be read, or cannot be told: ${what.join("; ")}${inherits} (${looked})`, RUN);
}

function names(properties: readonly Property[]): string {
	return properties.map(({ name }) => name).join(", ");
}
