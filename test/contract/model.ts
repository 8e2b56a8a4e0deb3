import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { openEngine } from "../../src/app/engine.ts";
import { loadConfig } from "../../src/config/load.ts";
import { dnKey } from "../../src/core/dn.ts";
import { openViews } from "../../src/store/open-views.ts";
import type { AccountView } from "../../src/store/views.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { textOf, textsOf } from "../support/ldif.ts";
import type { Directory } from "./directory.ts";
import { changeSomeGroup, expectedGroups } from "./model-groups.ts";
import { addPerson } from "./population.ts";
import { anchorOf } from "./reader.ts";

/** AccountExpires of a day long past, and of one far ahead, as FILETIME. */
const EXPIRED = "132223104000000000";
const EXPIRES_LATE = "159000000000000000";

/**
 * The whole engine on a directory that lives: after some random changes each, the accounts that delta by delta have come to are
 * compared with those of a fresh database, and with what an independent reader computes. `catchUp`: the reading before each look.
 */
export function modelContract(directory: () => Directory, changes: number, catchUp: "full" | "delta" = "full"): void {
	it(`follows ${changes} random changes by deltas to the accounts that a fresh database and an independent reader come to`, async () => {
		const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-model-"));
		const root = `OU=Model,${directory().baseDn}`;
		const base = `OU=Staff,${root}`;
		const groupsBase = `OU=Groups,${root}`;
		const places = { root, base, inside: [base, `OU=Sales,${base}`, `OU=North,OU=Sales,${base}`], outside: `OU=Leavers,${root}`, moved: 0 };
		const seed = Number(process.env["DIRSYNCD_TEST_SEED"] ?? 20_261_123);
		const random = makeRandom(seed);
		const kept = openAccounts(directory(), base, groupsBase, path.join(folder, "kept"));
		try {
			for (const ou of [root, ...places.inside, places.outside, groupsBase])
				await directory().add(ou, { objectClass: "organizationalUnit" });
			for (let number = 0; number < 25; number++) await addPerson(directory(), `Start ${number}`, base, `start${number}`);
			// One stays whatever happens: a scope that is suddenly empty is another matter.
			await addPerson(directory(), "Stays", base, "stays");
			await kept.sync("full");
			for (let change = 1; change <= changes; change++) {
				const what = await changeSomething(directory(), places, groupsBase, random, change);
				if (random(3) === 0) expect(await kept.sync("delta"), `seed ${seed}, after ${what}`).toMatchObject({ outcome: "succeeded" });
				if (change % 25 !== 0) continue;
				// Where deletions cannot be seen, they come with a full reading.
				expect(await kept.sync(catchUp), `seed ${seed}, change ${change}`).toMatchObject({
					mode: catchUp,
					unsealed: [],
					heldKinds: [],
					outcome: "succeeded",
					sealed: true,
				});
				const fresh = openAccounts(directory(), base, groupsBase, path.join(folder, `fresh${change}`));
				await fresh.sync("full");
				const wanted = fresh.accounts();
				const wantedGroups = fresh.groups(new Set(wanted.map(({ anchor }) => anchor)));
				fresh.close();
				expect(comparable(wanted), `seed ${seed}, change ${change}`).toEqual(await expected(directory(), base));
				const have = kept.accounts();
				const gone = have.filter(({ anchor }) => !wanted.some((account) => account.anchor === anchor));
				expect(comparable(have.filter((account) => !gone.includes(account))), `seed ${seed}, change ${change}`).toEqual(comparable(wanted));
				expect(gone.filter(({ account }) => account.active)).toEqual([]);
				const anchors = new Set(wanted.map(({ anchor }) => anchor));
				const groups = await expectedGroups(directory(), { root, inside: groupsBase, outside: places.outside }, anchors);
				expect(wantedGroups, `seed ${seed}, change ${change}`).toEqual(groups);
				expect(kept.groups(anchors), `seed ${seed}, change ${change}`).toEqual(groups);
			}
		} finally {
			kept.close();
			rmSync(folder, { recursive: true, force: true });
		}
	}, 3_600_000);
}

interface Places {
	readonly base: string;
	inside: string[];
	readonly outside: string;
	moved: number;
}

async function changeSomething(
	directory: Directory,
	places: Places,
	groupsBase: string,
	random: (below: number) => number,
	number: number,
): Promise<string> {
	const users = await directory.search(
		`OU=Model,${directory.baseDn}`,
		"(&(objectCategory=person)(objectClass=user)(!(sAMAccountName=stays)))",
		["sAMAccountName"],
	);
	const dn = users[random(users.length)]?.dn as string;
	const boss = users[random(users.length)]?.dn as string;
	const ou = places.inside[random(places.inside.length)] as string;
	const rdn = dn.slice(0, dn.search(/(?<!\\),/));
	if (random(3) === 0) {
		const groupPlaces = { root: `OU=Model,${directory.baseDn}`, inside: groupsBase, outside: places.outside };
		return changeSomeGroup(
			directory,
			groupPlaces,
			users.map((user) => user.dn),
			random,
			number,
		);
	}
	switch (random(11)) {
		case 0:
			return `hiring ${await addPerson(directory, `Hired ${number}`, ou, `hired${number}`, { manager: boss })}`;
		case 1:
			await directory.move(
				dn,
				`CN=${["Renamed\\, Jr.", "Zoë Ünïcode", "O'Brien + Co"][number % 3]?.replace("+", "\\+")} ${number},${dn.slice(rdn.length + 1)}`,
			);
			return `renaming ${dn}`;
		case 2:
			await directory.move(dn, `${rdn},${places.outside}`).catch(ignoreSamePlace);
			return `moving ${dn} out`;
		case 3:
			await directory.move(dn, `${rdn},${ou}`).catch(ignoreSamePlace);
			return `moving ${dn} to ${ou}`;
		case 4:
			await directory.modify(dn, { userAccountControl: "514" });
			return `disabling ${dn}`;
		case 5:
			await directory.modify(dn, { userAccountControl: "512" });
			return `enabling ${dn}`;
		case 6:
			if (users.length > 12) await directory.remove(dn);
			return `deleting ${dn}`;
		case 7:
			await directory.modify(dn, { accountExpires: [EXPIRED, EXPIRES_LATE, "0"][random(3)] as string });
			return `setting the expiry of ${dn}`;
		case 8:
			await directory.modify(dn, { department: `Department ${number}`, title: random(2) ? `Title ${number}` : [] });
			return `changing attributes of ${dn}`;
		case 9:
			await directory.modify(dn, { manager: random(3) ? boss : [] });
			return `giving ${dn} the manager ${boss}`;
		default: {
			// An OU goes from place to place with all beneath it: only its own USN moves.
			const old = places.inside[1] as string;
			const now = ++places.moved % 3 === 0 ? `OU=Sales ${number},${places.outside}` : `OU=Sales ${number},${places.base}`;
			await directory.move(old, now);
			places.inside = places.inside.map((place) => place.replace(old, now));
			return `moving ${old} to ${now}`;
		}
	}
}

/** Moved to where it is: not a change, and servers differ in what they say of it. */
function ignoreSamePlace(error: unknown): void {
	if (!/exist|same|0x44|68/i.test(String(error))) throw error;
}

function openAccounts(directory: Directory, base: string, groupsBase: string, folder: string) {
	const { connection } = directory;
	const { ca } = connection.tls;
	const caFile = `${folder}-ca.pem`;
	if (ca !== undefined) writeFileSync(caFile, ca);
	const file = `${folder}.yaml`;
	const source = {
		name: "corp",
		type: "active-directory",
		urls: connection.urls,
		insecure: connection.insecure,
		bind: connection.bind,
		tls: { ...(ca !== undefined && { ca: caFile }), startTls: connection.tls.startTls },
		base,
		changes: connection.changes,
		groups: { base: groupsBase },
	};
	// JSON is YAML. Limits so wide that nothing is held: this is not about the gate.
	writeFileSync(
		file,
		JSON.stringify({
			database: `${folder}.db`,
			sources: [source],
			limits: {
				disable: { count: 999, percent: 100 },
				update: { percent: 100 },
				groups: { count: "none", percent: "none" },
				members: { count: "none", percent: "none" },
			},
		}),
	);
	const { config } = loadConfig(file, process.env);
	const engine = openEngine(config, { check: "small", clock: Date.now, random: Math.random });
	const silent = { progress: () => {}, ldap: () => {}, certificate: () => {} };
	return {
		sync: (mode: "full" | "delta"): Promise<RunReport> =>
			engine.sync({ source: "corp", mode, trigger: "command" }, silent, new AbortController().signal),
		accounts: (): AccountView[] => {
			const views = openViews(config.database);
			try {
				return [...views.accounts()];
			} finally {
				views.close();
			}
		},
		/** Members among these accounts, by the group's anchor and name. */
		groups: (anchors: ReadonlySet<string>): Record<string, string[]> => {
			const views = openViews(config.database);
			try {
				return Object.fromEntries(
					[...views.groups()].map((group) => {
						const members = [...views.members(group)].map(({ anchor }) => anchor).filter((anchor) => anchors.has(anchor));
						return [`${group.anchor} ${group.group.displayName}`, members.sort()];
					}),
				);
			} finally {
				views.close();
			}
		},
		close: () => void engine.close(),
	};
}

function comparable(views: readonly AccountView[]): unknown[] {
	return views.map(({ anchor, account }) => ({ anchor, ...account })).sort((a, b) => (a.anchor < b.anchor ? -1 : 1));
}

/** The default mapping of design 5.3, written once more from the directory's own words. */
async function expected(directory: Directory, base: string): Promise<unknown[]> {
	const names = ["objectGUID", "userPrincipalName", "displayName", "cn", "givenName", "sn", "mail", "proxyAddresses", "userAccountControl"];
	const records = await directory.search(base, "(&(objectCategory=person)(objectClass=user))", [
		...names,
		"accountExpires",
		"title",
		"department",
		"manager",
	]);
	const anchors = new Map(records.map((record) => [dnKey(record.dn), anchorOf(record)]));
	return records
		.map((record) => {
			const expires = BigInt(textOf(record, "accountExpires") ?? "0");
			const isExpired = expires !== 0n && expires < 0x7fff_ffff_ffff_ffffn && Number(expires / 10_000n) - 11_644_473_600_000 <= Date.now();
			const isDisabled = (Number(textOf(record, "userAccountControl")) & 2) !== 0;
			const primary =
				textsOf(record, "proxyAddresses")
					.find((address) => address.startsWith("SMTP:"))
					?.slice(5) ?? textOf(record, "mail");
			const title = textOf(record, "title");
			const manager = anchors.get(dnKey(textOf(record, "manager") ?? "CN=nobody"));
			return {
				anchor: anchorOf(record),
				userName: textOf(record, "userPrincipalName"),
				displayName: textOf(record, "displayName") ?? textOf(record, "cn"),
				name: { givenName: textOf(record, "givenName"), familyName: textOf(record, "sn") },
				emails: [{ value: primary, type: "work", primary: true }],
				active: !isExpired && !isDisabled,
				...(title !== undefined && { title }),
				department: textOf(record, "department"),
				...(manager !== undefined && { manager }),
			};
		})
		.sort((a, b) => (a.anchor < b.anchor ? -1 : 1));
}

/** Numbers from 0 to below `below`, the same ones for the same seed (a linear congruential generator, Numerical Recipes' constants). */
export function makeRandom(seed: number): (below: number) => number {
	let state = seed >>> 0;
	return (below) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 0x1_0000_0000) * below);
	};
}
