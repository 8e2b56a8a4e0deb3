import type { Explanation, FieldFact, GrantFact, GroupFact, ReadEntry, StateWord, TargetFact } from "../explain/explanation.ts";
import { instant } from "../lib/instant.ts";
import { alignColumns, printable } from "../lib/table.ts";
import type { Colour, Output } from "./output.ts";
import { pinText } from "./pin-text.ts";

const colours: Readonly<Partial<Record<StateWord, Colour>>> = {
	active: "green",
	held: "yellow",
	quarantined: "red",
	disabled: "yellow",
	expired: "yellow",
	deleted: "yellow",
	"out-of-scope": "yellow",
};

/** One explanation for a person, in the order in which things happened. In pieces. */
export function* explanationText(out: Output, explanation: Explanation): Iterable<string> {
	const { source, anchor, dn, state, summary, account, scope, entry } = explanation;
	const title = account?.account.userName ?? dn ?? anchor ?? "nobody";
	yield `${out.paint("bold", printable(title))}: ${out.paint(colours[state] ?? "cyan", state)}\n  ${printable(summary)}\n`;
	const section = (name: string, rows: readonly (readonly string[])[]): string => {
		if (rows.length === 0) return "";
		const lines = alignColumns(rows.map(([first = "", ...more]) => [`  ${shown(first)}`, ...more.map(shown)]));
		return `\n${out.paint("bold", name)}\n${lines.join("\n")}\n`;
	};
	const dim = (text: string): string => (text === "" ? "" : `${DIM}${text}`);
	// Colours are ours alone: what comes from outside must not hide or imitate anything.
	const shown = (cell: string): string => (cell.startsWith(DIM) ? out.paint("dim", printable(cell.slice(DIM.length))) : printable(cell));
	yield section("entry", entryRows(explanation, dim, source, anchor, entry));
	if (scope !== undefined) {
		const verdict = scope.isIn === undefined ? "cannot be told" : scope.isIn ? "in scope" : "not in scope";
		yield section("scope", [[verdict, scope.why, dim(scope.line ?? "")]]);
	}
	yield section(
		"fields",
		explanation.fields.map((field) => fieldRow(field, dim)),
	);
	yield section(
		"groups",
		explanation.groups.map((group) => groupRow(group, dim)),
	);
	yield section(
		"features",
		explanation.features.flatMap((grant) => grantRows(grant, dim)),
	);
	yield section(
		"policies",
		explanation.policies.flatMap((grant) => grantRows(grant, dim)),
	);
	yield section("account", accountRows(explanation));
	yield section(
		"targets",
		explanation.targets.flatMap((target) => targetRows(target, dim)),
	);
	yield section(
		"last changes",
		explanation.changes.map(({ at, run, kind, target, why, result }) => [
			instant(at) ?? "",
			run === 0 ? "" : `run ${run}`,
			target === undefined ? kind : `${kind} at ${target}`,
			why,
			dim(result),
		]),
	);
	for (const note of explanation.notes) yield `\n${out.paint("yellow", "note:")} ${printable(note)}\n`;
}

/** Begins a cell of less weight. */
const DIM = "\u0000";

type Dim = (text: string) => string;

function entryRows(
	{ dn }: Explanation,
	dim: Dim,
	source: string,
	anchor: string | undefined,
	entry: ReadEntry | undefined,
): readonly (readonly string[])[] {
	if (anchor === undefined && dn === undefined) return [];
	const rows: (readonly string[])[] = [["source", source]];
	if (dn !== undefined) rows.push(["dn", dn]);
	if (anchor !== undefined) rows.push(["anchor", anchor]);
	if (entry === undefined) return rows;
	const { at, run, server, seen } = entry;
	const by = run === undefined ? "" : ` in run ${run}`;
	if (at !== undefined) rows.push(["read", `${instant(at)}${server === undefined ? "" : ` from ${server}`}${by}`]);
	if (seen !== undefined) {
		const sealed = seen.sealed ? "sealed" : "not sealed";
		rows.push(["last full", `${instant(seen.at)}${seen.server === undefined ? "" : ` from ${seen.server}`} in run ${seen.run}, ${sealed}`]);
	}
	for (const [name, values] of Object.entries(entry.attributes)) rows.push([dim(name), shortened(values.join("; "))]);
	return rows;
}

/** Letters of a value that a terminal's line should hold: `--json` has all. */
const LETTERS = 120;

function shortened(text: string): string {
	return text.length <= LETTERS ? text : `${text.slice(0, LETTERS)}…`;
}

/** What a field came from, in a line: `--json` has the template and all values. */
function fieldRow({ field, value, template, line, used, instead }: FieldFact, dim: Dim): readonly string[] {
	const origin = used.length === 0 ? "none of its attributes has a value" : `from ${used.join(", ")}`;
	const kept = instead === undefined ? "" : ` (the account has ${instead})`;
	return [field, `${value ?? "no value"}${kept}`, dim(line === undefined ? origin : `${origin}, by ${line}: ${template}`)];
}

function groupRow({ name, through, isPrimary, dn }: GroupFact, dim: Dim): readonly string[] {
	const way = [...through, name].join(" > ");
	return [name, through.length === 0 && !isPrimary ? "itself" : `${isPrimary ? "by its primary group: " : "through "}${way}`, dim(dn)];
}

function grantRows({ name, value, planned, rules }: GrantFact, dim: Dim): readonly (readonly string[])[] {
	const now = planned === undefined ? "" : ` (by the rules now: ${planned})`;
	return [
		[name, `${value ?? "off"}${now}`],
		...rules.map((rule) => {
			const words = { gives: "gives it", "does-not-match": "does not", "cannot-be-told": "cannot be told", later: "comes later" };
			const what = rule.value === undefined ? words[rule.verdict] : `${words[rule.verdict]}: ${rule.value}`;
			return ["", dim(rule.line), what, rule.why];
		}),
	];
}

function accountRows({ account, quarantine, held, refused, pins }: Explanation): readonly (readonly string[])[] {
	const rows: (readonly string[])[] = [];
	if (account !== undefined) {
		const { account: has, because, since, dueAt, isProtected } = account;
		rows.push(["state", has.active ? "active" : `disabled${because === undefined ? "" : `: ${because}`}`]);
		if (since !== undefined) rows.push(["since", instant(since) ?? ""]);
		if (dueAt !== undefined) rows.push(["looked at again", instant(dueAt) ?? ""]);
		if (isProtected) rows.push(["protected", "never disabled without approval"]);
	}
	if (quarantine !== undefined) rows.push(["set aside", `${quarantine.because} (since ${instant(quarantine.since)})`]);
	for (const { kind, target, why, because, plan } of held) {
		rows.push(["held", `${target === undefined ? kind : `${kind} at ${target}`}: ${why}`, because, plan]);
	}
	for (const { kind, target, by, at } of refused) {
		const what = target === undefined ? kind : `${kind} at ${target}`;
		rows.push(["rejected", `${what} not done: ${by} said no`, instant(at) ?? ""]);
	}
	for (const pin of pins) rows.push(["pinned", pinText(pin)]);
	return rows;
}

function targetRows(target: TargetFact, dim: Dim): readonly (readonly string[])[] {
	const { scope, wanted, applied, state, remoteId, error, attempts, nextAt, trouble, differs, origin } = target;
	const ways = [remoteId === undefined ? "" : `id ${remoteId}`, origin ?? ""].filter((text) => text !== "").join(", ");
	const rows: (readonly string[])[] = [[target.target, state, `wanted ${wanted}, applied ${applied}`, dim(ways)]];
	if (scope !== undefined) {
		const verdict = scope.isIn === undefined ? "cannot be told" : scope.isIn ? "in its scope" : "not in its scope";
		rows.push(["", verdict, scope.why]);
	}
	for (const difference of differs) rows.push(["", "differs", difference]);
	if (error !== undefined) rows.push(["", "last error", `${error} (${attempts} ${attempts === 1 ? "try" : "tries"})`]);
	if (trouble !== undefined) rows.push(["", "trouble", trouble]);
	if (nextAt !== undefined) rows.push(["", "next try", instant(nextAt) ?? ""]);
	return rows;
}
