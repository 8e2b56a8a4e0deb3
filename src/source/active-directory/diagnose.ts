import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { diagnoseSite, type Finding, failed, notInSchema, passed, warned } from "../ldap/diagnose.ts";
import { diagnoseBinds, type Reached } from "../ldap/diagnose-bind.ts";
import { protocolFailure } from "../ldap/result.ts";
import { pagedResultsOid } from "../ldap/wire/encode.ts";
import type { Session } from "../ldap/wire/session.ts";
import { readUnknown } from "./attribute-schema.ts";
import { refusalOf } from "./blind.ts";
import { diagnoseChanges, diagnoseDeleted } from "./diagnose-changes.ts";
import { diagnoseGroups } from "./diagnose-groups.ts";
import { makeGroupScope } from "./group-scope.ts";
import type { ActiveDirectoryOptions } from "./options.ts";
import { readProtection } from "./protection.ts";
import { readRoot } from "./root.ts";
import { makeScope, type Scope } from "./scope.ts";
import { examples, type Visit, visitOne } from "./visit.ts";

/** A source as the configuration has it. */
export interface Diagnosed extends Reached {
	readonly name: string;
	readonly bases: readonly string[];
	readonly users: ActiveDirectoryOptions["users"];
	readonly groups: ActiveDirectoryOptions["groups"];
	readonly ruleGroups: ActiveDirectoryOptions["ruleGroups"];
	readonly changes: ActiveDirectoryOptions["changes"];
	readonly protect: readonly string[];
	readonly attributes: ActiveDirectoryOptions["attributes"];
	readonly pageSize: number;
}

/** Everything a source needs, looked at one by one: the way to each server, the account, and what it may read. Changes nothing. */
export async function* diagnose(source: Diagnosed, clock: () => number, signal: AbortSignal): AsyncGenerator<Finding, void> {
	const scope = makeScope(source);
	const session = yield* diagnoseBinds(source, clock, signal);
	try {
		if (session !== undefined) yield* diagnoseRights(source, scope, session, clock);
	} finally {
		session?.close();
	}
}

async function* diagnoseRights(source: Diagnosed, scope: Scope, session: Session, clock: () => number): AsyncGenerator<Finding, void> {
	try {
		const root = await readRoot(session, scope);
		const visit: Visit = { session, scope, root, pageSize: source.pageSize, unsealed: [], warnings: [], deleted: new Set() };
		yield judgeClock(session.server, root.currentTime, clock());
		yield* await diagnoseSite(session, source.discovery);
		yield judgePaging(visit);
		yield* diagnoseChanges(visit, source.changes, refusalOf(source));
		// Without a base there is no reading, and so nobody to look at.
		if (yield* diagnoseBases(visit)) yield* diagnosePeople(visit);
		const groups = makeGroupScope(source);
		if (groups !== undefined) yield* diagnoseGroups(visit, groups);
		yield* diagnoseProtection(visit, source.protect);
		yield await diagnoseDeleted(visit);
	} catch (cause) {
		yield failed("rights", session.server, protocolFailure(session.server, cause));
	}
}

/** A minute is enough to disable somebody too early or too late, and a sign that nobody looks after one of the clocks. */
const SKEW_MS = 60_000;

function judgeClock(server: string, currentTime: string | undefined, now: number): Finding {
	const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(currentTime ?? "");
	if (digits === null) return passed("clock", server, "does not say its time");
	const [year, month, day, hour, minute, second] = digits.slice(1).map(Number) as [number, number, number, number, number, number];
	const skewMs = now - Date.UTC(year, month - 1, day, hour, minute, second);
	const detail = `is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? "behind" : "ahead of"} this machine`;
	if (Math.abs(skewMs) <= SKEW_MS) return passed("clock", server, detail);
	return warned("clock", server, detail, "Set the clocks by NTP: accounts expire by this machine's, and certificates are judged by it.");
}

function judgePaging({ root, session }: Visit): Finding {
	if (root.controls.has(pagedResultsOid)) return passed("paging", session.server, "is offered");
	return warned(
		"paging",
		session.server,
		"is not among what the server says it can do",
		"Readings may be cut short and will not count as complete.",
	);
}

/** Returns whether all of them are there. */
async function* diagnoseBases(visit: Visit): AsyncGenerator<Finding, boolean> {
	let areThere = true;
	for (const { dn } of visit.scope.bases) {
		const seen = await visitOne(visit, dn, ["objectGUID"]);
		if (seen !== undefined) yield passed("base", dn, "is there and can be read");
		else {
			const missing = new Failure("SOURCE_BASE_MISSING", "is not there, or not visible to this account", {
				hint: "Check its spelling, whether it was renamed or moved, and the service account's right to read it.",
			});
			areThere = false;
			yield failed("base", dn, missing);
		}
	}
	for (const { dn } of visit.scope.excluded) {
		const seen = await visitOne(visit, dn, ["objectGUID"]);
		if (seen !== undefined) yield passed("exclude", dn, "is there");
		else yield warned("exclude", dn, "is not there, so it excludes nobody", "Check its spelling, and whether it was renamed or moved.");
	}
	return areThere;
}

/** As many people as are counted; more are "at least". */
const COUNTED = 500;
/** Every user of AD has these. Without them nobody can be followed, or told enabled from disabled or expired. */
const needed = new Set(["objectguid", "useraccountcontrol", "accountexpires", "samaccountname", "samaccounttype", "objectclass"]);

async function* diagnosePeople(visit: Visit): AsyncGenerator<Finding, void> {
	const { scope } = visit;
	const count = await countPeople(visit, scope.wanted, COUNTED);
	const subject = scope.filter === undefined ? "people" : "people by users.filter";
	if (count === 0) {
		yield warned("people", subject, "none is found", "Check users.filter, and the service account's right to read people.");
		return;
	}
	yield passed("people", subject, count >= COUNTED ? `at least ${COUNTED} are found` : `${count} are found`);
	const changed: Filter = { kind: "and", parts: [scope.wanted, { kind: "present", attribute: "uSNChanged" }] };
	if ((await countPeople(visit, changed, 1)) === 0) {
		yield warned(
			"changes",
			"uSNChanged",
			"cannot be read of anybody",
			"Every reading will be a full one: give the account the right to read it.",
		);
	}
	const silent: string[] = [];
	for (const attribute of scope.attributes) {
		const shown: Filter = { kind: "and", parts: [scope.wanted, { kind: "present", attribute }] };
		if ((await countPeople(visit, shown, 1)) > 0) yield passed("attribute", attribute, "can be read");
		else if (needed.has(attribute.toLowerCase())) {
			const missing = new Failure("SOURCE_REFUSED", "cannot be read of anybody", {
				hint: "Give the service account the right to read it: without it, nothing is known of people's state.",
			});
			yield failed("attribute", attribute, missing);
		} else silent.push(attribute);
	}
	const unknown = silent.length === 0 ? new Set() : await readUnknown(visit.session, silent);
	for (const attribute of silent) {
		if (unknown.has(attribute.toLowerCase())) {
			yield notInSchema(attribute);
			continue;
		}
		yield warned(
			"attribute",
			attribute,
			"shows on nobody: nobody has a value, or it cannot be read",
			"If people do have it, give the service account the right to read it.",
		);
	}
}

async function countPeople(visit: Visit, filter: Filter, most: number): Promise<number> {
	let count = 0;
	for (const { dn } of visit.scope.bases) if (count < most) count += await examples(visit, dn, filter, "sub", most - count);
	return count;
}

async function* diagnoseProtection(visit: Visit, names: readonly string[]): AsyncGenerator<Finding, void> {
	for (const name of names) {
		const { people, containers, unresolved } = await readProtection(visit, [name]);
		const [problem] = unresolved;
		if (problem !== undefined) yield warned("protect", name, problem, "Correct it: until then everybody counts as protected.");
		else yield passed("protect", name, containers.length > 0 ? "protects everyone beneath it" : `protects ${people.size} by name`);
	}
}
