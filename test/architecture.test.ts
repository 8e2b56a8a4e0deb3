import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Files, findCycles, findReserved, findTrespasses, type Reserved, type Room } from "./support/doors.ts";

const root = path.join(import.meta.dirname, "..");

/** src/README.md draws the same map. A port's room is its file; an adapter sees its own port and never another adapter. */
const rooms: readonly Room[] = [
	room("core", ""),
	room("lib", "", "csv-stringify"),

	room("source/source.ts", "core"),
	room("source/ldap", "core lib", "ldapts"),
	room("source/active-directory", "core lib source/source.ts source/ldap"),
	room("source/generic-ldap", "core lib source/source.ts source/ldap"),
	// From a configuration to a source: the one file that knows every kind of them.
	room("source/sources.ts", "core config config/secret.ts source/source.ts source/ldap source/active-directory source/generic-ldap"),
	room("target/target.ts", "core"),
	// One line of `check`.
	room("target/finding.ts", ""),
	room("target/local", "core lib target/target.ts"),
	// A file is written from rows like those of the embedded store, and applied to as they are.
	room("target/file", "core lib target/target.ts target/finding.ts target/local"),
	// Requests to whatever is behind HTTP.
	room("target/http", "core lib target/finding.ts", "undici"),
	room("target/scim", "core lib target/target.ts target/finding.ts target/http"),
	room("target/webhook", "core lib target/target.ts target/http"),
	// From a configuration to a target: the one file that knows every kind of them.
	room(
		"target/targets.ts",
		"core config config/secret.ts target/target.ts target/finding.ts target/http target/local target/file target/scim target/webhook",
	),

	// What there is to say, in words; the ways of telling it; and from a configuration to a way, by its type.
	room("notify", "core lib"),
	room("notify/smtp", "core lib notify", "nodemailer"),
	room("notify/webhook", "core lib notify target/http"),
	room("notify/channels.ts", "core config config/secret.ts notify notify/smtp notify/webhook"),

	// Words for what came of a run, which everybody speaks.
	room("sync/report.ts", "core"),
	room("store", "core lib source/source.ts sync/report.ts", "better-sqlite3"),
	room("sync", "core lib sync/report.ts store source/source.ts target/target.ts"),

	// Words for why an account is as it is.
	room("explain/explanation.ts", "core"),
	room("explain", "core lib explain/explanation.ts source/source.ts store sync sync/report.ts"),

	// What prints as [secret] wherever it goes.
	room("config/secret.ts", "core"),
	room("config", "core lib config/secret.ts", "node-cron yaml zod"),
	room("telemetry", "core lib store sync/report.ts", "pino pino-pretty pino-roll prom-client"),
	// Who started us and watches over us.
	room("service", ""),
	room("demo", "core lib"),
	room(
		"http",
		"core lib contract explain/explanation.ts store sync/report.ts telemetry config/secret.ts",
		"fastify @fastify/swagger fastify-type-provider-zod zod @fastify/cookie @fastify/formbody @fastify/helmet @fastify/rate-limit",
	),
	room(
		"daemon",
		"core lib app engine.ts explain/explanation.ts config config/secret.ts store sync/report.ts http telemetry service demo notify notify/channels.ts",
		"node-cron",
	),

	// What leaves as JSON: the same from the commands and the API.
	room("contract", "core lib explain/explanation.ts store sync/report.ts"),

	// What the composition root gives to whoever drives it: words alone.
	room("engine.ts", "core explain/explanation.ts store sync sync/report.ts"),
	// The composition root: the one room that knows the adapters.
	room(
		"app",
		"core lib engine.ts config config/secret.ts explain explain/explanation.ts store sync sync/report.ts source/source.ts source/sources.ts target/target.ts target/targets.ts",
	),
	// `check` tries each step of a connection by itself.
	room(
		"cli",
		"core lib app engine.ts contract config config/secret.ts explain/explanation.ts store sync/report.ts daemon telemetry source/sources.ts target/targets.ts notify notify/channels.ts",
		"undici",
	),
	room("main.ts", "core cli"),
	// Whichever of the pinned ones this platform has.
	room("launch.cjs", "", "node-*-*"),
];

const reserved: readonly Reserved[] = [
	{ what: "process.exit", pattern: /\bprocess\s*\.\s*exit\s*\(/, only: ["src/main.ts", "src/launch.cjs"] },
	{ what: "a default export", pattern: /\bexport\s+default\b|\bas\s+default\b/, only: [] },
	{
		what: "SQL",
		pattern:
			/["'`]\s*(?:SELECT|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|(?:CREATE|DROP|ALTER)\s+(?:TABLE|INDEX|TRIGGER|VIEW)|PRAGMA|BEGIN(?:\s+\w+)?|ATTACH|VACUUM)\b/,
		only: ["src/store/"],
	},
	// Failure, and the one of lib that Failure is made from.
	{ what: "a class", pattern: /^\s*(?:export\s+)?(?:abstract\s+)?class\s/m, only: ["src/core/errors.ts", "src/lib/ber.ts"] },
];

const files = readSource();

describe("the architecture", () => {
	it("has no door that is not listed", () => {
		expect(findTrespasses(files, rooms)).toEqual([]);
	});

	it("has no import cycles", () => {
		expect(findCycles(files)).toEqual([]);
	});

	it("keeps process.exit, SQL and classes where they belong, and has no default exports", () => {
		expect(findReserved(files, reserved)).toEqual([]);
	});

	it("has no barrels", () => {
		expect([...files.keys()].filter((file) => /\/index\.[cm]?[jt]s$/.test(file))).toEqual([]);
	});

	it("lists no room that is gone", () => {
		const gone = rooms.filter(({ room }) => ![...files.keys()].some((file) => file === room || file.startsWith(`${room}/`)));
		expect(gone.map(({ room }) => room)).toEqual([]);
	});
});

describe("the watch over the architecture sees", () => {
	it.each([
		{
			trespass: "core that reads the clock of another room",
			file: "src/core/planted.ts",
			text: 'import { run } from "../sync/report.ts";',
		},
		{ trespass: "a door opened for a type alone", file: "src/core/planted.ts", text: 'import type { Source } from "../source/source.ts";' },
		{ trespass: "a re-export", file: "src/core/planted.ts", text: 'export * from "../source/source.ts";' },
		{ trespass: "an import over several lines", file: "src/core/planted.ts", text: 'import {\n\tSource,\n} from "../source/source.ts";' },
		{ trespass: "an import made while running", file: "src/core/planted.ts", text: 'await import("../source/source.ts");' },
		{ trespass: "a worker", file: "src/core/planted.ts", text: 'new Worker(new URL("../source/source.ts", import.meta.url));' },
		{
			trespass: "a worker without an extension",
			file: "src/core/planted.ts",
			text: "new URL(`../source/source\u0024{ext}`, import.meta.url);",
		},
		{ trespass: "a way around by the parent folder", file: "src/core/planted.ts", text: 'import "../core/../source/source.ts";' },
		{ trespass: "a package in a room that has none", file: "src/core/planted.ts", text: 'import pino from "pino";' },
		{ trespass: "a package by one of its files", file: "src/sync/planted.ts", text: 'import x from "better-sqlite3/lib/database.js";' },
		{ trespass: "a run that knows its adapter", file: "src/sync/planted.ts", text: 'import "../source/active-directory/planted.ts";' },
		{ trespass: "a room that nobody listed", file: "src/attic/planted.ts", text: "export const a = 1;" },
		{ trespass: "a file beside the rooms", file: "src/planted.ts", text: "export const a = 1;" },
		{ trespass: "an adapter that uses another one's package", file: "src/demo/planted.ts", text: 'import { Client } from "ldapts";' },
		{ trespass: "a name put together while running", file: "src/core/planted.ts", text: "await import(`../\u0024{room}/a.ts`);" },
		{ trespass: "an import of what is not there", file: "src/core/planted.ts", text: 'import "./gone.ts";' },
	])("$trespass", ({ file, text }) => {
		const planted: Files = new Map([...files, ["src/source/active-directory/planted.ts", ""], [file, text]]);
		expect(findTrespasses(planted, rooms).filter((sentence) => sentence.startsWith(`${file}:`))).toHaveLength(1);
	});

	it("a cycle of three", () => {
		const planted: Files = new Map([
			["src/core/a.ts", 'import "./b.ts";'],
			["src/core/b.ts", 'import type { C } from "./c.ts";'],
			["src/core/c.ts", 'export { a } from "./a.ts";'],
		]);
		expect(findCycles(planted)).toEqual(["src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts"]);
	});

	it.each([
		{ what: "process.exit", text: "process.exit(1);" },
		{ what: "a default export", text: "export default 1;" },
		{ what: "SQL", text: 'db.prepare("SELECT a FROM b");' },
		{ what: "SQL", text: "db.exec(`\n\tUPDATE ledger SET wanted = 1`);" },
		{ what: "a class", text: "export class Manager {}" },
	])("$what in the wrong room", ({ what, text }) => {
		expect(findReserved(new Map([["src/core/planted.ts", text]]), reserved)).toEqual([
			expect.stringContaining(`src/core/planted.ts: ${what} `),
		]);
	});

	it("nothing in comments and in harmless words", () => {
		const text =
			'// process.exit(1)\n/* import "../source/source.ts"; */\nconst url = "https://example.test"; // select\nconst word = "select one";';
		const planted: Files = new Map([...files, ["src/core/planted.ts", text]]);
		expect(findTrespasses(planted, rooms).filter((sentence) => sentence.includes("planted"))).toEqual([]);
		expect(findReserved(new Map([["src/core/planted.ts", text]]), reserved)).toEqual([]);
	});
});

function readSource(): Files {
	const names = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" }).map((name) => name.split(path.sep).join("/"));
	const sources = names.filter((name) => /\.[cm]?[jt]s$/.test(name)).sort();
	return new Map(sources.map((name) => [`src/${name}`, readFileSync(path.join(root, "src", name), "utf8")]));
}

/** Names of rooms beneath src, then of packages, each list by spaces. */
function room(name: string, rooms: string, packages = ""): Room {
	const words = (list: string) => list.split(" ").filter((word) => word !== "");
	return { room: `src/${name}`, imports: [...words(rooms).map((word) => `src/${word}`), ...words(packages)] };
}
