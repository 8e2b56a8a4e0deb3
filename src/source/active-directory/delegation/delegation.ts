import { Failure } from "../../../core/errors.ts";
import { accountName } from "../../ldap/bind.ts";
import { readClientCertificate } from "../../ldap/client-certificate.ts";
import type { Finding } from "../../ldap/diagnose.ts";
import type { Reached } from "../../ldap/diagnose-bind.ts";
import { protocolFailure } from "../../ldap/result.ts";
import { signIn } from "../../ldap/sign-in.ts";
import { readRoot } from "../root.ts";
import type { Visit } from "../visit.ts";
import { dsaclsScript, dsaclsUndo } from "./dsacls.ts";
import { findingsOf } from "./findings.ts";
import { type Grant, sddlOf } from "./grant.ts";
import { grantOfDeleted, grantsAt, grantsOf, grantsOfDirSync, grantsOfIdentity, toBeSeen } from "./grants.ts";
import { powershellOf } from "./powershell.ts";
import { remarksFor } from "./remarks.ts";
import { type RightsSurvey, surveyRights } from "./rights-survey.ts";
import type { Property } from "./schema.ts";
import type { Lack, Properties } from "./sight.ts";
import { type Asked, wantedBy } from "./wanted.ts";

/** What a service account is to be allowed in its domain, and what it is allowed already. */
export interface Delegation {
	/** For a person: "ldaps://dc1.corp.example.com". */
	readonly server: string;
	readonly account: { readonly name: string; readonly sid: string | undefined; readonly dn: string | undefined };
	readonly findings: readonly Finding[];
	/** What commands cannot do. Sentences for a person. */
	readonly remarks: readonly string[];
	/** `sddl`: the entries, as far as the account's SID is known. */
	readonly grants: readonly { readonly dn: string; readonly why: string; readonly sddl: readonly string[] }[];
	/** For Windows PowerShell; takes it back with -Undo. */
	readonly powershell: string;
	/** A batch file. */
	readonly dsacls: string;
	/** A batch file that takes it back. */
	readonly dsaclsUndo: string;
}

/** Grants what is lacking, or everything that is read: for a domain that is yet to be hardened. */
export type Extent = "lacking" | "everything";

/** Works out the least that a source's account needs, by looking at what it may do now. Changes nothing. Throws what signing in throws. */
export async function delegate(source: Reached & Asked, extent: Extent, clock: () => number, signal: AbortSignal): Promise<Delegation> {
	const wanted = wantedBy(source);
	const session = await signIn(source, clock, signal);
	try {
		const root = await readRoot(session, wanted.scope);
		const visit: Visit = { session, scope: wanted.scope, root, pageSize: source.pageSize, unsealed: [], warnings: [], deleted: new Set() };
		const boundAs = accountName("user" in source.bind ? { user: source.bind.user } : source.bind, readClientCertificate(source.tls));
		const survey = await surveyRights(visit, wanted, boundAs);
		return told(survey, extent, root.hostName ?? new URL(session.server).hostname, session.server);
	} catch (cause) {
		throw protocolFailure(session.server, cause);
	} finally {
		session.close();
	}
}

function told(survey: RightsSurvey, extent: Extent, host: string, server: string): Delegation {
	const { account } = survey;
	const grants = grantsFor(survey, extent);
	const remarks = remarksFor({ ...survey, extent, grants });
	const { name, sid, dn } = account;
	return {
		...{ server, account: { name, sid, dn }, remarks, findings: findingsOf(survey) },
		grants: grants.map((grant) => ({ dn: grant.dn, why: grant.why, sddl: sid === undefined ? [] : sddlOf(grant, sid) })),
		powershell: powershellOf(grants, { name, sid, server: host }, remarks),
		dsacls: dsaclsScript(grants, name, remarks),
		dsaclsUndo: dsaclsUndo(grants, name),
	};
}

function grantsFor(survey: RightsSurvey, extent: Extent): readonly Grant[] {
	const { schema, properties, domains, forest, vector } = survey;
	const isAll = extent === "everything";
	const [user, group, service] = ["user", "group", "ntdsdsa"].map((name) => schema.classes.get(name));
	if (user === undefined || group === undefined) throw new Failure("SOURCE_PROTOCOL", "the schema has no class user or group");
	const heirs = { people: [user], group };
	const lacks = isAll
		? survey.lacks.map((lack) => ({ ...lack, ...{ mayList: false, maySeeSecurity: false }, ...allOf(lack, properties) }))
		: survey.lacks;
	const identity = ["invocationid", "objectclass"].flatMap((name) => schema.properties.get(name) ?? []);
	const isListObjectMode = survey.isListObjectMode === true;
	return [
		...lacks.flatMap((lack) => grantsAt(lack, heirs, isListObjectMode)),
		...survey.single.flatMap(({ dn, where, isThere, all, lacking }) => [
			...(isThere ? [] : toBeSeen(dn, isListObjectMode)),
			...grantsOf(dn, where, isAll ? all : lacking),
		]),
		...(isAll || !survey.seesDeleted ? domains.map(grantOfDeleted) : []),
		...(survey.wantsDirSync
			? survey.replication.flatMap(({ domain, needed, lacking }) => grantsOfDirSync(domain, isAll ? needed : lacking))
			: []),
		...(vector.property !== undefined && (isAll || !vector.isReadable)
			? domains.flatMap((dn) =>
					grantsOf(dn, "read for its up-to-dateness vector, by which domain controllers are compared", [vector.property as Property]),
				)
			: []),
		...(service !== undefined && (isAll || !survey.seesIdentity) ? grantsOfIdentity(forest.configuration, identity, service) : []),
	];
}

function allOf(lack: Lack, { any, people, groups }: Properties): Properties {
	// What a place does not hold is lacking of nobody there.
	return { any, people: lack.holdsPeople ? people : [], groups: lack.holdsGroups ? groups : [] };
}
