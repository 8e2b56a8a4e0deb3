import { beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { configFailure } from "../../src/config/problem.ts";
import { makeSecret } from "../../src/config/secret.ts";
import { Failure } from "../../src/core/errors.ts";
import { makeReload } from "../../src/daemon/reload.ts";
import { makeLog } from "../../src/telemetry/log.ts";
import { makeConfig } from "../support/configs.ts";

let lines: Record<string, unknown>[];
let taken: Config[];
/** Certificates that HTTP was given to show. */
let shown: string[];
let next: () => Config;
let change: (config: Config) => Promise<void>;
/** The logs that were to be written from then on. */
let logs: Config["log"][];
let changeLog: (to: Config["log"]) => Promise<void>;
let reload: () => Promise<string>;

beforeEach(() => {
	lines = [];
	taken = [];
	shown = [];
	logs = [];
	changeLog = async (to) => {
		logs.push(to);
	};
	change = async (config) => {
		taken.push(config);
	};
	reload = makeReload({
		loaded: { config: makeConfig(), warnings: [] },
		load: () => ({ config: next(), warnings: [] }),
		works: { change: (config) => change(config) },
		http: { renew: ({ cert }) => shown.push(cert) },
		log: makeLog("info", { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) }),
		changeLog: (to) => changeLog(to),
	});
});

const said = (msg: string) => lines.filter((line) => line["msg"] === msg);

describe("reading the configuration again", () => {
	it("takes over a good one", async () => {
		const to = makeConfig({ protect: ["CN=Admins,DC=corp"] });
		next = () => to;
		await reload();
		expect(taken).toEqual([to]);
		expect(said("configuration taken over")).toHaveLength(1);
	});

	it("keeps the old one when the new one has problems, and logs every one", async () => {
		const problem = { line: 3, column: 5, path: "sources", value: "x", message: "not a list", remedy: "write a list" };
		next = () => {
			throw configFailure("/etc/dirsyncd.yaml", [problem, { ...problem, line: 9, message: "empty" }]);
		};
		await reload();
		expect(taken).toEqual([]);
		expect(lines).toMatchObject([
			{ at: "/etc/dirsyncd.yaml:3:5", msg: "configuration: not a list", remedy: "write a list" },
			{ at: "/etc/dirsyncd.yaml:9:5", msg: "configuration: empty" },
			{ msg: "the new configuration is refused; the old one stays" },
		]);
	});

	it("changes level and file of the log", async () => {
		const log = { level: "debug", file: { path: "/var/log/d.log", bytes: 1024, frequency: "daily", keep: 2 } } as const;
		next = () => makeConfig({ log });
		await reload();
		expect(logs).toEqual([log]);
	});

	it("refuses a log file that cannot be written", async () => {
		next = () => makeConfig();
		changeLog = async () => {
			throw new Failure("OUTPUT_UNWRITABLE", "the log cannot be written", { hint: "Name another." });
		};
		await reload();
		expect(taken).toEqual([]);
		expect(said("the new configuration is refused; the old one stays")).toMatchObject([{ because: "the log cannot be written" }]);
	});

	it("keeps the log where it was, too, when the rest cannot be taken over", async () => {
		next = () => makeConfig({ log: { level: "debug", file: undefined } });
		change = async () => {
			throw new Error("no");
		};
		await reload();
		expect(logs.map(({ level }) => level)).toEqual(["debug", "info"]);
	});

	it("does not change the database of a running daemon", async () => {
		next = () => makeConfig({ database: "/elsewhere.db" });
		await reload();
		expect(taken).toEqual([]);
		expect(said("the new configuration is refused; the old one stays")[0]?.["because"]).toContain("database");
	});

	it("says what takes effect only with the next start", async () => {
		next = () => makeConfig({ http: { listen: { host: "127.0.0.1", port: 1 }, tls: undefined } });
		await reload();
		expect(taken).toHaveLength(1);
		expect(said("takes effect with the next start")).toMatchObject([{ key: "http" }]);
	});

	it("shows a renewed certificate at once, and nothing anew when it is the same", async () => {
		const http = (cert: string) => ({ listen: { host: "127.0.0.1", port: 0 }, tls: { cert, key: makeSecret("the key") } });
		for (const cert of ["one", "one", "two"]) {
			next = () => makeConfig({ http: http(cert) });
			await reload();
		}
		expect(shown).toEqual(["two"]);
		// That there is TLS at all is for the next start.
		expect(said("takes effect with the next start")).toMatchObject([{ key: "http" }]);
	});

	it("keeps the old one when the new one cannot be opened", async () => {
		next = () => makeConfig();
		change = () => Promise.reject(new Failure("DATABASE_UNWRITABLE", "disk full"));
		await reload();
		expect(said("the new configuration is refused; the old one stays")).toMatchObject([{ because: "disk full" }]);
	});

	it("is done once after the other when asked twice", async () => {
		const order: string[] = [];
		next = () => makeConfig();
		change = async () => {
			order.push("begins");
			await Promise.resolve();
			order.push("ends");
		};
		await Promise.all([reload(), reload()]);
		expect(order).toEqual(["begins", "ends", "begins", "ends"]);
	});
});
