import type { WhatIf } from "../engine.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { Output } from "./output.ts";
import { heldName } from "./plan-text.ts";
import { count } from "./progress.ts";

type Kind = WhatIf["changes"][number];
type Example = Kind["examples"][number];
type Entitlement = WhatIf["entitlements"][number];

/** Examples of each kind that are shown; JSON has some more. */
const MOST_SHOWN = 3;

/** Changes that do not wait for a person already. */
export function totalOf({ changes, quarantined }: WhatIf): number {
	return changes.reduce((sum, kind) => sum + kind.count - kind.waiting, quarantined.count);
}

/** What would be held and is not yet. */
export function newlyHeld({ changes }: WhatIf): number {
	return changes.reduce((sum, kind) => sum + kind.held - kind.waiting, 0);
}

/** What a configuration would do, for a person: numbers and a few examples, on a screen as far as that goes. */
export function* whatIfText(out: Output, found: readonly WhatIf[], notes: readonly string[]): Iterable<string> {
	for (const [index, each] of found.entries()) yield `${index === 0 ? "" : "\n"}${[...sourceText(out, each)].join("\n")}\n`;
	if (notes.length > 0) yield `\n${notes.map((note) => `note: ${printable(note)}`).join("\n")}\n`;
}

function* sourceText(out: Output, found: WhatIf): Iterable<string> {
	const { source, asOf, people, isSame } = found;
	if (asOf === undefined) yield out.paint("bold", source);
	else yield `${out.paint("bold", source)}: ${count(people)} people, as of ${new Date(asOf).toISOString()}`;
	if (isSame) yield "no difference in rules or scope: what changes here does so by any configuration";
	for (const kind of found.changes) yield* kindText(out, kind);
	if (found.quarantined.count > 0) {
		yield `\n${out.paint("bold", `set aside ${count(found.quarantined.count)}`)}`;
		yield* exampleLines("!", found.quarantined.examples, found.quarantined.count);
	}
	yield* rulesText(out, found);
	for (const each of found.entitlements) yield* entitlementText(out, each);
	for (const [index, sentence] of found.warnings.entries())
		yield `${index === 0 ? "\n" : ""}${out.paint("yellow", "warning:")} ${printable(sentence)}`;
	if (found.unknown.length > 0) yield `\n${out.paint("bold", "known only after the next reading")}`;
	for (const sentence of found.unknown) yield `  ? ${printable(sentence)}`;
	yield "";
	yield verdictText(out, found);
}

function* kindText(out: Output, kind: Kind): Iterable<string> {
	const held = kind.held === 0 ? "" : out.paint("yellow", `  ${count(kind.held)} held`);
	const waiting = kind.waiting === 0 ? "" : `, ${count(kind.waiting)} of them waiting already`;
	yield `\n${out.paint("bold", `${nameOf(kind)} ${count(kind.count)}`)}${held}${waiting}`;
	// Who gets and who loses what is said with what they get and lose.
	if (kind.kind !== "entitlement") yield* exampleLines("·", kind.examples, kind.count - kind.waiting);
}

function* rulesText(out: Output, { rules }: WhatIf): Iterable<string> {
	if (rules.length === 0) return;
	yield `\n${out.paint("bold", "rules")}`;
	const rows = rules.map(({ place, name, value, through, gives, gains, selects, unknown }) => [
		`  ${place}`,
		printable(thing(name, value)),
		`gives ${count(gives)}`,
		gains === 0 ? "" : out.paint("green", `+${count(gains)}`),
		selects === gives ? "" : `selects ${count(selects)}`,
		unknown === 0 ? "" : out.paint("yellow", `${count(unknown)} not known`),
		printable(through),
	]);
	yield* alignColumns(rows);
}

function* entitlementText(out: Output, { kind, name, value, gained, lost, gaining, losing }: Entitlement): Iterable<string> {
	const numbers = [...(gained === 0 ? [] : [`${count(gained)} gain it`]), ...(lost === 0 ? [] : [`${count(lost)} lose it`])];
	yield `\n${out.paint("bold", `${kind} ${printable(thing(name, value))}`)}  ${numbers.join(", ")}`;
	yield* exampleLines("+", gaining, gained);
	yield* exampleLines("-", losing, lost);
}

function* exampleLines(sign: string, all: readonly Example[], of: number): Iterable<string> {
	const examples = all.slice(0, MOST_SHOWN);
	for (const { name, why } of examples) yield `  ${sign} ${printable(name)}: ${printable(why)}`;
	if (of > examples.length && examples.length > 0) yield `    and ${count(of - examples.length)} more`;
}

function verdictText(out: Output, found: WhatIf): string {
	const { held } = found;
	if (held.length === 0) return totalOf(found) === 0 ? "nothing would change" : "nothing would be held";
	const parts = held.map((each) => `${count(each.count)} ${heldName(each)} (${printable(each.limit)})`);
	const isNew = newlyHeld(found) > 0;
	return out.paint(isNew ? "yellow" : "dim", `${isNew ? "would be held" : "held already"}: ${parts.join(", ")}`);
}

function nameOf({ subject, target, kind }: Kind): string {
	if (subject === "group") return heldName({ subject, target, kind });
	return target === undefined ? kind : `${kind} at ${target}`;
}

function thing(name: string, value: string | undefined): string {
	return value === undefined ? name : `${name} ${JSON.stringify(value)}`;
}

/** The same as an object of the contract: every key is there, whatever came of it. */
export function whatIfJson(found: WhatIf, notes: readonly string[]): object {
	const { source, asOf, people, isSame, changes, held, quarantined, rules, entitlements, unknown, warnings } = found;
	return {
		source,
		asOf: asOf === undefined ? null : new Date(asOf).toISOString(),
		people,
		isSame,
		verdict: newlyHeld(found) > 0 ? "held" : totalOf(found) > 0 ? "changes" : "none",
		changes: changes.map(({ subject, target, ...kind }) => ({ subject, target: target ?? null, ...kind })),
		held: held.map(({ subject, target, kind, count, limit }) => ({ subject, target: target ?? null, kind, count, limit })),
		quarantined,
		rules: rules.map(({ value, ...rule }) => ({ ...rule, value: value ?? null })),
		entitlements: entitlements.map(({ value, ...each }) => ({ ...each, value: value ?? null })),
		unknown,
		warnings,
		notes,
	};
}
