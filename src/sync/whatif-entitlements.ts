import type { Account } from "../core/account.ts";
import type { AccountChange } from "../core/change.ts";
import type { Example } from "./whatif-kinds.ts";

/** A feature, or one value of a policy. */
interface Thing {
	readonly kind: "feature" | "policy";
	readonly name: string;
	/** Of a policy. */
	readonly value: string | undefined;
}

/** Who gets and who loses it. Accounts that are made count as getting what they begin with, those deleted not at all. */
export interface EntitlementOutcome extends Thing {
	readonly gained: number;
	readonly lost: number;
	readonly gaining: readonly Example[];
	readonly losing: readonly Example[];
}

/** Counts what changes of accounts give and take. */
export function makeEntitlements(mostExamples: number) {
	const all = new Map<string, Thing & { gained: number; lost: number; gaining: Example[]; losing: Example[] }>();
	const outcomeOf = (key: string, thing: Thing) => {
		const outcome = all.get(key) ?? { ...thing, gained: 0, lost: 0, gaining: [], losing: [] };
		all.set(key, outcome);
		return outcome;
	};

	return {
		add: ({ kind, name, why, before, after }: AccountChange): void => {
			if (kind !== "create" && kind !== "entitlement") return;
			const [had, has] = [thingsOf(before), thingsOf(after)];
			for (const [key, thing] of has) {
				if (had.has(key)) continue;
				const outcome = outcomeOf(key, thing);
				outcome.gained++;
				if (outcome.gaining.length < mostExamples) outcome.gaining.push({ name, why: phraseOf(why, thing) });
			}
			for (const [key, thing] of had) {
				if (has.has(key)) continue;
				const outcome = outcomeOf(key, thing);
				outcome.lost++;
				if (outcome.losing.length < mostExamples) outcome.losing.push({ name, why: phraseOf(why, thing) });
			}
		},
		/** Features first, by name, then policies by name and value. */
		all: (): readonly EntitlementOutcome[] => [...all].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, outcome]) => outcome),
	};
}

/** Of a person's reasons the one about this. */
function phraseOf(why: string, { kind, name }: Thing): string {
	return why.split("; ").find((phrase) => phrase.startsWith(`${kind} ${name} `)) ?? why;
}

function thingsOf(account: Account | undefined): ReadonlyMap<string, Thing> {
	const things: Thing[] = [
		...(account?.features ?? []).map((name): Thing => ({ kind: "feature", name, value: undefined })),
		...Object.entries(account?.policies ?? {}).map(([name, value]): Thing => ({ kind: "policy", name, value })),
	];
	return new Map(things.map((thing) => [JSON.stringify([thing.kind, thing.name, thing.value]), thing]));
}
