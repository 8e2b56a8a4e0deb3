import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { openEngine } from "../../src/app/engine.ts";
import { loadConfig } from "../../src/config/load.ts";
import { dnKey, parentDn } from "../../src/core/dn.ts";
import { openViews } from "../../src/store/open-views.ts";
import type { AccountView } from "../../src/store/views.ts";
import type { RunReport } from "../../src/sync/report.ts";
import { type Record as LdifRecord, textOf, textsOf } from "../support/ldif.ts";
import type { OpenLdap } from "../support/openldap.ts";
import { ldapWriter } from "./ldap-directory.ts";
import { makeRandom } from "./model.ts";

/** shadowExpire of a day long past, and of one far ahead. */
const EXPIRED = "18262";
const EXPIRES_LATE = "40000";

/**
 * The whole engine on a directory that lives: after some random changes each, the accounts that delta by delta have come to are
 * compared with what an independent reader computes, and now and then with those of a fresh database. By syncrepl a delta brings
 * everything, deletions too; by timestamp those come with a full reading.
 */
export function ldapModelContract(server: () => OpenLdap, strategy: "syncrepl" | "timestamp", changes: number): void {
	it(`follows ${changes} random changes by ${strategy} to the accounts that a fresh database and an independent reader come to`, async () => {
		const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-model-"));
		const root = `ou=Model ${strategy},${server().baseDn}`;
		const base = `ou=Staff,${root}`;
		const inside = [base, `ou=Sales,${base}`, `ou=North,ou=Sales,${base}`];
		const groups = `ou=Groups,${root}`;
		const places: Places = { base, inside, outside: `ou=Leavers,${root}`, groups, moved: 0 };
		const seed = Number(process.env["DIRSYNCD_TEST_SEED"] ?? 20_261_127);
		const random = makeRandom(seed);
		const kept = openAccounts(server(), base, groups, strategy, path.join(folder, "kept"));
		const { add, person } = ldapWriter(server());
		try {
			const units = [root, ...places.inside, places.outside, groups];
			await add(...units.map((dn): [string, Record<string, string>] => [dn, { objectClass: "organizationalUnit" }]));
			await add(...Array.from({ length: 25 }, (_, number) => person(`Start ${number}`, base, { uid: `start${number}`, ...shadow })));
			// One stays whatever happens: a scope that is suddenly empty is another matter.
			await add(person("Stays", base, shadow));
			for (const number of [1, 2, 3]) await addGroup(server(), groups, number, `cn=Stays,${base}`);
			await kept.sync("full");
			for (let change = 1; change <= changes; change++) {
				const what = await changeSomething(server(), root, places, random, change);
				const at = `seed ${seed}, change ${change}: ${what}`;
				if (random(3) === 0) {
					const report = await kept.sync("delta");
					expect(report, at).toMatchObject({ unsealed: [], outcome: "succeeded", mode: "delta" });
					if (strategy === "syncrepl") {
						expect(active(kept.accounts()), at).toEqual(active(await expected(server(), base)));
						expect(kept.groups(), at).toEqual(await expectedGroups(server(), root, places));
					}
				}
				if (change % 25 !== 0) continue;
				if (strategy === "timestamp") {
					expect(await kept.sync("full"), at).toMatchObject({ unsealed: [], heldKinds: [], outcome: "succeeded", sealed: true });
				} else expect(await kept.sync("delta"), at).toMatchObject({ outcome: "succeeded" });
				const fresh = openAccounts(server(), base, groups, strategy, path.join(folder, `fresh${change}`));
				await fresh.sync("full");
				const wanted = fresh.accounts();
				const wantedGroups = fresh.groups();
				fresh.close();
				expect(wantedGroups, at).toEqual(await expectedGroups(server(), root, places));
				expect(kept.groups(), at).toEqual(wantedGroups);
				expect(comparable(wanted), at).toEqual(await expected(server(), base));
				const have = kept.accounts();
				const gone = have.filter(({ anchor }) => !wanted.some((account) => account.anchor === anchor));
				expect(comparable(have.filter((account) => !gone.includes(account))), at).toEqual(comparable(wanted));
				expect(
					gone.filter(({ account }) => account.active),
					at,
				).toEqual([]);
			}
		} finally {
			kept.close();
			rmSync(folder, { recursive: true, force: true });
		}
	}, 600_000);
}

const shadow = { objectClass: ["inetOrgPerson", "shadowAccount"] };

interface Places {
	readonly base: string;
	readonly groups: string;
	inside: string[];
	readonly outside: string;
	moved: number;
}

async function changeSomething(
	server: OpenLdap,
	root: string,
	places: Places,
	random: (below: number) => number,
	number: number,
): Promise<string> {
	const { add, modify, move, person } = ldapWriter(server);
	const users = await server.search(root, "(&(objectClass=inetOrgPerson)(!(uid=stays)))", ["uid"]);
	const dn = users[random(users.length)]?.dn as string;
	const boss = users[random(users.length)]?.dn as string;
	const ou = places.inside[random(places.inside.length)] as string;
	const parent = parentDn(dn) as string;
	const rdn = dn.slice(0, dn.length - parent.length - 1);
	switch (random(17)) {
		case 0: {
			const hired = person(`Hired ${number}`, ou, { uid: `hired${number}`, manager: boss, ...shadow });
			await add(hired);
			return `hiring ${hired[0]}`;
		}
		case 1: {
			const name = ["Renamed\\, Jr.", "Zoë Ünïcode", "O'Brien \\+ Co"][number % 3];
			await move(dn, `cn=${name} ${number},${parent}`);
			return `renaming ${dn}`;
		}
		case 2:
		case 3: {
			const to = random(2) ? places.outside : ou;
			if (dnKey(to) !== dnKey(parent)) await move(dn, `${rdn},${to}`);
			return `moving ${dn} to ${to}`;
		}
		case 4:
			await modify(dn, { pwdAccountLockedTime: "000001010000Z" });
			return `locking ${dn}`;
		case 5:
			await modify(dn, { pwdAccountLockedTime: [] });
			return `unlocking ${dn}`;
		case 6:
			if (users.length > 12) await server.remove(dn);
			return `deleting ${dn}`;
		case 7:
			await modify(dn, { shadowExpire: [EXPIRED, EXPIRES_LATE, "-1"][random(3)] as string });
			return `setting the expiry of ${dn}`;
		case 8:
			await modify(dn, { departmentNumber: `Department ${number}`, title: random(2) ? `Title ${number}` : [] });
			return `changing attributes of ${dn}`;
		case 9:
			await modify(dn, { manager: random(3) ? boss : [] });
			return `giving ${dn} the manager ${boss}`;
		case 10:
		case 11:
		case 12:
			return changeMembers(server, root, random, dn);
		case 13:
			await addGroup(server, places.groups, number + 100, dn);
			return `making group ${number + 100}`;
		case 14: {
			const all = await groupsBeneath(server, root);
			const group = all[random(all.length)]?.dn;
			if (group !== undefined && all.length > 4) await server.remove(group);
			return `deleting ${group}`;
		}
		case 15: {
			const all = await groupsBeneath(server, root);
			const group = all[random(all.length)]?.dn as string;
			await move(group, `cn=Group ${number + 1000},${random(2) ? places.groups : places.outside}`);
			return `moving or renaming ${group}`;
		}
		default: {
			// An OU goes from place to place with all beneath it: nothing of theirs tells.
			const old = places.inside[1] as string;
			const now = ++places.moved % 3 === 0 ? `ou=Sales ${number},${places.outside}` : `ou=Sales ${number},${places.base}`;
			await move(old, now);
			places.inside = places.inside.map((place) => place.replace(old, now));
			return `moving ${old} to ${now}`;
		}
	}
}

/** A third each: members by DN, by DN with a reason not to be empty, and by uid and primary group. */
async function addGroup(server: OpenLdap, ou: string, number: number, member: string): Promise<void> {
	const kinds = [
		{ objectClass: "groupOfMembers", member },
		{ objectClass: "groupOfUniqueNames", uniqueMember: [member, "cn=Nobody"] },
		{ objectClass: "posixGroup", gidNumber: String(6000 + number), memberUid: "stays" },
	];
	await ldapWriter(server).add([`cn=Group ${number},${ou}`, kinds[number % 3] as Record<string, string>]);
}

const groupClasses = "(|(objectClass=groupOfMembers)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))";

function groupsBeneath(server: OpenLdap, root: string): Promise<readonly LdifRecord[]> {
	return server.search(root, groupClasses, ["entryUUID", "cn", "member", "uniqueMember", "memberUid", "gidNumber", "objectClass"]);
}

async function changeMembers(server: OpenLdap, root: string, random: (below: number) => number, person: string): Promise<string> {
	const all = await groupsBeneath(server, root);
	const group = all[random(all.length)] as LdifRecord;
	const other = all[random(all.length)]?.dn as string;
	const { modify } = ldapWriter(server);
	if (textOf(group, "gidNumber") !== undefined) {
		const [found] = await server.search(person, "(objectClass=*)", ["uid"]);
		const uids = new Set(textsOf(group, "memberUid"));
		const uid = textOf(found as LdifRecord, "uid") as string;
		if (!uids.delete(uid)) uids.add(uid);
		await modify(group.dn, { memberUid: [...uids] });
		return `changing the uids of ${group.dn}`;
	}
	const attribute = group.attributes.has("member") || textOf(group, "objectClass") === "groupOfMembers" ? "member" : "uniqueMember";
	const members = new Map(textsOf(group, attribute).map((dn) => [dnKey(dn), dn]));
	for (const one of [person, ...(random(2) ? [other] : [])]) if (!members.delete(dnKey(one))) members.set(dnKey(one), one);
	if (attribute === "uniqueMember") members.set("cn=nobody,", "cn=Nobody");
	await modify(group.dn, { [attribute]: [...members.values()] });
	return `changing the members of ${group.dn}`;
}

/** By walking down again and again: whoever of the people in scope is beneath a group in scope, through whatever groups. */
async function expectedGroups(server: OpenLdap, root: string, { base, groups }: Places): Promise<Record<string, string[]>> {
	const people = await server.search(base, "(objectClass=inetOrgPerson)", ["entryUUID", "uid"]);
	const byUid = new Map(people.map((record) => [textOf(record, "uid")?.toLowerCase(), dnKey(record.dn)]));
	const anchors = new Map(people.map((record) => [dnKey(record.dn), textOf(record, "entryUUID") as string]));
	const all = new Map((await groupsBeneath(server, root)).map((record) => [dnKey(record.dn), record]));
	const found: Record<string, string[]> = {};
	for (const [key, group] of all) {
		if (!key.startsWith(dnKey(groups))) continue;
		const seen = new Set([key]);
		for (const one of seen) {
			const record = all.get(one);
			if (record === undefined) continue;
			for (const name of ["member", "uniqueMember"]) for (const dn of textsOf(record, name)) seen.add(dnKey(dn));
			for (const uid of textsOf(record, "memberUid")) seen.add(byUid.get(uid.toLowerCase()) ?? "");
		}
		found[textOf(group, "cn") as string] = [...seen].flatMap((one) => anchors.get(one) ?? []).sort();
	}
	return found;
}

function openAccounts({ url, reader }: OpenLdap, base: string, groups: string, changes: string, folder: string) {
	const file = `${folder}.yaml`;
	const source = {
		name: "corp",
		type: "ldap",
		preset: "openldap",
		urls: [url],
		insecure: true,
		bind: reader,
		base,
		groups: { base: groups },
		changes,
	};
	const wide = { count: 9999, percent: 100 };
	// JSON is YAML. Limits so wide that nothing is held: this is not about the gate.
	writeFileSync(
		file,
		JSON.stringify({
			database: `${folder}.db`,
			sources: [source],
			limits: { disable: wide, update: { percent: 100 }, groups: wide, members: wide },
		}),
	);
	const { config } = loadConfig(file, process.env);
	const engine = openEngine(config, { check: "small", clock: Date.now, random: Math.random });
	const look = <T>(at: (views: ReturnType<typeof openViews>) => T): T => {
		const views = openViews(config.database);
		try {
			return at(views);
		} finally {
			views.close();
		}
	};
	const silent = { progress: () => {}, ldap: () => {}, certificate: () => {} };
	return {
		sync: (mode: "full" | "delta"): Promise<RunReport> =>
			engine.sync({ source: "corp", mode, trigger: "command" }, silent, new AbortController().signal),
		accounts: (): AccountView[] => look((views) => [...views.accounts()]),
		/** Each group's members, by anchor; those of whom we keep an account. */
		groups: (): Record<string, string[]> =>
			look((views) =>
				Object.fromEntries(
					[...views.groups()].map((group) => [group.group.displayName, [...views.members(group)].map(({ anchor }) => anchor).sort()]),
				),
			),
		close: () => void engine.close(),
	};
}

type Comparable = Readonly<{ [field: string]: unknown }>;

function comparable(views: readonly AccountView[]): Comparable[] {
	return views.map(({ anchor, account }) => ({ anchor, ...account })).sort((a, b) => (a.anchor < b.anchor ? -1 : 1));
}

/** Those who may sign in: an account that has ended keeps what it was. */
function active(accounts: readonly (AccountView | Comparable)[]): Comparable[] {
	const all = accounts.map((one) => ("account" in one ? { anchor: one.anchor, ...(one as AccountView).account } : (one as Comparable)));
	return all.filter((one) => one["active"] === true).sort((a, b) => (String(a["anchor"]) < String(b["anchor"]) ? -1 : 1));
}

/** The default mapping of type ldap, written once more from the directory's own words. */
async function expected(server: OpenLdap, base: string): Promise<Comparable[]> {
	const names = ["entryUUID", "uid", "displayName", "cn", "givenName", "sn", "mail", "title", "departmentNumber", "manager"];
	const records = await server.search(base, "(objectClass=inetOrgPerson)", [...names, "pwdAccountLockedTime", "shadowExpire"]);
	const anchors = new Map(records.map((record) => [dnKey(record.dn), textOf(record, "entryUUID")]));
	return records
		.map((record) => {
			const days = Number(textOf(record, "shadowExpire") ?? -1);
			const isExpired = days >= 0 && days * 86_400_000 <= Date.now();
			const title = textOf(record, "title");
			const department = textOf(record, "departmentNumber");
			const manager = anchors.get(dnKey(textOf(record, "manager") ?? "cn=nobody"));
			return {
				anchor: textOf(record, "entryUUID"),
				userName: textOf(record, "uid"),
				displayName: textOf(record, "displayName") ?? textOf(record, "cn"),
				name: { givenName: textOf(record, "givenName"), familyName: textOf(record, "sn") },
				emails: [{ value: textOf(record, "mail"), type: "work", primary: true }],
				active: !isExpired && textOf(record, "pwdAccountLockedTime") !== "000001010000Z",
				...(title !== undefined && { title }),
				...(department !== undefined && { department }),
				...(manager !== undefined && { manager }),
			};
		})
		.sort((a, b) => ((a.anchor ?? "") < (b.anchor ?? "") ? -1 : 1));
}
