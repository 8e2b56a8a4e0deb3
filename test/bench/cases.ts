import { loadConfig } from "../../src/config/load.ts";
import { attributesOf } from "../../src/core/mapping.ts";
import { makeActiveDirectory } from "../../src/source/active-directory/active-directory.ts";
import { activeDirectoryDefaults } from "../../src/source/active-directory/options.ts";
import type { RunReport } from "../../src/sync/report.ts";
import type { Slapd } from "../support/slapd.ts";
import { type Host, type Measured, openHost } from "./host.ts";
import { type Cost, costOf } from "./measure.ts";

/** One thing that is measured. */
export type Case =
	| { readonly kind: "full"; readonly title: string; readonly aim: string; readonly isFirst: boolean }
	| { readonly kind: "delta"; readonly title: string; readonly aim: string; readonly changed: number };

/** One case in one round: ours, and ldapsearch asking for the same right before. */
export interface Sample {
	readonly ours: Measured;
	readonly dump: Cost;
}

export function casesOf(people: number): readonly Case[] {
	const delta = (changed: number, aim: string): Case => ({
		kind: "delta",
		title: `delta, ${changed.toLocaleString("en")} changed`,
		aim,
		changed,
	});
	return [
		{ kind: "full", title: "full, into an empty database", aim: "≤ 4.5 ×", isFirst: true },
		{ kind: "full", title: "full, nothing changed", aim: "≤ 1.5 ×", isFirst: false },
		delta(0, "≤ 5 ms"),
		delta(Math.min(100, people), "≤ 50 ms"),
		...(people >= 10_000 ? [delta(10_000, "")] : []),
	];
}

/** Measures every case once, in order: each goes on from what the one before has left. Throws when a result is wrong. */
export async function measureRound(slapd: Slapd, configFile: string, cases: readonly Case[]): Promise<ReadonlyMap<Case, Sample>> {
	const dump = dumper(slapd, configFile);
	const samples = new Map<Case, Sample>();
	let host: Host | undefined;
	try {
		for (const one of cases) {
			if (one.kind === "full") {
				// A process of its own for each: the peak of its memory is that of this case.
				await host?.close();
				host = openHost(configFile);
				samples.set(one, await measureFull(host, one.isFirst, slapd.people, dump));
			} else {
				// A warm process, as the daemon is one.
				samples.set(one, await measureDelta(host as Host, slapd, one.changed, dump));
			}
		}
	} finally {
		await host?.close();
	}
	return samples;
}

async function measureFull(host: Host, isFirst: boolean, people: number, dump: Dump): Promise<Sample> {
	const beside = await dump();
	const ours = await host.run("full");
	expectReport(ours.report, { mode: "full", sealed: true, read: people, created: isFirst ? people : 0, updated: 0 });
	return { ours, dump: beside };
}

/** Deltas that a daemon has made before noon; the first few of a process are those of its compiler. */
const WARM_UPS = 30;

async function measureDelta(host: Host, slapd: Slapd, changed: number, dump: Dump): Promise<Sample> {
	// What came before this case, and this server's first answers, are not counted.
	const since = slapd.highestUsn();
	if (changed > 0) await slapd.change(changed);
	else for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) await host.run("delta");
	const beside = await dump(since + 1);
	const ours = await host.run("delta");
	expectReport(ours.report, { mode: "delta", read: changed, created: 0, updated: changed });
	return { ours, dump: beside };
}

function expectReport(report: RunReport, expected: Partial<RunReport>): void {
	const all: Partial<RunReport> = { outcome: "succeeded", disabled: 0, deleted: 0, held: 0, quarantined: 0, pending: 0, ...expected };
	const wrong = Object.entries(all).filter(([key, value]) => report[key as keyof RunReport] !== value);
	if (wrong.length === 0) return;
	const sentences = wrong.map(
		([key, value]) => `${key} is ${JSON.stringify(report[key as keyof RunReport])} and should be ${JSON.stringify(value)}`,
	);
	throw new Error(`a wrong result: ${sentences.join("; ")}\n${JSON.stringify(report, null, 2)}`);
}

/** ldapsearch for everyone, or for those changed since a USN. */
type Dump = (sinceUsn?: number) => Promise<Cost>;

function dumper(slapd: Slapd, configFile: string): Dump {
	const attributes = attributesAsked(configFile);
	const { user, password } = slapd.reader;
	return (sinceUsn) => {
		const changed = sinceUsn === undefined ? "" : `(uSNChanged>=${sinceUsn})`;
		const filter = `(&(objectCategory=person)(objectClass=user)(sAMAccountType=805306368)${changed})`;
		const login = ["-x", "-H", slapd.url, "-D", user, "-w", password, "-E", "pr=1000/noprompt", "-LLL"];
		return costOf("ldapsearch", [...login, "-b", slapd.baseDn, filter, ...attributes], { LDAPNOINIT: "1" });
	};
}

/** What our source asks for, so that ldapsearch asks for the same. */
function attributesAsked(configFile: string): readonly string[] {
	const { config } = loadConfig(configFile, process.env);
	const [source] = config.sources;
	if (source?.type !== "active-directory") throw new Error("the bench's configuration has no source of Active Directory");
	return makeActiveDirectory({
		...source,
		...activeDirectoryDefaults,
		discovery: undefined,
		bind: { user: "", password: "" },
		tls: { ...source.tls, cert: undefined, key: undefined },
		protect: [],
		attributes: attributesOf(source.mapping),
		clock: Date.now,
		random: Math.random,
		observe: { request: () => {}, certificate: () => {} },
	}).attributes;
}
