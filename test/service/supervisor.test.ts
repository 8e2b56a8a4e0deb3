import { beforeEach, describe, expect, it } from "vitest";
import { makeSupervisor, type Sight, type Supervisor } from "../../src/service/supervisor.ts";

/** systemd waits so long for a sign of life; it is given twice within. */
const watched = { WATCHDOG_USEC: "20000" };
const well: Sight = { isWell: true, status: "pass: all is well" };

let heard: string[];
let deaf: unknown[];
let unwell: string[];
let waiting: { readonly what: string; readonly found: PromiseWithResolvers<void> }[];
let fails: boolean;

beforeEach(() => {
	[heard, deaf, unwell, waiting, fails] = [[], [], [], [], false];
});

function open(environment: Record<string, string> = watched): Supervisor {
	return makeSupervisor({
		notify: async (...said) => {
			if (fails) throw new Error("nobody there");
			heard.push(said.join(" | "));
			for (const { what, found } of waiting) if (said.includes(what)) found.resolve();
		},
		environment,
		monotonicUsec: () => 17n,
		onDeaf: (because) => deaf.push(because),
		onUnwell: ({ status }) => unwell.push(status),
	});
}

/** What is said from now on. */
function hears(what: string): Promise<void> {
	const found = Promise.withResolvers<void>();
	waiting.push({ what, found });
	return found.promise;
}

describe("systemd is told", () => {
	it("what goes on before the daemon is up, that it is up, and that it ends, in this order", async () => {
		const supervisor = open({});
		supervisor.status("starting");
		supervisor.ready(async () => well);
		await hears("STATUS=pass: all is well");
		supervisor.stopping();
		await hears("STOPPING=1");
		expect(heard).toEqual(["STATUS=starting", "READY=1", "STATUS=pass: all is well", "STOPPING=1 | STATUS=ending"]);
	});

	it("that it is alive, again and again, as long as it is well, and a status only when it is another", async () => {
		const supervisor = open();
		supervisor.ready(async () => well);
		await hears("WATCHDOG=1");
		await hears("WATCHDOG=1");
		await hears("WATCHDOG=1");
		supervisor.stopping();
		expect(heard.slice(0, 4)).toEqual(["READY=1", "WATCHDOG=1 | STATUS=pass: all is well", "WATCHDOG=1", "WATCHDOG=1"]);
	});

	it.each([
		{ what: "says that it is not well", look: async (): Promise<Sight> => ({ isWell: false, status: "fail: the engine is down" }) },
		{ what: "cannot say how it is", look: () => Promise.reject(new Error("fail: the engine is down")) },
	])("nothing of life while the daemon $what, which is logged once", async ({ look }) => {
		const supervisor = open();
		const sights: (() => Promise<Sight>)[] = [look, look, look];
		supervisor.ready(() => (sights.shift() ?? (async () => well))());
		await hears("WATCHDOG=1");
		supervisor.stopping();
		expect(heard.slice(0, 3)).toEqual([
			"READY=1",
			expect.stringMatching(/^STATUS=.*fail: the engine is down$/),
			"WATCHDOG=1 | STATUS=pass: all is well",
		]);
		expect(unwell).toEqual([expect.stringContaining("fail: the engine is down")]);
	});

	it("at once that it is well again, and not only when it would have been looked at anyway", async () => {
		const supervisor = open({ WATCHDOG_USEC: "6000000" });
		const sights: Sight[] = [{ isWell: false, status: "fail: the engine is down" }];
		const began = performance.now();
		supervisor.ready(async () => sights.shift() ?? well);
		await hears("WATCHDOG=1");
		supervisor.stopping();
		expect(performance.now() - began).toBeLessThan(2000);
	});

	it("when the configuration is read again, and how that ended", async () => {
		const supervisor = open({});
		supervisor.ready(async () => well);
		await supervisor.reload(async () => "configuration taken over");
		await hears("STATUS=configuration taken over");
		supervisor.stopping();
		expect(heard.slice(-2)).toEqual(["RELOADING=1 | MONOTONIC_USEC=17", "READY=1 | STATUS=configuration taken over"]);
	});

	it("nothing more once it ends: neither life nor readiness", async () => {
		const supervisor = open();
		const seen = Promise.withResolvers<Sight>();
		supervisor.ready(() => seen.promise);
		const done = Promise.withResolvers<string>();
		const reloading = supervisor.reload(() => done.promise);
		supervisor.stopping();
		seen.resolve(well);
		done.resolve("configuration taken over");
		await reloading;
		supervisor.status("the last thing said");
		await hears("STATUS=the last thing said");
		expect(heard.slice(-2)).toEqual(["STOPPING=1 | STATUS=ending", "STATUS=the last thing said"]);
	});

	it("in vain where it does not listen: that is logged once, and nothing else comes of it", async () => {
		fails = true;
		const supervisor = open();
		supervisor.status("starting");
		let looks = 0;
		const looked = Promise.withResolvers<void>();
		supervisor.ready(async () => {
			if (++looks === 3) looked.resolve();
			return well;
		});
		await looked.promise;
		supervisor.stopping();
		expect(deaf).toEqual([new Error("nobody there")]);
	});
});

describe("where there is no systemd", () => {
	it("the daemon is not even looked at, and reads its configuration again all the same", async () => {
		const supervisor = makeSupervisor({
			notify: undefined,
			environment: watched,
			monotonicUsec: () => 0n,
			onDeaf: () => {},
			onUnwell: () => {},
		});
		let looks = 0;
		supervisor.ready(async () => {
			looks += 1;
			return well;
		});
		let reloads = 0;
		await supervisor.reload(async () => {
			reloads += 1;
			return "configuration taken over";
		});
		supervisor.stopping();
		expect({ looks, reloads }).toEqual({ looks: 0, reloads: 1 });
	});
});
