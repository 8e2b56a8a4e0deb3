import type { Account } from "./account.ts";
import type { Anchor } from "./entry.ts";

/** One change of an account that went out, as the change log has it. */
export interface AccountStep {
	readonly source: string;
	readonly anchor: Anchor;
	readonly before: Account | undefined;
	readonly after: Account | undefined;
	/** One sentence for a person. */
	readonly why: string;
}

/** One person in a report. */
export interface Movement {
	readonly source: string;
	readonly userName: string;
	readonly displayName: string;
	readonly department: string;
	/** Of who joined or left why, of who moved from what to what. */
	readonly what: string;
}

/** Who came, went, and became something else within a time. */
export interface Movements {
	readonly joined: People;
	readonly moved: People;
	readonly left: People;
}

/** So many people, and the first of them by name. */
export interface People {
	readonly count: number;
	readonly first: readonly Movement[];
}

/** More people than these, of one kind, are counted and not named: a report is no export. */
const MOST_NAMED = 200;

/** Fields by which a person is somewhere else than before, and what they are called. */
const PLACES = [
	{ field: "department", label: "department" },
	{ field: "title", label: "title" },
	{ field: "displayName", label: "name" },
	{ field: "userName", label: "user name" },
] as const;

interface Span {
	readonly source: string;
	readonly before: Account | undefined;
	after: Account | undefined;
	why: string;
}

/** Takes changes in the log's order, and says what they come to: who came and went within the time did neither. */
export function makeMovements() {
	const spans = new Map<string, Span>();
	return {
		add: ({ source, anchor, before, after, why }: AccountStep): void => {
			const key = `${source} ${anchor}`;
			const span = spans.get(key);
			if (span === undefined) {
				spans.set(key, { source, before, after, why });
				return;
			}
			// Why somebody came or went, and not what became of their telephone number since.
			if (isActive(span.after) !== isActive(after)) span.why = why;
			span.after = after;
		},
		sum: (): Movements => {
			const sum = { joined: [] as Movement[], moved: [] as Movement[], left: [] as Movement[] };
			for (const span of spans.values()) {
				const where = placeOf(span);
				if (where !== undefined) sum[where].push(movementOf(span, where));
			}
			return { joined: peopleOf(sum.joined), moved: peopleOf(sum.moved), left: peopleOf(sum.left) };
		},
	};
}

function peopleOf(movements: readonly Movement[]): People {
	const byName = movements.toSorted((one, other) => one.displayName.localeCompare(other.displayName, "en"));
	return { count: movements.length, first: byName.slice(0, MOST_NAMED) };
}

function placeOf({ before, after }: Span): keyof Movements | undefined {
	if (!isActive(before)) return isActive(after) ? "joined" : undefined;
	if (!isActive(after)) return "left";
	return movesOf(before, after).length > 0 ? "moved" : undefined;
}

function movementOf({ source, before, after, why }: Span, where: keyof Movements): Movement {
	const account = after ?? before;
	return {
		source,
		userName: account?.userName ?? "",
		displayName: account?.displayName ?? account?.userName ?? "",
		department: account?.department ?? "",
		what: where === "moved" ? movesOf(before, after).join("; ") : why,
	};
}

function movesOf(before: Account | undefined, after: Account | undefined): readonly string[] {
	const moves = PLACES.flatMap(({ field, label }) => {
		const [from, to] = [before?.[field] ?? "", after?.[field] ?? ""];
		return from === to ? [] : [`${label}: ${from === "" ? "none" : from} → ${to === "" ? "none" : to}`];
	});
	return before?.manager === after?.manager ? moves : [...moves, "another manager"];
}

function isActive(account: Account | undefined): boolean {
	return account?.active ?? false;
}
