import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { mixedCursor, nextCursor, startOf, viewOf } from "../../../src/source/active-directory/cursor.ts";
import { parseMarks } from "../../../src/source/active-directory/marks.ts";
import { ownOf, type Root } from "../../../src/source/active-directory/root.ts";
import { isOlder, makeReplica, type Replica, type Stamped } from "../../support/replicas.ts";

const MINUTE = 60_000;
const SHAPE = "shape";
const people = ["ada", "ben", "cleo"];

interface Circumstances {
	readonly controllers: number;
	readonly steps: number;
	/** Changes before anything was read, known to one of them alone. */
	readonly unreplicated: number;
	/** Minutes between the first readings and what follows. */
	readonly history: number;
	/** Replication takes no longer than so many minutes. A step is five. */
	readonly lag: number;
	/** Whether they show their up-to-dateness vector. */
	readonly vectors: boolean;
	/** One reading out of so many ends before it told everything; undefined: none. */
	readonly broken: number | undefined;
}

/** Where the next reading of this one starts, what is thought of it, and the cursor after it. */
function startAt(replica: Replica, cursor: Cursor | undefined, now: number, vectors: boolean) {
	const own = BigInt(replica.highestUsn());
	const arrived = [...replica.upToDateness].map(([name, usn]): [string, bigint] => [name, BigInt(usn)]);
	const root: Root = {
		invocationId: replica.name,
		highestUsn: own,
		vector: vectors ? new Map([...arrived, [replica.name, own]]) : undefined,
		writes: replica.name,
		hostName: replica.name,
		domains: [],
		controls: new Set(),
		currentTime: undefined,
	};
	const marks = parseMarks(cursor);
	const start = startOf(marks, SHAPE, root, replica.name, "usn");
	const since = start.kind === "usn" ? Number(start.since) : undefined;
	const told = {
		...{ shape: SHAPE, dirSync: undefined, seesDeleted: false },
		seen: replica.changedSince(since ?? 0).size > 0 ? (root.vector ?? ownOf(root)) : undefined,
	};
	return {
		since,
		view: viewOf(marks, root, replica.name, since === undefined, now),
		next: nextCursor(marks, told, root, replica.name, now),
		mixed: mixedCursor(marks, told, root, now),
	};
}

/**
 * Writes, replicates and reads at random; then everybody has everything, and one more delta from any one of them must do. Returns
 * the history when somebody is remembered otherwise than that one has them.
 */
function missedIn(
	seed: number,
	{ controllers, steps, unreplicated, history, lag, vectors, broken }: Circumstances,
): readonly string[] | undefined {
	const random = makeRandom(seed);
	const replicas = Array.from({ length: controllers }, (_, index) => makeReplica(`dc${index + 1}`));
	const any = () => replicas[random(controllers)] as Replica;
	const pairs = replicas.flatMap((to) => replicas.filter((from) => from !== to).map((from) => ({ from, to, at: 0 })));
	const told: string[] = [];
	const remembered = new Map<string, ReadonlyMap<string, Stamped>>();
	let isBehind = false;
	let cursor: Cursor | undefined;
	let now = 0;
	const write = (replica: Replica) => {
		const [person, attribute] = [people[random(people.length)] as string, ["title", "department"][random(2)] as string];
		replica.write(person, attribute, String(told.length), now);
		told.push(`${replica.name}: ${person}.${attribute}=${told.length}`);
	};
	const replicate = (pair: (typeof pairs)[number]) => {
		pair.to.fetchFrom(pair.from);
		pair.at = now;
		told.push(`${pair.from.name} to ${pair.to.name}`);
	};
	const read = (replica: Replica, mayBreak = true) => {
		const { since, view, next, mixed } = startAt(replica, cursor, now, vectors);
		const isWhole = broken === undefined || cursor === undefined || !mayBreak || random(broken) > 0;
		for (const person of replica.changedSince(since ?? 0).keys()) {
			if (!isWhole && random(2) === 0) continue;
			const shown = new Map(replica.database.get(person)?.attributes);
			const before = remembered.get(person);
			isBehind ||= vectors && view.changed === undefined && before !== undefined && isOlder(shown, before);
			remembered.set(person, shown);
		}
		cursor = isWhole ? next : (mixed ?? cursor);
		told.push(
			`${replica.name} read ${since === undefined ? "in full" : `since ${since}`}${isWhole ? "" : " in part"}: ${view.changed ?? "current"}`,
		);
	};

	for (const person of people) replicas[0]?.write(person, "title", "first", now);
	for (const pair of pairs) replicate(pair);
	for (let change = 0; change < unreplicated; change++) write(any());
	for (const replica of replicas) read(replica);
	now += history * MINUTE;
	for (const pair of pairs) pair.at = now;
	for (let step = 0; step < steps; step++) {
		now += 5 * MINUTE;
		for (const pair of pairs) if (now - pair.at > lag * MINUTE) replicate(pair);
		const chance = random(6);
		if (chance < 3) write(any());
		else if (chance < 5) read(any());
		else replicate(pairs[random(pairs.length)] as (typeof pairs)[number]);
	}
	for (let round = 0; round < controllers; round++) for (const pair of pairs) replicate(pair);
	const last = any();
	read(last, false);
	const isMissed = [...last.database].some(([person, { attributes }]) =>
		[...attributes].some(([name, { value }]) => remembered.get(person)?.get(name)?.value !== value),
	);
	return isMissed || isBehind ? told : undefined;
}

/** The shortest of the histories in which something was missed, or older than before and not said to be. */
function shortestMiss(histories: number, circumstances: Circumstances): readonly string[] | undefined {
	let shortest: readonly string[] | undefined;
	for (let seed = 1; seed <= histories; seed++) {
		const missed = missedIn(seed, circumstances);
		if (missed !== undefined && (shortest === undefined || missed.length < shortest.length)) shortest = missed;
	}
	return shortest;
}

const usual: Circumstances = { controllers: 2, steps: 60, unreplicated: 0, history: 120, lag: 50, vectors: true, broken: undefined };

describe("deltas that change from one domain controller to another miss nothing, and know what is older, in a thousand histories", () => {
	it.each([
		{ where: "of two of them", ...usual },
		{ where: "of three of them", ...usual, controllers: 3, steps: 100 },
		{ where: "of two that show no vector", ...usual, vectors: false },
		{ where: "of three that show no vector", ...usual, controllers: 3, steps: 100, vectors: false },
	])("$where that lag by up to 50 minutes", (circumstances) => {
		expect(shortestMiss(1000, circumstances)).toBeUndefined();
	});

	it.each([
		{ where: "of two of them", ...usual, lag: 170 },
		{ where: "of three of them", ...usual, controllers: 3, steps: 100, lag: 170 },
	])("$where that lag by hours", (circumstances) => {
		expect(shortestMiss(1000, circumstances)).toBeUndefined();
	});

	it.each([
		{ where: "of two of them", ...usual, unreplicated: 4, history: 0, steps: 10 },
		{ where: "of four of them", ...usual, controllers: 4, unreplicated: 8, history: 0, steps: 30 },
	])("$where that lagged when they were read for the first time", (circumstances) => {
		expect(shortestMiss(1000, circumstances)).toBeUndefined();
	});

	it.each([
		{ where: "of two of them", ...usual, broken: 4 },
		{ where: "of three that lag by hours", ...usual, controllers: 3, steps: 100, unreplicated: 8, history: 0, lag: 170, broken: 4 },
	])("$where, some of which end in the middle", (circumstances) => {
		expect(shortestMiss(1000, circumstances)).toBeUndefined();
	});
});

/** Whole numbers from 0 to below `below`, the same ones for the same seed (Numerical Recipes' linear congruential generator). */
function makeRandom(seed: number): (below: number) => number {
	let state = Math.imul(seed, 2_654_435_761) >>> 0;
	return (below) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}
