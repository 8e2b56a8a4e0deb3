import { describe, expect, it } from "vitest";
import { makeFront } from "../../src/daemon/front.ts";
import { look } from "../../src/daemon/supervised.ts";
import type { Works } from "../../src/daemon/works.ts";
import type { HealthFacts } from "../../src/http/health.ts";
import type { HttpServer } from "../../src/http/server.ts";

type Facts = ReturnType<Works["facts"]>;
const well: Facts = { sources: [], targets: [], database: undefined, engine: undefined, beside: [] };
const since = Date.UTC(2026, 10, 27);
const trouble: HealthFacts["engine"] = { since, because: "the engine is down: it met a bug", hint: undefined };

async function lookAt(facts: Facts, isLive = true) {
	const front = makeFront({ log: () => ({ part: "log", name: "log", trouble: undefined }), version: "1.2.3", clock: () => since });
	const works = { facts: () => facts } as Works;
	front.connect(works);
	return look(front, works, { isLive: async () => isLive } as HttpServer);
}

describe("how the daemon is, for who watches over it:", () => {
	it("well, in a sentence", async () => {
		expect(await lookAt(well)).toEqual({ isWell: true, status: "pass: all is well" });
	});

	it("to be started again when the engine is down or HTTP does not answer", async () => {
		expect(await lookAt({ ...well, engine: trouble })).toEqual({
			isWell: false,
			status: "fail: engine: the engine is down: it met a bug, since 2026-11-27T00:00:00.000Z.",
		});
		expect(await lookAt(well, false)).toMatchObject({ isWell: false });
	});

	it("not to be started again for what that would not heal", async () => {
		const target = { target: "gateway", pending: 3, failed: 3, trouble: undefined };
		const sight = await lookAt({ ...well, database: { ...trouble, because: "the disk is full" }, targets: [target] });
		expect(sight).toMatchObject({
			isWell: true,
			status: expect.stringMatching(/^fail: database: the disk is full, since .* \(and 1 more\)$/),
		});
	});
});
