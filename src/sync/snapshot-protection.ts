import { dnKey, isBeneath } from "../core/dn.ts";
import type { Protection, Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import { dnDigest } from "./reading.ts";

/** Who is under protection as far as the snapshot shows, and which names it does not have, in sentences. */
export function protectionBySnapshot(
	session: Session,
	source: Source,
	state: SourceState,
	protect: readonly string[],
): { readonly protection: Protection; readonly unknown: readonly string[] } {
	const { snapshot, groups } = session;
	const people = new Set<string>();
	const containers: string[] = [];
	const primaryGroups = new Set<string>();
	const unknown: string[] = [];
	const containersKnown = protect.length === 0 ? [] : snapshot.containerNames(state.id).map(({ dn }) => dnKey(dn));
	for (const dn of protect) {
		const key = dnKey(dn);
		const id = groups.idByDn(state.id, dnDigest(dn));
		if (id !== undefined && groups.byId(id) !== undefined) addGroup(id);
		else if (id !== undefined) people.add(key);
		else if (containersKnown.some((known) => isBeneath(known, key))) containers.push(key);
		else unknown.push(`protect: "${dn}" is not in the snapshot: whom it protects is known only after the next reading`);
	}
	// What was found under protection by a name that is not in the snapshot is so still.
	if (unknown.length > 0) for (const id of snapshot.protectedIds(state.id)) addPerson(id);
	return { protection: { people, containers, primaryGroups, unresolved: [] }, unknown };

	function addPerson(id: number): void {
		const stored = snapshot.bytes(id);
		if (stored !== undefined) people.add(dnKey(source.dn(stored.bytes)));
	}

	/** A group's closure, each once: groups may contain each other in circles. */
	function addGroup(start: number): void {
		const primaryIds = new Map(session.groupStage.info(state.id).map((group) => [group.id, group.primary_id]));
		const seen = new Set([start]);
		for (const group of seen) {
			const primaryId = primaryIds.get(group) ?? null;
			if (primaryId !== null) primaryGroups.add(primaryId);
			for (const member of groups.members(group)) {
				if (groups.byId(member) === undefined) addPerson(member);
				else seen.add(member);
			}
		}
	}
}
