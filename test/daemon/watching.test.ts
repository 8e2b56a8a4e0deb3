import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { makeWatching, type Watching } from "../../src/daemon/watching.ts";
import { makeLog } from "../../src/telemetry/log.ts";

const second = 1000;
const minute = 60 * second;

/** A watch that somebody opened, to be ended by the test. */
interface Opened {
	readonly source: string;
	readonly at: number;
	readonly signal: AbortSignal;
	end(error: Error): Promise<void>;
}

let opened: Opened[];
let wakes: string[];
let gauge: Map<string, boolean>;
let lines: Record<string, unknown>[];
let ending: AbortController;
let watching: Watching;

beforeEach(() => {
	vi.useFakeTimers({ now: Date.parse("2026-03-02T10:00:00Z") });
	opened = [];
	wakes = [];
	gauge = new Map();
	lines = [];
	ending = new AbortController();
	watching = makeWatching({
		open: (source, signal) => {
			const { promise, reject } = Promise.withResolvers<never>();
			signal.addEventListener("abort", () => reject(signal.reason));
			const end = async (error: Error): Promise<void> => {
				reject(error);
				await pass(0);
			};
			opened.push({ source, at: Date.now(), signal, end });
			return promise;
		},
		wake: (source) => wakes.push(source),
		observe: (source, isUp) => (isUp === undefined ? gauge.delete(source) : gauge.set(source, isUp)),
		log: makeLog("info", { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
		clock: () => Date.now(),
		random: () => 1,
		ending: ending.signal,
	});
	watching.start(["corp"]);
});

afterEach(() => {
	vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const last = () => opened.at(-1) as Opened;
const said = () => lines.map(({ level, msg }) => `${level}: ${msg}`);
const broke = () => new Failure("SOURCE_BROKE", "the watch at ldaps://dc1 ended", { hint: "The schedule goes on." });
const refused = () => new Failure("SOURCE_REFUSED", "ldaps://dc1 refused the bind: the account is locked");

describe("the watches", () => {
	it("are opened for the sources that are to have one, and for no others", () => {
		expect(opened.map(({ source }) => source)).toEqual(["corp"]);
		expect(watching.state("corp")).toEqual({ kind: "opening" });
		expect(watching.state("lab")).toBeUndefined();
		expect([...gauge]).toEqual([["corp", false]]);
	});

	it("are up once they are woken first, and wake the source each time", () => {
		watching.woken("corp");
		watching.woken("corp");
		expect(watching.state("corp")).toEqual({ kind: "up", since: Date.now() });
		expect(wakes).toEqual(["corp", "corp"]);
		expect(gauge.get("corp")).toBe(true);
		expect(said()).toEqual(["info: watching for changes"]);
	});

	it.each([
		{ what: "cannot be opened", stands: false },
		{ what: "stand and break at once", stands: true },
	])("that $what are opened again ever more slowly, up to a minute", async ({ stands }) => {
		const pauses: number[] = [];
		for (let times = 0; times < 8; times++) {
			if (stands) watching.woken("corp");
			const brokeAt = Date.now();
			await last().end(broke());
			for (const before = opened.length; opened.length === before; ) await pass(second);
			pauses.push((Date.now() - brokeAt) / second);
		}
		expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
	});

	it("say once that they went down and why, and once that they are back", async () => {
		watching.woken("corp");
		await last().end(broke());
		const since = Date.now();
		await pass(second);
		await last().end(new Failure("SOURCE_UNREACHABLE", "port 636 refuses"));
		expect(watching.state("corp")).toEqual({ kind: "down", since, because: "port 636 refuses" });
		expect(gauge.get("corp")).toBe(false);
		await pass(2 * second);
		watching.woken("corp");
		expect(said()).toEqual(["info: watching for changes", "warn: not watching; the schedule goes on", "info: watching for changes again"]);
		expect(lines[1]).toMatchObject({ source: "corp", because: "the watch at ldaps://dc1 ended", hint: "The schedule goes on." });
		expect(lines[2]).toMatchObject({ source: "corp", downMs: 3 * second });
	});

	it("that stood for long are opened again within a second", async () => {
		for (let times = 0; times < 3; times++) {
			watching.woken("corp");
			await pass(10 * minute);
			await last().end(broke());
			await pass(second);
			expect(opened).toHaveLength(2 + times);
		}
	});

	it("do not knock again and again where the account is refused, which would lock it: only after a run, or a quarter of an hour", async () => {
		await last().end(refused());
		await pass(10 * minute);
		expect(opened).toHaveLength(1);
		watching.succeeded("corp");
		await pass(0);
		expect(opened).toHaveLength(2);
		await last().end(refused());
		await pass(15 * minute);
		expect(opened).toHaveLength(3);
	});

	it("are not opened early by a run when they only broke", async () => {
		await last().end(broke());
		watching.succeeded("corp");
		await pass(0);
		expect(opened).toHaveLength(1);
	});

	it("end, and are opened anew, with a new configuration", async () => {
		watching.woken("corp");
		const [former] = opened as [Opened];
		watching.stop();
		watching.start(["lab"]);
		await pass(minute);
		expect(former.signal.aborted).toBe(true);
		expect(opened.map(({ source }) => source)).toEqual(["corp", "lab"]);
		expect(watching.state("corp")).toBeUndefined();
		expect([...gauge.keys()]).toEqual(["lab"]);
		watching.woken("corp"); // Said before its end.
		expect(wakes).toEqual(["corp"]);
		expect(said()).toEqual(["info: watching for changes"]);
	});

	it.each(["while they stand", "while they wait"])("end with the daemon %s, and are not opened again", async (when) => {
		if (when === "while they wait") await last().end(broke());
		ending.abort();
		watching.start(["corp"]);
		await pass(minute);
		expect(opened).toHaveLength(1);
		expect(opened[0]?.signal.aborted).toBe(true);
	});
});
