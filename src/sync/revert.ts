import type { Account } from "../core/account.ts";
import type { Anchor } from "../core/entry.ts";
import { Failure } from "../core/errors.ts";
import { originIn } from "../core/move.ts";
import { type LoggedStep, undoOf } from "../core/revert.ts";
import type { RevertibleRow } from "../store/revertible.ts";
import type { Session } from "../store/session.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { LeftAlone, RevertReport, RevertRequest } from "./report.ts";

/** So many of what is left alone are named; more are counted. */
const MOST_NAMED = 1000;
const PAGE = 500;

/** The source whose run it was. Throws NOT_FOUND when there is none, or when nothing that it did, to this person, is known. */
export function sourceOfRun(session: Session, { run, user }: Pick<RevertRequest, "run" | "user">): string {
	const { revertible, snapshot } = session;
	const source = revertible.sourceOf(run);
	if (source === undefined) {
		throw new Failure("NOT_FOUND", `there is no run ${run}`, { hint: '"dirsyncd runs" lists them; old ones are dropped (retention.runs)' });
	}
	if (revertible.page(run, source, 0, 1).length === 0) {
		const hint = `"dirsyncd runs ${run}" shows what it did; old changes are dropped (retention.changes)`;
		throw new Failure("NOT_FOUND", `run ${run} changed nothing, or its changes are not in the change log any more`, { hint });
	}
	if (user !== undefined) anchorsOf(session, snapshot.source(source), source, run, user);
	return source;
}

/** Stages everyone whom the run changed, with what is to be kept of them so that they are as before. */
export function stageRevert(session: Session, state: SourceState, source: string, { run, kind, user }: RevertRequest): RevertReport {
	const { stage, snapshot, pins, revertible, decisions } = session;
	const leftAlone: LeftAlone[] = [];
	let leftAloneCount = 0;
	const leave = (name: string, why: string): void => {
		leftAloneCount++;
		if (leftAlone.length < MOST_NAMED) leftAlone.push({ name, why });
	};
	const wanted = user === undefined ? undefined : anchorsOf(session, state, source, run, user);

	const undo = (rows: readonly RevertibleRow[]): void => {
		const [first, last] = [rows[0], rows.at(-1)];
		if (first === undefined || last === undefined || wanted?.has(first.anchor) === false) return;
		const { anchor, name } = last;
		const known = snapshot.byAnchor(state.id, anchor);
		if (known === undefined) {
			leave(name, "its entry is not known any more");
			return;
		}
		const { keeps, leftAlone: phrases } = undoOf(rows.map(asStep), revertible.now(known.id, source, last));
		for (const phrase of phrases) leave(name, phrase);
		for (const { why } of rows) {
			const origin = originIn(why);
			if (origin !== undefined) leave(name, `it came from source ${origin.source}, and stays with this one`);
		}
		if (keeps.length === 0) return;
		stage.known(known.id);
		decisions.keepAllRejected(known.id);
		for (const each of keeps) pins.keep(known.id, each, name);
	};

	let open: RevertibleRow[] = [];
	for (const row of rowsOf(session, run, source)) {
		const isAccounts = row.subject === "account" && row.target === null;
		if (isAccounts && open[0] !== undefined && open[0].anchor !== row.anchor) {
			const rows = open;
			stage.batch(() => undo(rows));
			open = [];
		}
		if (kind !== undefined && (row.kind !== kind || row.subject === "group")) continue;
		if (isAccounts) open.push(row);
		else if (wanted === undefined || wanted.has(row.anchor)) leave(row.name, whyNot(row));
	}
	stage.batch(() => undo(open));
	return { run, leftAlone, leftAloneCount };
}

function* rowsOf({ revertible }: Session, run: number, source: string): Generator<RevertibleRow> {
	for (let after = 0; ; ) {
		const rows = revertible.page(run, source, after, PAGE);
		yield* rows;
		const last = rows.at(-1);
		if (last === undefined) return;
		after = last.sequence;
	}
}

/** Whose account bears this name now, or bore it in this run. Throws NOT_FOUND when the run did not touch anybody of that name. */
function anchorsOf(session: Session, state: SourceState, source: string, run: number, user: string): ReadonlySet<Anchor> {
	const key = user.toLowerCase();
	const ids = new Set(session.forget.find(user));
	const found = new Set<Anchor>();
	for (const { subject, anchor, name } of rowsOf(session, run, source)) {
		if (subject !== "account") continue;
		const isTheirs = anchor === key || name.toLowerCase() === key || ids.has(session.snapshot.byAnchor(state.id, anchor)?.id ?? 0);
		if (isTheirs) found.add(anchor);
	}
	if (found.size === 0) throw new Failure("NOT_FOUND", `run ${run} changed nothing of ${JSON.stringify(user)}`);
	return found;
}

function asStep({ kind, at, before, after }: RevertibleRow): LoggedStep {
	return { kind, at, before: sideOf(before), after: sideOf(after) };
}

function sideOf(text: string | null): Account | undefined {
	return text === null ? undefined : (JSON.parse(text) as Account);
}

function whyNot({ subject, target, kind }: RevertibleRow): string {
	if (subject === "group") return `${kind} of a group: groups and their members are as the directory has them`;
	return `${kind} at target ${target} alone: it follows from the target's own scope, mapping or lifecycle`;
}
