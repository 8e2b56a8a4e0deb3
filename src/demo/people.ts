import { languages, latinize, type Name } from "./names.ts";
import { below, makeRandom, pick, scramble } from "./random.ts";

/** A made-up person, the same for the same seed and index, whatever is asked before. */
export interface Person {
	readonly index: number;
	readonly given: Name;
	readonly family: Name;
	/** How the directory lists them: "Anna Åberg", now and then "Åberg, Anna" or with a title. */
	readonly listed: string;
	readonly department: string;
	readonly title: string;
	readonly city: string;
	readonly telephone: string;
	readonly mobile: string | undefined;
	readonly employeeId: string;
	/** Index of the manager; undefined at the top. Never above one's own: no circles. */
	readonly manager: number | undefined;
	readonly standing: "enabled" | "disabled" | "expired" | "expiring";
	readonly hasAlias: boolean;
}

export const departments = [
	"Sales",
	"Treasury",
	"Legal",
	"Research & Development",
	"IT",
	"People",
	"Production, North",
	"Customer Care",
	"Purchasing",
	"Quality",
] as const;

const TITLES = ["Engineer", "Analyst", "Consultant", "Team Lead", "Director", "Assistant", "Specialist", "Architect", "Clerk", "Trainee"];
const CITIES = ["London", "Göteborg", "München", "Zürich", "Kraków", "Αθήνα", "東京", "São Paulo", "Malmö", "Besançon"];

/** Everybody reports to somebody whose index is about a tenth of their own. */
const SPAN = 9;

export function makePerson(seed: number, index: number): Person {
	const random = makeRandom(scramble(index + 1) ^ scramble(seed));
	const language = pick(languages, random);
	const given = pick(language.given, random);
	const family = pick(language.family, random);
	const chance = random();
	return {
		index,
		given,
		family,
		listed: listedAs(given, family, random),
		department: pick(departments, random),
		title: pick(TITLES, random),
		city: pick(CITIES, random),
		telephone: `+44 20 7946 ${String(below(10_000, random)).padStart(4, "0")}`,
		mobile: random() < 0.6 ? `+44 7700 90${String(below(10_000, random)).padStart(4, "0")}` : undefined,
		employeeId: String(100_000 + index),
		manager: index === 0 ? undefined : Math.floor((index - 1) / SPAN),
		standing: chance < 0.04 ? "disabled" : chance < 0.055 ? "expired" : chance < 0.08 ? "expiring" : "enabled",
		hasAlias: random() < 0.3,
	};
}

/** Most are listed plainly; some as people are in real directories, with what a DN must escape. */
function listedAs(given: Name, family: Name, random: () => number): string {
	const chance = below(100, random);
	if (chance < 4) return `${family.shown}, ${given.shown}`;
	if (chance === 4) return `${given.shown} "${given.shown.slice(0, 2)}" ${family.shown}`;
	if (chance === 5) return `${given.shown} ${family.shown} (ext.)`;
	if (chance === 6) return `${given.shown} + ${family.shown}`;
	if (chance === 7) return `#${given.shown} ${family.shown}`;
	if (chance === 8) return `${given.shown} ${family.shown} \\ Partner`;
	return `${given.shown} ${family.shown}`;
}

/** The local part of a mail address: "anna.aberg". */
export function mailName(given: Name, family: Name): string {
	const [first, last] = [given.latin === "" ? "x" : given.latin, family.latin === "" ? "x" : family.latin];
	return `${first}.${last}`;
}

/** A login name of at most 20 characters (sAMAccountName's limit), before what makes it unique: "aaberg". */
export function loginName(given: Name, family: Name): string {
	return `${given.latin.slice(0, 1)}${family.latin}`.slice(0, 12) || "user";
}

/** Someone's family name after a wedding: of the same language, and another one. */
export function weddingName(family: string, random: () => number): Name {
	const own = languages.find((language) => language.family.some(({ shown }) => shown === family)) ?? languages[0];
	const others = (own?.family ?? []).filter(({ shown }) => shown !== family);
	return others.length === 0 ? { shown: family, latin: latinize(family) } : pick(others, random);
}
