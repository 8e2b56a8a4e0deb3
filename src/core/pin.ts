import type { Account, Entitlements } from "./account.ts";
import type { Cause } from "./change.ts";
import { wordsOfEntitlements } from "./entitlement-words.ts";
import type { MappedAccount } from "./mapping.ts";
import type { Entitled, Situation } from "./plan.ts";
import { withEntitlements, withState } from "./plan.ts";

/** Fields of an account that a mapping fills, each with all its values. */
export const pinnedFields = [
	...(["userName", "displayName", "name", "emails", "title", "department", "phoneNumbers", "manager", "employeeNumber"] as const),
] as const;
export type PinnedField = (typeof pinnedFields)[number];

/** What is kept of one account: a field, whether it has a feature, the value of a policy, or its state. */
export type PinnedPart = PinnedField | `feature ${string}` | `policy ${string}` | "state";

/** The state that an account is kept in. */
export type KeptState = "active" | "disabled" | "none";

export function isPinnedField(part: PinnedPart): part is PinnedField {
	return (pinnedFields as readonly string[]).includes(part);
}

/** What a person decided to have of an account, whatever the directory says now. Values are JSON, "null" where there is none. */
export interface Keep {
	readonly part: PinnedPart;
	readonly kept: string;
	/** Of a state, where the account is to be made again and its entry is gone: what it was. */
	readonly body: Account | undefined;
}

/** The same while the directory goes on to say what it said then. Once it says something else, that counts, and the pin is gone. */
export interface Pin extends Keep {
	/** What the directory said. Of a state: the causes for which it ends the account, joined by blanks. */
	readonly ignored: string;
	/** The run that was taken back. */
	readonly run: number;
}

/** A pin as it is shown: what is kept of an account since a run was taken back. */
export interface PinRecord {
	/** "state", a field's name, "feature NAME" or "policy NAME". */
	readonly part: string;
	/** JSON: of a state "active", "disabled" or "none". */
	readonly kept: string;
	/** The run that was taken back, by whom, and when (Unix milliseconds). */
	readonly run: number;
	readonly by: string;
	readonly at: number;
}

/** What the directory says of a part of an account; undefined: it cannot be told. */
export function saidOf(part: PinnedPart, { presence, mapped, entitled, at }: Situation): string | undefined {
	if (part === "state") return causesOf(presence, at)?.join(" ");
	if (isPinnedField(part)) return mapped?.kind === "account" ? textOf(mapped.account[part]) : undefined;
	if (entitled === undefined || entitled.untold.some(({ rule }) => part === `${rule.kind} ${rule.name}`)) return undefined;
	return entitlementText(part, entitled.entitlements);
}

/** Whether a pin stands, in view of what the directory says now. What cannot be told says nothing new. */
export function isStanding({ part, ignored }: Pin, said: string | undefined): boolean {
	if (said === undefined || said === ignored) return true;
	if (part !== "state") return false;
	// Of two causes one may go; another one is news.
	const known = new Set(ignored.split(" "));
	return said.split(" ").every((cause) => known.has(cause));
}

/** Fields with those that are kept in their place, as far as the directory says of them what it said then. */
export function withPinnedFields(mapped: MappedAccount, pins: readonly Pin[]): MappedAccount {
	const kept = pins.filter(({ part, ignored }) => isPinnedField(part) && textOf(mapped[part]) === ignored);
	return kept.length === 0 ? mapped : withKept({ ...mapped, active: true }, kept);
}

/** Features and policies with those that are kept in their place, and the words for it. */
export function withPinnedEntitlements(entitled: Entitled, pins: readonly Pin[]): Entitled {
	const kept = pins.filter(({ part }) => part !== "state" && !isPinnedField(part));
	if (kept.length === 0) return entitled;
	const of = (account: Entitlements, from: readonly Keep[]): Entitlements => entitlementsOf(withKept({ ...blank, ...account }, from));
	const entitlements = of(entitled.entitlements, kept);
	// Whatever is kept is left to the words of the pins.
	const runOf = new Map<string, number>(kept.map(({ part, run }) => [part, run]));
	const unsaid = kept.map(({ part, body }) => ({ part, kept: entitlementText(part, entitled.entitlements), body }));
	return {
		...entitled,
		entitlements,
		words: (before) => {
			const own = wordsOfEntitlements(before, of(before, kept), (kind, name) => `revert of run ${runOf.get(`${kind} ${name}`)}`);
			return [entitled.words(of(before, unsaid)), own].filter((words) => words !== "").join("; ");
		},
	};
}

/** An account with other values of some parts; its state is left alone. */
export function withKept(account: Account, keeps: readonly Keep[]): Account {
	const fields: Record<string, unknown> = { ...account };
	const features = new Set(account.features);
	const policies = new Map(Object.entries(account.policies ?? {}));
	for (const { part, kept } of keeps) {
		const value = JSON.parse(kept) as unknown;
		if (isPinnedField(part)) {
			if (value === null) delete fields[part];
			else fields[part] = value;
		} else if (part.startsWith("feature ")) {
			if (value === true) features.add(part.slice("feature ".length));
			else features.delete(part.slice("feature ".length));
		} else if (part !== "state") {
			if (value === null) policies.delete(part.slice("policy ".length));
			else policies.set(part.slice("policy ".length), value as string);
		}
	}
	const names = [...policies.keys()].sort();
	const entitlements: Entitlements = {
		...(features.size > 0 && { features: [...features].sort() }),
		...(names.length > 0 && { policies: Object.fromEntries(names.map((name) => [name, policies.get(name) as string])) }),
	};
	// Fields come from `pinnedFields`, their values from an account's own.
	const whole = withState(fields as unknown as Account, account.active);
	const isSame = JSON.stringify(entitlementsOf(account)) === JSON.stringify(entitlements);
	return isSame ? whole : withState(withEntitlements(whole, entitlements), account.active);
}

/** The features and policies that an account has. */
export function entitlementPartsOf({ features, policies }: Entitlements): readonly Exclude<PinnedPart, PinnedField | "state">[] {
	return [
		...(features ?? []).map((name) => `feature ${name}` as const),
		...Object.keys(policies ?? {}).map((name) => `policy ${name}` as const),
	];
}

/** A value as pins have it. */
export function partText(part: Exclude<PinnedPart, "state">, account: Account): string {
	return isPinnedField(part) ? textOf(account[part]) : entitlementText(part, account);
}

/** For what the directory ends an account, if it does; undefined: that cannot be told. */
function causesOf(presence: Situation["presence"], at: number): readonly Cause[] | undefined {
	if (presence.kind !== "present") return [presence.kind];
	const { standing, expiresAt } = presence.entry;
	const isExpired = expiresAt !== undefined && expiresAt <= at;
	if (standing === "unknown" && !isExpired) return undefined;
	return [...(standing === "disabled" ? (["disabled"] as const) : []), ...(isExpired ? (["expired"] as const) : [])];
}

const blank: Account = { userName: "", active: true };

function entitlementsOf({ features, policies }: Entitlements): Entitlements {
	return { ...(features !== undefined && { features }), ...(policies !== undefined && { policies }) };
}

function entitlementText(part: string, { features, policies }: Entitlements): string {
	if (part.startsWith("feature ")) return JSON.stringify(features?.includes(part.slice("feature ".length)) === true);
	return textOf(policies?.[part.slice("policy ".length)]);
}

function textOf(value: unknown): string {
	return JSON.stringify(value ?? null);
}
