import type { Anchor, Entry } from "../core/entry.ts";
import { endOf } from "../core/plan.ts";
import type { Session } from "../store/session.ts";
import type { NamedGroups } from "./membership.ts";
import type { SyncSource } from "./settings.ts";
import { type ViewedTarget, viewedTargets } from "./views.ts";

/** What conditions are asked with. */
export interface ProspectContext {
	/** The run's instant, Unix milliseconds. */
	readonly at: number;
	/** The groups that rules name; undefined: this source reads no groups. */
	readonly named: NamedGroups | undefined;
	/** Lower-case names of the attributes that entries were asked for: those read in this run, and those of the snapshot. */
	readonly asked: { readonly now: ReadonlySet<string>; readonly before: ReadonlySet<string> };
	/** Attributes known to be unreadable now. */
	readonly unreadable: ReadonlySet<string>;
}

/** A person as planning has it at hand. */
export interface Sighting {
	readonly id: number;
	/** Whether this run read the entry anew. */
	readonly isRead: boolean;
	/** Undefined: gone from sight or from scope, or cannot be decoded. */
	readonly entry: Entry | undefined;
	readonly gone: "out-of-scope" | "deleted" | undefined;
	readonly primaryId: string | undefined;
	readonly hasRegained: boolean;
	/** Why the person may not be gone. */
	readonly doubt: string | undefined;
}

/** Notes of each person what the targets with views of their own will be planned by, while the entry is at hand. */
export function makeProspects(session: Session, sync: SyncSource, context: ProspectContext) {
	const { targetPlan } = session;
	const { named, asked, unreadable, at } = context;
	const viewed = viewedTargets(session, sync);
	const untold = new Map<string, { count: number; why: string }>();

	/** Somebody's groups are worked out once for all targets, and only where one asks for them. */
	const subjectOf = ({ id, isRead, primaryId }: Sighting, entry: Entry) => {
		const known = isRead ? asked.now : asked.before;
		let groups: ReadonlySet<number> | undefined;
		return {
			lookup: (name: string) => entry.attributes.get(name) ?? (known.has(name) && !unreadable.has(name) ? [] : undefined),
			isIn: (key: string): boolean | undefined => {
				const group = named?.idOf(key);
				if (named === undefined || group === undefined) return undefined;
				groups ??= named.groupsOf(id, primaryId);
				return groups.has(group);
			},
		};
	};

	const judge = ({ view }: ViewedTarget, subject: ReturnType<typeof subjectOf>) => {
		const verdict = view.condition?.judge(subject) ?? { truth: true, why: "" };
		if (verdict.truth === undefined) {
			const before = untold.get(view.target);
			untold.set(view.target, { count: (before?.count ?? 0) + 1, why: before?.why ?? verdict.why });
		}
		return verdict;
	};

	return {
		untold,
		/** Returns why somebody cannot be made an account of at a target, if so. */
		note: (sighting: Sighting, managerOf: (dn: string) => Anchor | undefined): string | undefined => {
			if (viewed.length === 0) return undefined;
			const { id, entry, gone, hasRegained } = sighting;
			const subject = entry && subjectOf(sighting, entry);
			let problem: string | undefined;
			for (const each of viewed) {
				const { condition, mapping, target } = each.view;
				const { truth, why } = subject === undefined ? { truth: undefined, why: "" } : judge(each, subject);
				const mapped = entry && truth !== false ? mapping?.(entry, managerOf) : undefined;
				if (mapped?.kind === "unmappable" && truth === true) problem ??= `at target ${target}: ${mapped.reason}`;
				targetPlan.prospect({
					...{ id, target: each.id, truth, why, hasRegained },
					doubt: sighting.doubt ?? (condition && named?.doubtOf(condition.groups.keys())),
					fields: mapped?.kind === "account" ? JSON.stringify(mapped.account) : undefined,
					isPresent: entry !== undefined,
					ended: gone ?? (entry && endOf(entry, at)?.cause),
				});
			}
			return problem;
		},
	};
}
