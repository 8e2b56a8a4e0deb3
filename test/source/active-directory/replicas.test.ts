import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../src/core/cursor.ts";
import { nextCursor, parseMarks, startOf } from "../../../src/source/active-directory/cursor.ts";
import type { Root } from "../../../src/source/active-directory/root.ts";
import { makeReplica, type Replica } from "../../support/replicas.ts";

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
}

/** Where the next reading of this one starts, and the cursor after it. */
function startAt(replica: Replica, cursor: Cursor | undefined, now: number) {
	const root: Root = {
		invocationId: replica.name,
		highestUsn: BigInt(replica.highestUsn()),
		hostName: replica.name,
		domains: [],
		controls: new Set(),
		currentTime: undefined,
	};
	const marks = parseMarks(cursor);
	const start = startOf(marks, SHAPE, root, replica.name, "usn");
	const next = nextCursor(marks, { shape: SHAPE, dirSync: undefined, seesDeleted: false }, root, replica.name, now);
	return { since: start.kind === "usn" ? Number(start.since) : undefined, next };
}

/**
 * Writes, replicates and reads at random; then everybody has everything, and one more delta from any one of them must do. Returns
 * the history when somebody is remembered otherwise than that one has them.
 */
function missedIn(seed: number, { controllers, steps, unreplicated, history, lag }: Circumstances): readonly string[] | undefined {
	const random = makeRandom(seed);
	const replicas = Array.from({ length: controllers }, (_, index) => makeReplica(`dc${index + 1}`));
	const any = () => replicas[random(controllers)] as Replica;
	const pairs = replicas.flatMap((to) => replicas.filter((from) => from !== to).map((from) => ({ from, to, at: 0 })));
	const told: string[] = [];
	const remembered = new Map<string, string>();
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
	const read = (replica: Replica) => {
		const { since, next } = startAt(replica, cursor, now);
		for (const [person, text] of replica.changedSince(since ?? 0)) remembered.set(person, text);
		cursor = next;
		told.push(`${replica.name} read ${since === undefined ? "in full" : `since ${since}`}`);
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
	read(last);
	const isMissed = [...last.changedSince(0)].some(([person, text]) => remembered.get(person) !== text);
	return isMissed ? told : undefined;
}

/** The shortest of the histories in which something was missed. */
function shortestMiss(histories: number, circumstances: Circumstances): readonly string[] | undefined {
	let shortest: readonly string[] | undefined;
	for (let seed = 1; seed <= histories; seed++) {
		const missed = missedIn(seed, circumstances);
		if (missed !== undefined && (shortest === undefined || missed.length < shortest.length)) shortest = missed;
	}
	return shortest;
}

const usual: Circumstances = { controllers: 2, steps: 60, unreplicated: 0, history: 120, lag: 50 };

describe("deltas that change from one domain controller to another miss nothing in a thousand histories", () => {
	it.each([
		{ where: "of two of them", ...usual },
		{ where: "of three of them", ...usual, controllers: 3, steps: 100 },
	])("$where that lag by up to 50 minutes", (circumstances) => {
		expect(shortestMiss(1000, circumstances)).toBeUndefined();
	});

	/** What is wanted and not so yet: each of these fails, and says so once it does not any more. */
	it.fails.each([
		{ where: "where one of them lagged when it was read for the first time", ...usual, unreplicated: 4, history: 0, steps: 10 },
		{ where: "of two that lag by hours", ...usual, history: 240, lag: 180 },
	])("$where", (circumstances) => {
		expect(shortestMiss(1500, circumstances)).toBeUndefined();
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
