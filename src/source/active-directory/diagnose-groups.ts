import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { type Finding, failed, passed, warned } from "../ldap/diagnose.ts";
import { diagnoseWantedGroup } from "../ldap/diagnose-wanted-group.ts";
import type { GroupScope } from "./group-scope.ts";
import { findNamedGroups, sightGroup } from "./named-groups.ts";
import { requireBases } from "./root.ts";
import { examples, type Visit } from "./visit.ts";

/** As many groups as are counted; more are "at least". */
const COUNTED = 500;

/** Whether groups are there, what they are called in the configuration, and whether their members may be read. */
export async function* diagnoseGroups(people: Visit, { scope, named, ruled }: GroupScope): AsyncGenerator<Finding, void> {
	const visit: Visit = { ...people, scope };
	for (const wanted of named) {
		try {
			await findNamedGroups(visit, [wanted], new Map());
			yield passed("group", wanted.text, "of users.groups is there");
		} catch (cause) {
			yield failed("group", wanted.text, cause);
		}
	}
	for (const wanted of ruled) yield diagnoseWantedGroup(wanted, await sightGroup(visit, wanted, new Map(), "a rule"));
	for (const base of scope.bases) {
		try {
			await requireBases(visit.session, { ...scope, bases: [base] });
			yield passed("base", base.dn, "of groups is there and can be read");
		} catch (cause) {
			yield failed("base", base.dn, cause);
			return;
		}
	}
	if (scope.bases.length > 0) yield* countGroups(visit);
}

async function* countGroups(visit: Visit): AsyncGenerator<Finding, void> {
	const { scope } = visit;
	const count = await countMatching(visit, scope.wanted, COUNTED);
	const subject = scope.filter === undefined ? "groups" : "groups by their filter";
	if (count === 0) {
		yield warned(
			"groups",
			subject,
			"none is found",
			"Check groups.filter and groups.kinds, and the service account's right to read groups.",
		);
		return;
	}
	yield passed("groups", subject, count >= COUNTED ? `at least ${COUNTED} are found` : `${count} are found`);
	const withMembers: Filter = { kind: "and", parts: [scope.wanted, { kind: "present", attribute: "member" }] };
	if ((await countMatching(visit, withMembers, 1)) > 0) yield passed("attribute", "member", "can be read");
	else {
		const missing = new Failure("SOURCE_REFUSED", "shows on no group: all are empty, or it cannot be read", {
			hint: "If groups do have members, give the service account the right to read them.",
		});
		yield failed("attribute", "member", missing);
	}
}

async function countMatching(visit: Visit, filter: Filter, most: number): Promise<number> {
	let count = 0;
	for (const { dn } of visit.scope.bases) if (count < most) count += await examples(visit, dn, filter, "sub", most - count);
	return count;
}
