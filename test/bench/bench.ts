import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { has } from "../support/require.ts";
import { startSlapd } from "../support/slapd.ts";
import { type Case, casesOf, measureRound, type Sample } from "./cases.ts";
import { reportDelivery } from "./delivery.ts";
import { median, table } from "./measure.ts";
import { reportRules } from "./rules.ts";

/**
 * Our speed beside that of ldapsearch, which dumps the same attributes of the same people to /dev/null in the same run: a ratio
 * says the same on every machine. Timings are shown, with what we aim at, and never fail; wrong results do.
 */
async function main(): Promise<number> {
	const { values } = parseArgs({
		options: {
			smoke: { type: "boolean", default: false },
			people: { type: "string" },
			rounds: { type: "string" },
		},
	});
	if (!has("slapd")) {
		process.stderr.write("the benchmark needs slapd and ldapsearch: apt-get install --no-install-recommends slapd ldap-utils\n");
		return 1;
	}
	const sizes = (values.people ?? (values.smoke ? "2000" : "10000,100000")).split(",").map(Number);
	const rounds = Number(values.rounds ?? (values.smoke ? 1 : 5));
	for (const people of sizes) {
		const samples = await benchmark(people, rounds);
		process.stdout.write(
			`\n${people.toLocaleString("en")} people, medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}\n\n${report(people, samples)}\n`,
		);
	}
	const ruled = values.smoke ? { people: 2000, groups: 200 } : { people: 50_000, groups: 2000 };
	process.stdout.write(
		`\nrules over ${ruled.people.toLocaleString("en")} people in ${ruled.groups.toLocaleString("en")} groups\n\n${await reportRules(ruled, values.smoke ? 1 : 5)}\n`,
	);
	const accounts = values.smoke ? 300 : 5000;
	process.stdout.write(
		`\ndelivery of ${accounts.toLocaleString("en")} accounts over HTTP\n\n${await reportDelivery(accounts, Math.min(rounds, 3))}\n`,
	);
	return 0;
}

async function benchmark(people: number, rounds: number): Promise<ReadonlyMap<Case, readonly Sample[]>> {
	process.stderr.write(`loading ${people.toLocaleString("en")} people …\n`);
	const slapd = await startSlapd(people);
	const home = mkdtempSync(path.join(os.tmpdir(), "dirsyncd-bench-"));
	const samples = new Map<Case, Sample[]>(casesOf(people).map((one) => [one, []]));
	try {
		for (let round = 1; round <= rounds; round++) {
			process.stderr.write(`round ${round} of ${rounds} …\n`);
			const folder = path.join(home, String(round));
			mkdirSync(folder);
			writeFileSync(path.join(folder, "dirsyncd.yaml"), configuration(slapd.url, slapd.baseDn, slapd.reader));
			const measured = await measureRound(slapd, path.join(folder, "dirsyncd.yaml"), [...samples.keys()]);
			for (const [one, sample] of measured) samples.get(one)?.push(sample);
			rmSync(folder, { recursive: true });
		}
	} finally {
		rmSync(home, { recursive: true, force: true });
		await slapd.close();
	}
	return samples;
}

function report(people: number, samples: ReadonlyMap<Case, readonly Sample[]>): string {
	const head = ["", "wall ms", "cpu ms", "ldapsearch ms", "wall ×", "cpu ×", "aim", "entries/s", "peak MB"];
	const rows = [...samples].map(([one, list]) => {
		const middle = (of: (sample: Sample) => number) => median(list.map(of));
		const wall = middle(({ ours }) => ours.wallMs);
		return [
			one.title,
			wall.toFixed(wall < 100 ? 1 : 0),
			middle(({ ours }) => ours.cpuMs).toFixed(0),
			middle(({ dump }) => dump.wallMs).toFixed(0),
			// The ratio of each round, whose two sides met the same machine; not of the medians.
			middle(({ ours, dump }) => ours.wallMs / dump.wallMs).toFixed(2),
			middle(({ ours, dump }) => ours.cpuMs / dump.cpuMs).toFixed(2),
			one.aim,
			one.kind === "full" ? Math.round((people * 1000) / wall).toLocaleString("en") : "",
			middle(({ ours }) => ours.peakMb).toFixed(0),
		];
	});
	return table(head, rows);
}

function configuration(url: string, base: string, { user, password }: { readonly user: string; readonly password: string }): string {
	return `database: ./dirsyncd.db
sources:
  - name: corp
    type: active-directory
    urls: [${url}]
    insecure: true
    bind: { user: "${user}", password: "${password}" }
    base: "${base}"
limits: { update: { count: none, percent: none } }
`;
}

process.exitCode = await main();
