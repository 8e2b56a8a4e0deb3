import { dnKey, parentDn } from "../core/dn.ts";
import { Failure } from "../core/errors.ts";
import { textOf } from "../core/syntax.ts";
import { type Company, departmentDn, departmentGroupDn, enrol, freeName, leaversDn, takeName } from "./company.ts";
import type { DemoDirectory, Shown } from "./directory.ts";
import { departments, mailName, makePerson, weddingName } from "./people.ts";
import { below, pick } from "./random.ts";
import { dnsName } from "./values.ts";

/** The life of the demo company. */
export interface Life {
	/** Lets one thing happen, and says what. */
	step(): string;
	/** Lets something happen every `paceMs`, until the returned function is called. */
	start(paceMs: number, tell: (sentence: string) => void): () => void;
}

type Event = (company: Company, random: () => number) => string | undefined;

/** What happens, and how often among a hundred things. */
const EVENTS: readonly (readonly [number, Event])[] = [
	[14, hire],
	[10, marry],
	[18, promote],
	[16, changeDepartment],
	[10, goAway],
	[10, comeBack],
	[8, leave],
	[4, returnFromLeavers],
	[5, endContract],
	[5, remove],
];

const DAY_MS = 86_400_000;
const TOMBSTONES_KEPT = 500;
/** A contract in the demo ends soon, so that one can watch an account expire. */
const CONTRACT_MS = 60_000;

/** `population`: about so many people stay at work. */
export function makeLife(company: Company, population: number, random: () => number): Life {
	function step(): string {
		for (let round = 0; round < 20; round++) {
			const sentence = happen(company, population, random);
			if (sentence !== undefined) {
				company.directory.purgeTombstones(TOMBSTONES_KEPT);
				return sentence;
			}
		}
		return hire(company, random);
	}
	return {
		step,
		start(paceMs, tell) {
			const timer = setInterval(() => tell(stepOrReason(step)), paceMs);
			return () => clearInterval(timer);
		},
	};
}

/** Others may have deleted an OU or a group that life goes on in: it then waits for better days, and says so. */
function stepOrReason(step: () => string): string {
	try {
		return step();
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		return `nothing happened: ${error.message}`;
	}
}

function happen(company: Company, population: number, random: () => number): string | undefined {
	const size = company.atWork.length + company.away.length;
	if (size < population * 0.95) return hire(company, random);
	if (size > population * 1.05) return leave(company, random);
	let chance = below(100, random);
	for (const [share, event] of EVENTS) {
		if (chance < share) return event(company, random);
		chance -= share;
	}
	return undefined;
}

function hire(company: Company, _random: () => number): string {
	const { directory } = company;
	const person = { ...makePerson(company.seed, company.next++), standing: "enabled" as const };
	const shown = shownOf(directory, enrol(company, person));
	if (shown === undefined) return "nobody was hired";
	joinDepartment(directory, shown.guid, person.department);
	return `${nameOf(shown)} was hired into ${person.department}`;
}

/** A new family name, a new address, and the old one as an alias. The login name stays, as most companies do it. */
function marry(company: Company, random: () => number): string | undefined {
	const { directory, atWork } = company;
	const shown = anyOf(directory, atWork, random);
	if (shown === undefined) return undefined;
	const [given, family] = [firstOf(shown, "givenName"), firstOf(shown, "sn")];
	const now = weddingName(family, random);
	if (given === "" || now.shown === family) return undefined;
	// What stood before the dot in the old address is the given name in Latin letters.
	const latin = firstOf(shown, "mail").split(".")[0] ?? "";
	const mail = takeName(company, mailName({ shown: given, latin }, now));
	const address = `${mail}@${dnsName(directory.baseDn)}`;
	const before = valuesOf(shown, "proxyAddresses").map((value) => value.replace(/^SMTP:/, "smtp:"));
	const self = `<GUID=${shown.guid}>`;
	directory.modify(self, {
		sn: now.shown,
		displayName: `${given} ${now.shown}`,
		mail: address,
		proxyAddresses: [`SMTP:${address}`, ...before.filter((value) => value.toLowerCase() !== `smtp:${address}`)],
	});
	directory.rename(self, freeName(directory, `${given} ${now.shown}`, parentDn(shown.dn) ?? ""));
	return `${nameOf(shown)} married and is now ${given} ${now.shown}`;
}

function promote(company: Company, random: () => number): string | undefined {
	const shown = anyOf(company.directory, company.atWork, random);
	if (shown === undefined) return undefined;
	const before = firstOf(shown, "title");
	const title = before.startsWith("Senior ") ? before.replace("Senior ", "Head ") : `Senior ${before.replace(/^Head /, "")}`;
	company.directory.modify(`<GUID=${shown.guid}>`, { title });
	return `${nameOf(shown)} is now ${title}`;
}

function changeDepartment(company: Company, random: () => number): string | undefined {
	const { directory, atWork } = company;
	const shown = anyOf(directory, atWork, random);
	if (shown === undefined) return undefined;
	const before = firstOf(shown, "department");
	const department = pick(departments, random);
	if (department === before) return undefined;
	const self = `<GUID=${shown.guid}>`;
	leaveGroups(directory, shown);
	directory.modify(self, { department });
	moveTo(directory, shown, departmentDn(directory, department));
	joinDepartment(directory, shown.guid, department);
	return `${nameOf(shown)} moved from ${before} to ${department}`;
}

function goAway(company: Company, random: () => number): string | undefined {
	const shown = anyOf(company.directory, company.atWork, random);
	if (shown === undefined) return undefined;
	company.directory.disable(`<GUID=${shown.guid}>`);
	shift(shown.guid, company.atWork, company.away);
	return `${nameOf(shown)} is on leave: the account was disabled`;
}

function comeBack(company: Company, random: () => number): string | undefined {
	const shown = anyOf(company.directory, company.away, random);
	if (shown === undefined) return undefined;
	company.directory.enable(`<GUID=${shown.guid}>`);
	shift(shown.guid, company.away, company.atWork);
	return `${nameOf(shown)} is back: the account was enabled`;
}

function leave(company: Company, random: () => number): string | undefined {
	const { directory, atWork, leavers } = company;
	const shown = anyOf(directory, atWork, random);
	if (shown === undefined) return undefined;
	leaveGroups(directory, shown);
	directory.disable(`<GUID=${shown.guid}>`);
	moveTo(directory, shown, leaversDn(directory));
	shift(shown.guid, atWork, leavers);
	return `${nameOf(shown)} left the company: moved to OU=Leavers`;
}

function returnFromLeavers(company: Company, random: () => number): string | undefined {
	const { directory, atWork, leavers } = company;
	const shown = anyOf(directory, leavers, random);
	if (shown === undefined) return undefined;
	const department = firstOf(shown, "department");
	const self = `<GUID=${shown.guid}>`;
	moveTo(directory, shown, departmentDn(directory, department));
	directory.enable(self);
	directory.expire(self, undefined);
	joinDepartment(directory, shown.guid, department);
	shift(shown.guid, leavers, atWork);
	return `${nameOf(shown)} works in ${department} again`;
}

/** The account ends by itself a little later: nothing changes in the directory then. */
function endContract(company: Company, random: () => number): string | undefined {
	const { directory, clock } = company;
	const shown = anyOf(directory, company.atWork, random);
	if (shown === undefined) return undefined;
	const isShort = random() < 0.7;
	const at = clock() + (isShort ? CONTRACT_MS : 30 * DAY_MS);
	directory.expire(`<GUID=${shown.guid}>`, at);
	if (isShort) shift(shown.guid, company.atWork, company.leavers);
	return `${nameOf(shown)} has a contract until ${new Date(at).toISOString().slice(0, 19)}Z: the account expires then`;
}

function remove(company: Company, random: () => number): string | undefined {
	const { directory, leavers, taken } = company;
	const shown = anyOf(directory, leavers, random);
	if (shown === undefined) return undefined;
	directory.delete(`<GUID=${shown.guid}>`);
	leavers.splice(leavers.indexOf(shown.guid), 1);
	// The names are free again: one day somebody else gets them, as in every real company.
	taken.delete(firstOf(shown, "sAMAccountName"));
	for (const address of valuesOf(shown, "proxyAddresses")) taken.delete(address.replace(/^smtp:/i, "").split("@")[0] ?? "");
	return `${nameOf(shown)} was deleted from the directory`;
}

/** Somebody of a list who is still there: others may have written to the directory too. */
function anyOf(directory: DemoDirectory, guids: string[], random: () => number): Shown | undefined {
	while (guids.length > 0) {
		const at = below(guids.length, random);
		const shown = shownOf(directory, guids[at] as string);
		if (shown !== undefined && !shown.isDeleted) return shown;
		guids.splice(at, 1);
	}
	return undefined;
}

function shownOf(directory: DemoDirectory, guid: string): Shown | undefined {
	return directory.get(`<GUID=${guid}>`);
}

function moveTo(directory: DemoDirectory, shown: Shown, parent: string): void {
	if (dnKey(parentDn(shown.dn) ?? "") === dnKey(parent)) return;
	const self = `<GUID=${shown.guid}>`;
	const name = firstOf(shown, "name");
	// Somebody of the same name may be there, and the new name may be taken here: the number makes both unlikely, the check certain.
	const free = freeName(directory, name, parent);
	if (free !== name) directory.rename(self, freeName(directory, `${name} ${firstOf(shown, "employeeID")}`, parentDn(shown.dn) ?? ""));
	directory.move(self, parent);
}

function joinDepartment(directory: DemoDirectory, guid: string, department: string): void {
	const shown = shownOf(directory, guid);
	const group = departmentGroupDn(directory, department);
	if (shown !== undefined && !valuesOf(shown, "memberOf").includes(group)) directory.addValues(group, "member", [shown.dn]);
}

function leaveGroups(directory: DemoDirectory, shown: Shown): void {
	for (const group of valuesOf(shown, "memberOf")) directory.removeValues(group, "member", [shown.dn]);
}

function shift(guid: string, from: string[], to: string[]): void {
	const at = from.indexOf(guid);
	if (at >= 0) from.splice(at, 1);
	to.push(guid);
}

function valuesOf(shown: Shown, attribute: string): string[] {
	return (shown.attributes.get(attribute) ?? []).map(textOf);
}

function firstOf(shown: Shown, attribute: string): string {
	return valuesOf(shown, attribute)[0] ?? "";
}

function nameOf(shown: Shown): string {
	return firstOf(shown, "displayName");
}
