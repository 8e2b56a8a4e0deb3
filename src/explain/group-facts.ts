import type { Source } from "../source/source.ts";
import type { Session } from "../store/session.ts";
import type { Membership } from "../sync/membership.ts";
import type { GroupFact } from "./explanation.ts";

export function groupsOf(
	session: Session,
	source: Source,
	membership: Membership,
	id: number,
	primaryId: string | undefined,
): readonly GroupFact[] {
	const direct = membership.directGroupsOf(id);
	const names = new Map<number, { readonly name: string; readonly dn: string }>();
	const named = (group: number): { readonly name: string; readonly dn: string } => {
		const bytes = names.has(group) ? undefined : session.groupStage.bytes(group);
		if (!names.has(group)) names.set(group, nameOfGroup(source, bytes, group));
		return names.get(group) as { readonly name: string; readonly dn: string };
	};
	const primary = primaryId === undefined ? [] : [...membership.groups.values()].filter((group) => group.primary_id === primaryId);
	return [...membership.groupsOf(id, primaryId)]
		.map((group): GroupFact => {
			const way = membership.nesting.way(direct, group);
			const byPrimary =
				way === undefined
					? membership.nesting.way(
							primary.map((one) => one.id),
							group,
						)
					: undefined;
			const through = (way ?? byPrimary ?? [group]).slice(0, -1).map((one) => named(one).name);
			return { ...named(group), through, isPrimary: way === undefined };
		})
		.sort((one, other) => one.through.length - other.through.length || (one.name < other.name ? -1 : 1));
}

function nameOfGroup(source: Source, bytes: Buffer | undefined, id: number): { readonly name: string; readonly dn: string } {
	if (bytes === undefined) return { name: String(id), dn: "" };
	const dn = source.dn(bytes);
	const first = dn.split(/(?<!\\),/, 1)[0] ?? dn;
	return { name: first.slice(first.indexOf("=") + 1), dn };
}
