import type { Account } from "./account.ts";

/** What features and policies are told by. */
export type EntitlementKind = "feature" | "policy";

/** What an account has of them: these two fields of it. */
export type Entitlements = Pick<Account, "features" | "policies">;

/** One feature or policy that begins, ends or changes, as the change log says it. */
export type EntitlementPhrase =
	| { readonly kind: "feature"; readonly name: string; readonly is: "on" | "off"; readonly through: string }
	| {
			readonly kind: "policy";
			readonly name: string;
			/** Undefined: it had no value before, or has none after. Never both. */
			readonly before: string | undefined;
			readonly after: string | undefined;
			readonly through: string;
	  };

/**
 * Why an account has other features and policies than before, in one line: the empty text when it has the same. `throughOf` says of
 * each what gives it, or why nothing does any more; it may be any text. `entitlementPhrases` is the inverse:
 *
 *   feature NAME on: THROUGH
 *   feature NAME off: WHY
 *   policy NAME set to "VALUE": THROUGH
 *   policy NAME from "OLD" to "NEW": THROUGH
 *   policy NAME cleared, was "OLD": WHY
 *
 * joined by "; ". Values are JSON; so is a name that is not one plain word, and a THROUGH in which the end could be mistaken.
 */
export function wordsOfEntitlements(
	before: Entitlements,
	after: Entitlements,
	throughOf: (kind: EntitlementKind, name: string) => string,
): string {
	return changedEntitlements(before, after, throughOf).map(spell).join("; ");
}

/** The phrases in a reason, in their order. What is no such phrase, like the start of a create's reason, is passed over. */
export function entitlementPhrases(why: string): readonly EntitlementPhrase[] {
	const phrases: EntitlementPhrase[] = [];
	let at = 0;
	while (at < why.length) {
		const read = readPhrase(why, at);
		if (read !== undefined) phrases.push(read.phrase);
		at = (read?.end ?? endOf(why, at)) + SEPARATOR.length;
	}
	return phrases;
}

/** Features first, names in order: equal changes are equal text. */
function changedEntitlements(
	before: Entitlements,
	after: Entitlements,
	throughOf: (kind: EntitlementKind, name: string) => string,
): readonly EntitlementPhrase[] {
	const [hadFeatures, hasFeatures] = [new Set(before.features), new Set(after.features)];
	const [hadPolicies, hasPolicies] = [new Map(Object.entries(before.policies ?? {})), new Map(Object.entries(after.policies ?? {}))];
	const features = sorted([...hadFeatures, ...hasFeatures]).filter((name) => hadFeatures.has(name) !== hasFeatures.has(name));
	const policies = sorted([...hadPolicies.keys(), ...hasPolicies.keys()]).filter((name) => hadPolicies.get(name) !== hasPolicies.get(name));
	return [
		...features.map((name) => {
			const is = hasFeatures.has(name) ? ("on" as const) : ("off" as const);
			return { kind: "feature" as const, name, is, through: throughOf("feature", name) };
		}),
		...policies.map((name) => {
			const sides = { before: hadPolicies.get(name), after: hasPolicies.get(name) };
			return { kind: "policy" as const, name, ...sides, through: throughOf("policy", name) };
		}),
	];
}

function sorted(names: readonly string[]): readonly string[] {
	return [...new Set(names)].sort();
}

const SEPARATOR = "; ";
const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
const PLAIN = String.raw`[^\s";:,]+`;
const PHRASE = new RegExp(
	`(?:feature (${STRING}|${PLAIN}) (on|off)|policy (${STRING}|${PLAIN}) (?:set to (${STRING})|from (${STRING}) to (${STRING})|cleared, was (${STRING}))): `,
	"y",
);
const QUOTED = new RegExp(STRING, "y");
const PLAIN_NAME = new RegExp(`^${PLAIN}$`);

function spell(phrase: EntitlementPhrase): string {
	const { kind, name, through } = phrase;
	const plainName = PLAIN_NAME.test(name) ? name : JSON.stringify(name);
	const isPlain = !through.startsWith('"') && !through.includes(SEPARATOR);
	return `${kind} ${plainName} ${whatBecame(phrase)}: ${isPlain ? through : JSON.stringify(through)}`;
}

function whatBecame(phrase: EntitlementPhrase): string {
	if (phrase.kind === "feature") return phrase.is;
	const { before, after } = phrase;
	if (before === undefined) return `set to ${JSON.stringify(after)}`;
	return after === undefined ? `cleared, was ${JSON.stringify(before)}` : `from ${JSON.stringify(before)} to ${JSON.stringify(after)}`;
}

function readPhrase(why: string, at: number): { readonly phrase: EntitlementPhrase; readonly end: number } | undefined {
	PHRASE.lastIndex = at;
	const head = PHRASE.exec(why);
	if (head === null) return undefined;
	const { text: through, end } = readThrough(why, PHRASE.lastIndex);
	const [, feature, is, policy, set, from, to, cleared] = head;
	if (feature !== undefined) return { phrase: { kind: "feature", name: read(feature), is: is as "on" | "off", through }, end };
	const [before, after] = [from ?? cleared, set ?? to].map((value) => (value === undefined ? undefined : read(value)));
	return { phrase: { kind: "policy", name: read(policy as string), before, after, through }, end };
}

function readThrough(why: string, at: number): { readonly text: string; readonly end: number } {
	QUOTED.lastIndex = at;
	const quoted = QUOTED.exec(why);
	if (quoted !== null && endOf(why, QUOTED.lastIndex) === QUOTED.lastIndex) return { text: read(quoted[0]), end: QUOTED.lastIndex };
	const end = endOf(why, at);
	return { text: why.slice(at, end), end };
}

/** Where a phrase ends that has no quotes around its end. */
function endOf(why: string, at: number): number {
	const end = why.indexOf(SEPARATOR, at);
	return end < 0 ? why.length : end;
}

/** A word as it stands, or what is in its quotes. What only looks like JSON is taken as it stands. */
function read(word: string): string {
	if (!word.startsWith('"')) return word;
	try {
		return JSON.parse(word) as string;
	} catch {
		return word; // Not written here: an invalid escape.
	}
}
