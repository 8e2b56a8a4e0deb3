/** Which groups are in which, closed over any depth. Groups are numbers. */
export interface Nesting {
	/** The group itself and every group that it is in, directly or through others; each once. */
	above(group: number): readonly number[];
	/** The groups that are in this one directly. */
	children(group: number): readonly number[];
	/** A shortest way up from one of these groups to another group, both among it; undefined: there is none. */
	way(from: readonly number[], to: number): readonly number[] | undefined;
	/** Groups that contain each other: each list is one way round, beginning with its smallest number. */
	readonly cycles: readonly (readonly number[])[];
}

/** Groups above one another are few and asked for again and again; past this many answers are not kept. */
const KEPT = 200_000;

/** Closes nesting over edges from a group to a group that is its member. Iterative throughout: groups may nest as deep as they like. */
export function closeNesting(edges: Iterable<{ readonly parent: number; readonly child: number }>): Nesting {
	const parents = new Map<number, number[]>();
	const children = new Map<number, number[]>();
	for (const { parent, child } of edges) {
		push(parents, child, parent);
		push(children, parent, child);
	}
	const known = new Map<number, readonly number[]>();
	const childrenOf = (group: number): readonly number[] => children.get(group) ?? none;
	return {
		above: (group) => {
			const found = known.get(group) ?? reach(group, (one) => parents.get(one) ?? none);
			if (known.size < KEPT) known.set(group, found);
			return found;
		},
		children: childrenOf,
		way: (from, to) => wayUp(from, to, (group) => parents.get(group) ?? none),
		cycles: components(children).flatMap((component) => {
			const round = wayRound(component, childrenOf);
			return round === undefined ? [] : [round];
		}),
	};
}

const none: readonly number[] = [];

function push(lists: Map<number, number[]>, key: number, value: number): void {
	const list = lists.get(key);
	if (list === undefined) lists.set(key, [value]);
	else list.push(value);
}

function reach(start: number, next: (group: number) => readonly number[]): readonly number[] {
	const seen = new Set([start]);
	// A set may grow while it is walked: new ones are visited, too.
	for (const group of seen) for (const other of next(group)) seen.add(other);
	return [...seen];
}

function wayUp(from: readonly number[], to: number, parentsOf: (group: number) => readonly number[]): readonly number[] | undefined {
	const cameFrom = new Map<number, number | undefined>(from.map((group) => [group, undefined]));
	// A map may grow while it is walked, as a set may.
	for (const group of cameFrom.keys()) {
		if (group === to) {
			const way = [group];
			for (let at = cameFrom.get(group); at !== undefined; at = cameFrom.get(at)) way.push(at);
			return way.reverse();
		}
		for (const parent of parentsOf(group)) if (!cameFrom.has(parent)) cameFrom.set(parent, group);
	}
	return undefined;
}

/** Strongly connected components (Tarjan 1972), without recursion. */
function components(children: ReadonlyMap<number, readonly number[]>): readonly (readonly number[])[] {
	const index = new Map<number, number>();
	const low = new Map<number, number>();
	const open: number[] = [];
	const isOpen = new Set<number>();
	const found: number[][] = [];
	const enter = (group: number, frames: { readonly group: number; at: number }[]): void => {
		index.set(group, index.size);
		low.set(group, index.size - 1);
		open.push(group);
		isOpen.add(group);
		frames.push({ group, at: 0 });
	};
	const lower = (group: number, to: number): void => void low.set(group, Math.min(low.get(group) as number, to));
	for (const root of children.keys()) {
		if (index.has(root)) continue;
		const frames: { readonly group: number; at: number }[] = [];
		enter(root, frames);
		for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
			const { group } = frame;
			const child = (children.get(group) ?? none)[frame.at++];
			if (child === undefined) {
				frames.pop();
				const above = frames.at(-1);
				if (above !== undefined) lower(above.group, low.get(group) as number);
				if (low.get(group) !== index.get(group)) continue;
				const component = open.splice(open.lastIndexOf(group));
				for (const member of component) isOpen.delete(member);
				found.push(component);
			} else if (!index.has(child)) enter(child, frames);
			else if (isOpen.has(child)) lower(group, index.get(child) as number);
		}
	}
	return found;
}

/** A shortest way from the smallest of a component's groups back to itself; undefined when it is in no circle. */
function wayRound(component: readonly number[], childrenOf: (group: number) => readonly number[]): readonly number[] | undefined {
	const start = component.reduce((smallest, group) => Math.min(smallest, group));
	const inside = new Set(component);
	const cameFrom = new Map<number, number>();
	const queue = [start];
	for (const group of queue) {
		for (const child of childrenOf(group)) {
			if (child === start) {
				const round = [group];
				for (let at = group; at !== start; ) {
					at = cameFrom.get(at) as number;
					round.push(at);
				}
				return round.reverse();
			}
			if (!inside.has(child) || cameFrom.has(child)) continue;
			cameFrom.set(child, group);
			queue.push(child);
		}
	}
	return undefined;
}
