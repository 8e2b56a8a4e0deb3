import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { type Finding, failed, notInSchema, passed, warned } from "../ldap/diagnose.ts";
import { diagnoseBinds, type Reached } from "../ldap/diagnose-bind.ts";
import { diagnoseWantedGroup } from "../ldap/diagnose-wanted-group.ts";
import { protocolFailure } from "../ldap/result.ts";
import { pagedResultsOid } from "../ldap/wire/encode.ts";
import { readPages } from "../ldap/wire/pages.ts";
import type { Session } from "../ldap/wire/session.ts";
import { makeGroupIndex } from "./group-index.ts";
import type { GenericLdapOptions } from "./options.ts";
import { presetOf } from "./presets.ts";
import { readProtection } from "./protection.ts";
import { baseMissing, readRoot } from "./root.ts";
import { readRoots, sightGroup } from "./roots.ts";
import { makeScope, type Scope } from "./scope.ts";
import { chooseStrategy, describeStrategy } from "./strategy.ts";
import { makeVeil } from "./veil.ts";
import { both, examples, openVisit, pagesOptions, type Visit, visitOne } from "./visit.ts";

/** A source as the configuration has it. */
export interface Diagnosed
	extends Reached,
		Pick<
			GenericLdapOptions,
			"name" | "bases" | "users" | "groups" | "ruleGroups" | "protect" | "preset" | "overrides" | "changes" | "attributes" | "pageSize"
		> {}

/** Everything a source needs, looked at one by one: the way to each server, the account, and what it may read. Changes nothing. */
export async function* diagnose(source: Diagnosed, clock: () => number, signal: AbortSignal): AsyncGenerator<Finding, void> {
	const scope = makeScope(source);
	const session = yield* diagnoseBinds(source, clock, signal);
	if (session === undefined) return;
	try {
		yield* diagnoseRights(source, scope, session);
	} catch (cause) {
		yield failed("rights", session.server, protocolFailure(session.server, cause));
	} finally {
		session.close();
	}
}

async function* diagnoseRights(source: Diagnosed, scope: Scope, session: Session): AsyncGenerator<Finding, void> {
	const root = await readRoot(session, scope);
	const visit = openVisit(session, scope, root, source.pageSize, []);
	yield judgePaging(visit);
	if (!(yield* diagnoseBases(visit))) return;
	yield await judgeChanges(source, visit);
	const count = yield* diagnosePeople(visit);
	if (count > 0) {
		yield* diagnoseAttributes(visit);
		yield* diagnoseState(source, visit);
	}
	yield* diagnoseGroups(visit);
	yield* diagnoseProtection(visit, source.protect);
}

function judgePaging({ root, session }: Visit): Finding {
	const offered = root.vendor === undefined ? "is offered" : `is offered (${root.vendor})`;
	if (root.controls.has(pagedResultsOid)) return passed("paging", session.server, offered);
	return warned(
		"paging",
		session.server,
		"is not among what the server says it can do",
		"Readings may be cut short and will not count as complete.",
	);
}

/** Returns whether all of them are there. */
async function* diagnoseBases(visit: Visit): AsyncGenerator<Finding, boolean> {
	const { bases, groups, excluded } = visit.scope;
	let areThere = true;
	for (const { dn } of [...bases, ...(groups?.bases ?? []).filter(({ key }) => !bases.some((base) => base.key === key))]) {
		const { entries, isThere } = await visitOne(visit, dn, ["objectClass"]);
		if (entries.length > 0) {
			yield passed("base", dn, "is there and can be read");
			continue;
		}
		areThere = false;
		yield failed("base", dn, baseMissing(dn, isThere, visit.session.server));
	}
	for (const { dn } of [...excluded, ...(groups?.excluded ?? [])]) {
		const { isThere } = await visitOne(visit, dn, ["objectClass"]);
		if (isThere) yield passed("exclude", dn, "is there");
		else yield warned("exclude", dn, "is not there, so it excludes nobody", "Check its spelling, and whether it was renamed or moved.");
	}
	return areThere;
}

async function judgeChanges({ changes }: Diagnosed, visit: Visit): Promise<Finding> {
	const { scope, root, session } = visit;
	const shown: Filter = { kind: "present", attribute: "modifyTimestamp" };
	const strategy = chooseStrategy(changes, scope, root, await anyone(visit, shown));
	const found = `are found by ${describeStrategy(strategy)}`;
	if (strategy.kind === "syncrepl")
		return passed("changes", session.server, `${found}; deletions, too, as far back as syncprov-sessionlog goes`);
	if (strategy.kind === "timestamp")
		return passed("changes", session.server, strategy.because === undefined ? found : `${found}: ${strategy.because}`);
	if (changes === "full") return passed("changes", session.server, `${found}, as configured`);
	return warned("changes", session.server, `${found}: ${strategy.because}`, "Each run reads everything; correct it, or set changes: full.");
}

/**
 * Reads the people of each base to the end, without their attributes: what the server will not hand out shows itself here and not
 * in the night. Returns how many there are.
 */
async function* diagnosePeople(visit: Visit): AsyncGenerator<Finding, number> {
	const { scope, session } = visit;
	let all = 0;
	for (const { dn } of scope.bases) {
		let count = 0;
		const request = { base: dn, scope: "sub", filter: scope.people, attributes: ["1.1"] } as const;
		try {
			for await (const page of readPages(session, request, pagesOptions(visit))) count += page.length;
			yield passed("limits", dn, `all ${count.toLocaleString("en-US")} people can be read in one go`);
		} catch (cause) {
			yield failed("limits", dn, protocolFailure(session.server, cause));
			return all + count;
		}
		all += count;
	}
	for (const reason of visit.unsealed.splice(0)) yield warned("seal", session.server, reason, "Readings will not count as complete.");
	const subject = scope.filter === undefined ? "people" : "people by users.filter";
	if (all > 0) yield passed("people", subject, `${all.toLocaleString("en-US")} are found`);
	else
		yield warned(
			"people",
			subject,
			"none is found",
			"Check preset, people and users.filter, and the service account's right to read people.",
		);
	return all;
}

async function* diagnoseAttributes(visit: Visit): AsyncGenerator<Finding, void> {
	const { scope } = visit;
	const anchor = scope.anchors.people.attribute;
	const nameless = await anyone(visit, { kind: "not", part: { kind: "present", attribute: anchor } });
	const isShown = await anyone(visit, { kind: "present", attribute: anchor });
	if (!isShown) {
		const missing = new Failure("SOURCE_REFUSED", "cannot be read of anybody", {
			hint: "Check preset and anchor, and give the service account the right to read it: without it, nobody can be followed.",
		});
		yield failed("anchor", anchor, missing);
	} else if (nameless) {
		yield warned(
			"anchor",
			anchor,
			"is not there on everybody",
			"Readings will not count as complete: choose an anchor that all have, or narrow users.filter.",
		);
	} else yield passed("anchor", anchor, "can be read");
	for (const attribute of scope.attributes) {
		if (attribute === anchor) continue;
		if (await anyone(visit, { kind: "present", attribute })) yield passed("attribute", attribute, "can be read");
		else if (!(await visit.knowsAttribute(attribute))) yield notInSchema(attribute);
		else {
			yield warned(
				"attribute",
				attribute,
				"shows on nobody: nobody has a value, or it cannot be read",
				"If people do have it, give the service account the right to read it.",
			);
		}
	}
}

async function* diagnoseState({ preset }: Diagnosed, visit: Visit): AsyncGenerator<Finding, void> {
	const { state, bases } = visit.scope;
	if (state.attributes.length === 0) {
		yield warned(
			"state",
			presetOf(preset).title,
			"does not say who is disabled, so nobody is",
			"Where an attribute or a group tells, write a filter: disabled, or users.filter to leave such people out.",
		);
		return;
	}
	const veil = makeVeil(visit);
	for (const base of bases) {
		const hidden = await veil.hiddenIn(base);
		if (hidden.length === 0) yield passed("state", base.dn, `who is disabled or expired can be read (${state.attributes.join(", ")})`);
		else {
			const missing = new Failure("SOURCE_REFUSED", `${hidden.join(", ")} cannot be read: who is disabled is not known`, {
				hint: "Give the service account the right to read and search it; new people get no account until then.",
			});
			yield failed("state", base.dn, missing);
		}
	}
	visit.unsealed.splice(0);
}

async function* diagnoseGroups(visit: Visit): AsyncGenerator<Finding, void> {
	const { groups, roots, ruled, members } = visit.scope;
	for (const { dn } of groups?.bases ?? []) {
		const filter = groups?.filter ?? visit.scope.groupClasses;
		const some = await examples(visit, dn, filter, "sub", 1);
		if (some === 0) {
			yield warned(
				"groups",
				dn,
				"none is found",
				"Check groups.filter and groups.objects, and the service account's right to read groups.",
			);
			continue;
		}
		const shown: string[] = [];
		for (const attribute of members) {
			if ((await examples(visit, dn, both(filter, { kind: "present", attribute }), "sub", 1)) > 0) shown.push(attribute);
		}
		if (shown.length > 0) yield passed("groups", dn, `are found, and members by ${shown.join(", ")}`);
		else
			yield warned(
				"groups",
				dn,
				"are found, but no members of any",
				"They are all empty, or their members cannot be read by this account.",
			);
	}
	for (const wanted of ruled) yield diagnoseWantedGroup(wanted, await sightGroup(visit, wanted, new Map(), "a rule"));
	if (roots.length === 0) return;
	try {
		await readRoots(visit, new Map());
		for (const { text } of roots) yield passed("users.groups", text, "is there");
	} catch (cause) {
		yield failed("users.groups", visit.session.server, cause);
	}
}

async function* diagnoseProtection(visit: Visit, names: readonly string[]): AsyncGenerator<Finding, void> {
	const index = makeGroupIndex(visit);
	for (const name of names) {
		const { people, containers, unresolved } = await readProtection(visit, [name], index);
		const [problem] = unresolved;
		if (problem !== undefined) yield warned("protect", name, problem, "Correct it: until then everybody counts as protected.");
		else yield passed("protect", name, containers.length > 0 ? "protects everyone beneath it" : `protects ${people.size} by name`);
	}
}

/** Whether anybody in scope matches, too. */
async function anyone(visit: Visit, filter: Filter): Promise<boolean> {
	for (const { dn } of visit.scope.bases) if ((await examples(visit, dn, both(visit.scope.people, filter), "sub", 1)) > 0) return true;
	return false;
}
