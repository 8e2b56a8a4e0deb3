import type { DemoDirectory, Given } from "./directory.ts";
import { escapeName, joinDn } from "./name.ts";
import { departments, loginName, mailName, makePerson, type Person } from "./people.ts";
import { contactAttributes, type Listing, userAttributes } from "./personnel.ts";
import { dnsName } from "./values.ts";

/** The made-up company in a directory: where its people are, and which names are taken. */
export interface Company {
	readonly directory: DemoDirectory;
	readonly seed: number;
	readonly clock: () => number;
	/** GUIDs of people at work, away (disabled), and gone to OU=Leavers. */
	readonly atWork: string[];
	readonly away: string[];
	readonly leavers: string[];
	/** Login names and local parts of mail addresses that somebody has or had. */
	readonly taken: Set<string>;
	/** Index of the next person that will be made up. */
	next: number;
}

const NAME = "Nordwind & Daughters";

export function departmentDn(directory: DemoDirectory, department: string): string {
	return `OU=${escapeName(department)},OU=People,${directory.baseDn}`;
}

export function leaversDn(directory: DemoDirectory): string {
	return `OU=Leavers,${directory.baseDn}`;
}

export function departmentGroupDn(directory: DemoDirectory, department: string): string {
	return `CN=${escapeName(`All ${department}`)},OU=Groups,${directory.baseDn}`;
}

/** The containers that people live in; also those of a vast company. */
export function buildHomes(directory: DemoDirectory): void {
	const { baseDn } = directory;
	for (const name of ["People", "Groups", "Leavers", "Partners", "Service Accounts", "Workstations"]) {
		directory.add(`OU=${name},${baseDn}`, { objectClass: "organizationalUnit" });
	}
	for (const department of departments) directory.add(departmentDn(directory, department), { objectClass: "organizationalUnit" });
}

/** A company of `people` user accounts, with partners (contacts), workstations, service accounts and nested groups. */
export function buildCompany(directory: DemoDirectory, people: number, seed: number, clock: () => number): Company {
	const company: Company = { directory, seed, clock, atWork: [], away: [], leavers: [], taken: new Set(), next: 0 };
	buildHomes(directory);
	buildGroups(directory);
	for (let index = 0; index < people; index++) enrol(company, makePerson(seed, index));
	company.next = people;
	joinGroups(company);
	for (let index = 0; index < people / 20; index++) addPartner(company, makePerson(seed + 1, index));
	for (let index = 0; index < people / 10; index++) addWorkstation(directory, index);
	addServiceAccounts(directory);
	return company;
}

function buildGroups(directory: DemoDirectory): void {
	const add = (name: string, more: Record<string, Given> = {}): string =>
		directory.add(`CN=${escapeName(name)},OU=Groups,${directory.baseDn}`, {
			objectClass: "group",
			sAMAccountName: name.replace(/[^\w -]/g, ""),
			...more,
		}).dn;
	const teams = departments.map((department) => add(`All ${department}`));
	add("Everyone", { member: teams, mail: `everyone@${dnsName(directory.baseDn)}`, groupType: 2 });
	const archive = add("Archive Users", { member: teams.slice(1, 3) });
	const vpn = add("VPN Users", { member: [archive] });
	// Two groups in each other, as real directories have them.
	directory.addValues(archive, "member", [vpn]);
}

/** Puts a person into their department, under names that nobody else has. Returns the GUID. */
export function enrol(company: Company, person: Person): string {
	const { directory, clock } = company;
	const home = departmentDn(directory, person.department);
	const dn = freeDn(directory, person.listed, home);
	const listing: Listing = {
		sam: takeName(company, loginName(person.given, person.family)),
		mail: takeName(company, mailName(person.given, person.family)),
		domain: dnsName(directory.baseDn),
		company: NAME,
		now: clock(),
	};
	const boss = person.manager === undefined ? undefined : company.atWork[person.manager % Math.max(1, company.atWork.length)];
	const { guid } = directory.add(dn, {
		objectClass: "user",
		...Object.fromEntries(userAttributes(person, listing)),
		manager: boss === undefined ? undefined : directory.get(`<GUID=${boss}>`)?.dn,
	});
	(person.standing === "disabled" ? company.away : company.atWork).push(guid);
	return guid;
}

function joinGroups({ directory, atWork, away }: Company): void {
	const members = new Map<string, string[]>();
	for (const guid of [...atWork, ...away]) {
		const shown = directory.get(`<GUID=${guid}>`);
		const department = String(shown?.attributes.get("department")?.[0]);
		if (shown !== undefined) members.set(department, [...(members.get(department) ?? []), shown.dn]);
	}
	for (const [department, dns] of members) directory.addValues(departmentGroupDn(directory, department), "member", dns);
}

function addPartner(company: Company, person: Person): void {
	const { directory, clock } = company;
	const home = `OU=Partners,${directory.baseDn}`;
	const mail = takeName(company, mailName(person.given, person.family));
	const listing: Listing = { sam: "", mail, domain: dnsName(directory.baseDn), company: "Partner", now: clock() };
	directory.add(freeDn(directory, person.listed, home), {
		objectClass: "contact",
		...Object.fromEntries(contactAttributes(person, listing)),
	});
}

function addWorkstation(directory: DemoDirectory, index: number): void {
	const name = `WS-${String(index + 1).padStart(5, "0")}`;
	directory.add(`CN=${name},OU=Workstations,${directory.baseDn}`, {
		objectClass: "computer",
		sAMAccountName: `${name}$`,
		dNSHostName: `${name.toLowerCase()}.${dnsName(directory.baseDn)}`,
		operatingSystem: "Windows 11 Enterprise",
	});
}

/** Accounts that are no people, and must never be taken for some: a service's, a managed one, a trust. */
function addServiceAccounts(directory: DemoDirectory): void {
	const { baseDn } = directory;
	const home = `OU=Service Accounts,${baseDn}`;
	directory.add(`CN=svc-backup,${home}`, { objectClass: "user", sAMAccountName: "svc-backup", description: "Nightly backup" });
	directory.add(`CN=gmsa-web,${home}`, { objectClass: "msDS-GroupManagedServiceAccount", sAMAccountName: "gmsa-web$" });
	directory.add(`CN=PARTNER$,CN=Users,${baseDn}`, { objectClass: "user", sAMAccountName: "PARTNER$", userAccountControl: 0x0820 });
}

/** A name that is free under a container: "Anna Åberg", else "Anna Åberg 2". */
export function freeName(directory: DemoDirectory, wanted: string, parent: string): string {
	for (let round = 1; ; round++) {
		const name = round === 1 ? wanted : `${wanted} ${round}`;
		if (directory.get(joinDn({ type: "CN", value: name }, parent)) === undefined) return name;
	}
}

function freeDn(directory: DemoDirectory, wanted: string, parent: string): string {
	return joinDn({ type: "CN", value: freeName(directory, wanted, parent) }, parent);
}

/** A login or mail name that nobody has: "aaberg", else "aaberg2". */
export function takeName({ taken }: Company, wanted: string): string {
	for (let round = 1; ; round++) {
		const name = round === 1 ? wanted : `${wanted}${round}`;
		if (taken.has(name)) continue;
		taken.add(name);
		return name;
	}
}
