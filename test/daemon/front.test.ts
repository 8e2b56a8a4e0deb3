import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { type Front, makeFront } from "../../src/daemon/front.ts";
import { openWorks, type Works } from "../../src/daemon/works.ts";
import { makeLog } from "../../src/telemetry/log.ts";
import { makeConfig } from "../support/configs.ts";

let folder: string;
let front: Front;

beforeEach(() => {
	folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-front-"));
	front = makeFront({ log: () => ({ part: "log", name: "log", trouble: undefined }), version: "1.2.3", clock: Date.now });
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(): Promise<Works> {
	return openWorks(makeConfig({ database: path.join(folder, "dirsyncd.db") }), {
		...{ log: makeLog("fatal", { write: () => {} }), clock: Date.now, version: "1.2.3" },
		...{ signal: new AbortController().signal, onStuck: () => {} },
	});
}

/** What the page would have to read to say anything of people and runs. */
const readings: Readonly<Record<string, () => unknown>> = {
	"what is held": () => front.http.look.heldBriefly(1),
	quarantine: () => front.http.look.quarantineBriefly(1),
	runs: () => front.http.look.runs(1),
	"one run": () => front.http.look.run(1),
	rules: () => front.http.look.rules(),
};

function said(read: () => unknown): unknown {
	try {
		return read();
	} catch (error) {
		return error instanceof Failure ? error.message : error;
	}
}

function expectAll(sentence: string): void {
	for (const [what, read] of Object.entries(readings)) expect(said(read), what).toBe(sentence);
}

it("while dirsyncd is starting nothing is said to be held by nobody, or never to have been", () => {
	expectAll("dirsyncd is starting");
});

it("while dirsyncd is ending the page says so, also when its database is closed already", async () => {
	const works = await open();
	front.connect(works);
	expect(Object.values(readings).map(said)).toEqual([[], { count: 0, first: [] }, [], undefined, []]);
	front.stopping();
	expectAll("dirsyncd is stopping");
	await works.close();
	expectAll("dirsyncd is stopping");
});

it("health, metrics and what stands around every page answer from the first moment to the last", async () => {
	const answer = async () => {
		const { health, metrics, look } = front.http;
		expect([look.sources(), look.targets(), look.going()].every(Array.isArray)).toBe(true);
		expect(health().checks).toBeDefined();
		return typeof (await metrics.text());
	};
	expect(await answer()).toBe("string");
	const works = await open();
	front.connect(works);
	expect(await answer()).toBe("string");
	front.stopping();
	await works.close();
	expect(await answer()).toBe("string");
});
