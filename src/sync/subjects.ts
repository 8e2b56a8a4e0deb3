import type { Subject } from "../core/condition.ts";
import type { Entry } from "../core/entry.ts";
import type { Chains } from "./chains.ts";
import type { NamedGroups } from "./membership.ts";

/** What conditions are asked with. */
export interface SubjectContext {
	/** Lower-case names of the attributes that entries were asked for: those read in this run, and those of the snapshot. */
	readonly asked: { readonly now: ReadonlySet<string>; readonly before: ReadonlySet<string> };
	/** Attributes known to be unreadable now. */
	readonly unreadable: ReadonlySet<string>;
	/** What follows attributes from entry to entry. */
	readonly chains: Chains;
}

/** A person about whom conditions are asked. */
export interface Asked {
	readonly id: number;
	/** Whether this run read the entry anew. */
	readonly isRead: boolean;
	readonly primaryId: string | undefined;
}

/** The same person as if whoever is not seen in a group that may hide members might be in it; `onDoubt` hears why. */
export function warily(subject: Subject, named: NamedGroups | undefined, onDoubt: (because: string) => void): Subject {
	return {
		...subject,
		isIn: (group, how) => {
			const is = subject.isIn(group, how);
			const doubt = is === false ? named?.doubtOf([group]) : undefined;
			if (doubt !== undefined) onDoubt(doubt);
			return doubt === undefined ? is : undefined;
		},
	};
}

/** Makes people askable. `named` undefined: this source reads no groups. Somebody's groups are worked out once, and only when asked for. */
export function makeSubjects(context: SubjectContext, named: NamedGroups | undefined): (who: Asked, entry: Entry) => Subject {
	const { asked, unreadable, chains } = context;
	return ({ id, isRead, primaryId }, entry) => {
		const known = isRead ? asked.now : asked.before;
		const groups: { -readonly [How in keyof NamedGroups["waysOf"]]?: ReadonlySet<number> } = {};
		const lookup = (name: string): readonly string[] | undefined => {
			if (name === "distinguishedname") return [entry.dn];
			return entry.attributes.get(name) ?? (known.has(name) && !unreadable.has(name) ? [] : undefined);
		};
		return {
			lookup,
			inChain: (attribute, target) => {
				const values = lookup(attribute);
				return values === undefined ? undefined : chains.reaches(attribute, values, target);
			},
			isIn: (key, how) => {
				const group = named?.idOf(key);
				if (named === undefined || group === undefined) return undefined;
				groups[how] ??= named.waysOf[how](id, primaryId);
				return groups[how].has(group);
			},
		};
	};
}
