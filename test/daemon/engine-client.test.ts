import { EventEmitter, once } from "node:events";
import path from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeSecret } from "../../src/config/secret.ts";
import { packConfig, unpackConfig } from "../../src/daemon/crossing.ts";
import { type EngineClient, startEngine } from "../../src/daemon/engine-client.ts";
import type { EngineListener } from "../../src/daemon/protocol.ts";
import { makeActiveDirectorySource, makeConfig, makeLdapSource, passwordIn } from "../support/configs.ts";

const file = path.join(import.meta.dirname, "fake-worker.ts");
const never = new AbortController().signal;
let heard: unknown[];
let events: EventEmitter;
let engine: EngineClient;

const listener: EngineListener = {
	progress: (progress) => heard.push(progress),
	ldap: (source, operation, seconds) => heard.push({ source, operation, seconds }),
	begun: (run) => heard.push(run),
	certificate: (source, expiresAt) => heard.push({ source, expiresAt }),
	woken: (source) => events.emit("woken", source),
	delivered: (news) => heard.push(news),
	deliveryError: (error) => heard.push(error),
};

function start(config = makeConfig(), signal = never): Promise<EngineClient> {
	return startEngine(config, {
		file,
		listener,
		clock: Date.now,
		signal,
		pulse: { everyMs: 100, limitMs: 600, cutMs: 300 },
		onSilent: (silenceMs) => events.emit("silent", silenceMs),
		onStuck: () => events.emit("stuck"),
		onDown: (error, retryInMs) => events.emit("down", error, retryInMs),
		onUp: () => events.emit("up"),
	});
}

const sync = (source: string, signal = never) => engine.call("sync", { source, mode: "auto", trigger: "api" }, signal);

beforeEach(async () => {
	heard = [];
	events = new EventEmitter();
	engine = await start();
});

afterEach(() => engine.close(100));

describe("the engine in its thread", () => {
	it("answers calls, and is heard while it works", async () => {
		await expect(sync("corp")).resolves.toMatchObject({ source: "corp", mode: "delta", trigger: "api", outcome: "succeeded" });
		expect(heard).toEqual([
			{ source: "corp", stage: "reading", done: 10, of: undefined },
			{ source: "corp", operation: "search", seconds: 0.5 },
			{ source: "corp", expiresAt: 1_800_000_000_000 },
		]);
		await expect(engine.call("reject", { plan: "p", by: "ada" }, never)).resolves.toEqual({ source: "corp", rejected: 60 });
		await expect(engine.call("approve", { plan: "p", by: "ada" }, never)).resolves.toMatchObject({ warnings: ["p", "ada"] });
		await expect(engine.call("nextDelivery", undefined, never)).resolves.toBe(42);
		await expect(engine.call("retain", undefined, never)).resolves.toEqual({ runs: 1, changes: 2, entries: 3 });
	});

	it("gets the secrets of the configuration", async () => {
		await expect(sync("secret")).resolves.toMatchObject({ warnings: ["the password"] });
	});

	it("fails with the same code, message and hint as beside us", async () => {
		await expect(sync("busy")).rejects.toMatchObject({
			name: "Failure",
			code: "RUN_ALREADY_ACTIVE",
			message: "a run of busy is going on",
			hint: "Wait.",
		});
		await expect(sync("bug")).rejects.toThrow("x is not a function");
	});

	it("stops a run when it is told to, while others go on", async () => {
		const abort = new AbortController();
		const slow = sync("slow", abort.signal);
		await expect(sync("corp")).resolves.toMatchObject({ source: "corp" });
		abort.abort();
		await expect(slow).rejects.toThrow();
	});

	it("says when a source it watches may have changed, until it is told to stop", async () => {
		const abort = new AbortController();
		const woken = once(events, "woken");
		const watched = engine.call("watch", { source: "corp" }, abort.signal);
		watched.catch(() => {});
		expect(await woken).toEqual(["corp"]);
		await expect(sync("corp")).resolves.toMatchObject({ source: "corp" });
		abort.abort();
		await expect(watched).rejects.toMatchObject({ code: "CANCELLED" });
	});

	it("refuses to start with the failure that the database has", async () => {
		await expect(start(makeConfig({ database: "corrupt" }))).rejects.toMatchObject({
			code: "DATABASE_CORRUPT",
			hint: "Restore the last backup.",
		});
		await expect(start(makeConfig({ database: "dies" }))).rejects.toThrow("ended with code 3");
	});
});

describe("when the engine's thread dies", () => {
	it("its runs fail, it counts as down, and it is started again", async () => {
		const down = once(events, "down");
		const crashed = sync("crash");
		await expect(crashed).rejects.toThrow("the engine's thread ended: out of luck");
		expect((await down)[1]).toBe(1000);
		expect(engine.state()).toMatchObject({ kind: "down", because: expect.stringContaining("out of luck") });
		await expect(sync("corp")).rejects.toMatchObject({
			code: "ENGINE_DOWN",
			message: expect.stringContaining("the engine is down and will be started again"),
		});
		await once(events, "up");
		expect(engine.state()).toEqual({ kind: "up" });
		await expect(sync("corp")).resolves.toMatchObject({ source: "corp" });
	});

	it("it is not started again once closed", async () => {
		const down = once(events, "down");
		await expect(sync("crash")).rejects.toThrow();
		await down;
		await engine.close(100);
		expect(engine.state().kind).toBe("down");
	});
});

describe("when the engine's thread hangs", () => {
	it("it is noticed, cut off and started again, and its runs fail", async () => {
		const silent = once(events, "silent");
		const up = once(events, "up");
		const deaf = sync("deaf");
		const refused = expect(deaf).rejects.toThrow(/the engine's thread ended: it has not answered for \d/);
		await vi.waitFor(() => expect(engine.silenceMs()).toBeGreaterThan(200), { timeout: 5000 });
		expect(engine.state()).toEqual({ kind: "up" });
		expect((await silent)[0]).toBeGreaterThanOrEqual(600);
		expect(engine.state()).toMatchObject({ kind: "silent" });
		await expect(sync("corp")).rejects.toThrow("does not answer");
		await refused;
		await up;
		expect(engine.state()).toEqual({ kind: "up" });
		expect(engine.silenceMs()).toBeLessThan(200);
		await expect(sync("corp")).resolves.toMatchObject({ source: "corp" });
	});

	it("it is not cut off for a silence within the limit", async () => {
		await expect(sync("busy for a while")).resolves.toMatchObject({ source: "busy for a while" });
		expect(engine.state()).toEqual({ kind: "up" });
	});

	it("in the operating system, where it cannot be cut off, that is said, and no other is started beside it", async () => {
		let ups = 0;
		events.on("up", () => ups++);
		const stuck = once(events, "stuck");
		const waits = sync("stuck");
		waits.catch(() => {});
		await stuck;
		expect(engine.state()).toMatchObject({ kind: "silent" });
		expect(ups).toBe(0);
		await expect(waits).rejects.toThrow("ended");
	});
});

describe("closing", () => {
	it("stops what is going on", async () => {
		const slow = sync("slow");
		slow.catch(() => {});
		await engine.close(5000);
		await expect(slow).rejects.toThrow();
	});

	it("ends its watches", async () => {
		const woken = once(events, "woken");
		const watched = engine.call("watch", { source: "corp" }, never);
		watched.catch(() => {});
		await woken;
		await engine.close(5000);
		await expect(watched).rejects.toMatchObject({ code: "CANCELLED" });
	});

	it("gives up a thread that is still opening its database", async () => {
		const abort = new AbortController();
		const starting = start(makeConfig({ database: "takes forever" }), abort.signal);
		abort.abort();
		await expect(starting).rejects.toThrow("ended");
	});

	it("cuts off a thread that does not listen", async () => {
		const deaf = sync("deaf");
		deaf.catch(() => {});
		await engine.close(50);
		await expect(deaf).rejects.toThrow();
	});
});

describe("another configuration", () => {
	it("is taken over by a thread of its own", async () => {
		await engine.reopen(makeConfig({ sources: [] }));
		await expect(sync("secret")).resolves.toMatchObject({ warnings: ["none"] });
	});

	it("that cannot be opened leaves the old one working", async () => {
		await expect(engine.reopen(makeConfig({ database: "corrupt" }))).rejects.toMatchObject({ code: "DATABASE_CORRUPT" });
		await expect(sync("secret")).resolves.toMatchObject({ warnings: ["the password"] });
	});
});

describe("a configuration that crosses to the thread", () => {
	it("arrives as it was, its secrets secret again", () => {
		const key = makeSecret("the key");
		const { tls } = makeLdapSource();
		const config = makeConfig({ sources: [makeActiveDirectorySource(), makeLdapSource({ tls: { ...tls, key } })] });
		const arrived = unpackConfig(structuredClone(packConfig(config)));
		expect(passwordIn(arrived)).toBe("the password");
		expect(arrived.sources[1]?.tls.key?.reveal()).toBe("the key");
		expect(JSON.stringify(arrived)).toBe(JSON.stringify(config));
		expect(inspect(arrived, { depth: 9 })).not.toMatch(/the password|the key/);
	});
});
