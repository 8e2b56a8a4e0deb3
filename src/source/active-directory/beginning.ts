import type { Filter } from "../../core/filter.ts";
import { resultName } from "../ldap/result.ts";
import type { ReadRequest } from "../source.ts";
import { isKnownDc, type Start, startOf, usnStart } from "./cursor.ts";
import { seesDeletedObjects } from "./deleted.ts";
import { type Marked, readMarks } from "./delta.ts";
import { NO_RIGHT, offersDirSync, readDirSync, takeCookies } from "./dirsync.ts";
import type { DirSyncMarks, Marks } from "./marks.ts";
import type { Changes, Strategy } from "./strategy.ts";
import { examples, type Visit } from "./visit.ts";

/** Where a reading starts, and how the changes after it will be found. */
export interface Beginning {
	/** What changed; undefined: everything is read. */
	readonly marked: Marked | undefined;
	/** Entries that changed are found by their USN as well; undefined: by their GUID alone. */
	readonly since: bigint | undefined;
	/** Why it is a full reading although a delta was asked for. */
	readonly fullBecause: string | undefined;
	/** Whether everything is read, or from a domain controller never read before. */
	readonly isNewView: boolean;
	/** For the cursor. */
	readonly dirSync: DirSyncMarks | undefined;
	readonly seesDeleted: boolean;
	readonly strategy: Strategy;
}

export interface Wish {
	readonly request: ReadRequest;
	readonly changes: Changes;
	readonly marks: Marks | undefined;
	readonly shape: string;
	/** Why no delta may be made whatever the marks are. */
	readonly refusal: string | undefined;
	/** Whether the bases showed their uSNChanged. */
	readonly showsUsn: boolean;
	/** Attributes of groups; undefined where no group matters. */
	readonly groups: readonly string[] | undefined;
}

/** Finds out what changed, or that everything must be read. All of it before the people: what changes meanwhile must be told next time. */
export async function begin(visit: Visit, wish: Wish): Promise<Beginning> {
	if (wish.request.mode === "full") return beginFull(visit, wish, undefined);
	const start: Start =
		wish.refusal === undefined
			? startOf(wish.marks, wish.shape, visit.root, visit.session.server, wish.changes)
			: { kind: "full", because: wish.refusal };
	switch (start.kind) {
		case "full":
			return beginFull(visit, wish, start.because);
		case "usn":
			return beginByUsn(visit, wish, start.since);
		case "dirsync":
			return beginByDirSync(visit, wish, start.from);
	}
}

async function beginFull(visit: Visit, wish: Wish, fullBecause: string | undefined): Promise<Beginning> {
	const dirSync = await takeIfWanted(visit, wish.changes);
	const seesDeleted = await seesDeletedObjects(visit);
	const strategy = strategyOf(wish, dirSync, seesDeleted);
	return { marked: undefined, since: undefined, fullBecause, isNewView: true, dirSync, seesDeleted, strategy };
}

async function beginByUsn(visit: Visit, wish: Wish, since: bigint): Promise<Beginning> {
	// Without the right to read uSNChanged a search for changes finds none, and looks just like a quiet day.
	if (!wish.showsUsn && !(await isReadable(visit, "uSNChanged"))) {
		return beginFull(visit, wish, "uSNChanged cannot be read by this account, so changes since the last reading cannot be asked for");
	}
	// Whether the account may use DirSync by itself is asked at full readings alone: a delta of nothing stays one search.
	const dirSync = wish.changes === "dirsync" ? await takeIfWanted(visit, wish.changes) : wish.marks?.dirSync;
	const marked = await readMarks(visit, since, wish.groups !== undefined);
	const seesDeleted = wish.marks?.seesDeleted ?? (await seesDeletedObjects(visit));
	const strategy = strategyOf(wish, dirSync, seesDeleted);
	return { marked, since, fullBecause: undefined, isNewView: false, dirSync, seesDeleted, strategy };
}

async function beginByDirSync(visit: Visit, wish: Wish, from: DirSyncMarks): Promise<Beginning> {
	const { known } = wish.request;
	const told = await readDirSync(visit, from, wish.groups === undefined ? undefined : { attributes: wish.groups, known });
	if ("kind" in told) {
		const { code } = told.result;
		if (code !== NO_RIGHT) {
			const because = `${visit.session.server} does not take DirSync's cookie any more, ${resultName(code)}: what changed since the last reading cannot be asked for`;
			return beginFull(visit, wish, because);
		}
		// The right to replicate was taken away: USNs go on from what they last told.
		const start = wish.marks === undefined ? undefined : usnStart(wish.marks, visit.root, visit.session.server);
		const without = { ...wish, marks: wish.marks === undefined ? undefined : { ...wish.marks, dirSync: undefined } };
		if (start?.kind === "usn") return beginByUsn(visit, without, start.since);
		const because = start?.kind === "full" ? start.because : "there is no earlier reading to start from";
		return beginFull(visit, without, `this account may not replicate changes any more, and ${because}`);
	}
	const seesDeleted = wish.marks?.seesDeleted ?? (await seesDeletedObjects(visit));
	const strategy = strategyOf(wish, told.marks, seesDeleted);
	// A cookie tells what is new at a domain controller never read before, and an entry read there may still be older than we had it.
	const isNewView = !isKnownDc(wish.marks, visit.root);
	return { marked: told.marked, since: undefined, fullBecause: undefined, isNewView, dirSync: told.marks, seesDeleted, strategy };
}

/** A first cookie where DirSync is wanted and allowed. */
async function takeIfWanted(visit: Visit, changes: Changes): Promise<DirSyncMarks | undefined> {
	if (changes !== "auto" && changes !== "dirsync") return undefined;
	const { server } = visit.session;
	const isInsistent = changes === "dirsync";
	if (!offersDirSync(visit)) {
		if (isInsistent) visit.warnings.push(`${server} does not offer DirSync: changes are found by uSNChanged`);
		return undefined;
	}
	const all = await takeCookies(visit, "all");
	if (!("kind" in all) || !isInsistent) return "kind" in all ? undefined : all;
	const own = await takeCookies(visit, "own");
	if (!("kind" in own)) return own;
	visit.warnings.push(`${server} refuses DirSync, ${resultName(own.result.code)}: changes are found by uSNChanged`);
	return undefined;
}

function strategyOf({ changes, refusal }: Wish, dirSync: DirSyncMarks | undefined, seesDeleted: boolean): Strategy {
	if (changes === "full" || refusal !== undefined) return { kind: "full" };
	if (dirSync !== undefined && changes !== "usn") return { kind: "dirsync", view: dirSync.view, seesDeleted };
	return { kind: "usn", seesDeleted };
}

/** Whether an attribute shows on anybody in scope. */
export async function isReadable(visit: Visit, attribute: string): Promise<boolean> {
	const filter: Filter = { kind: "and", parts: [visit.scope.wanted, { kind: "present", attribute }] };
	for (const base of visit.scope.bases) if ((await examples(visit, base.dn, filter, "sub", 1)) > 0) return true;
	return false;
}
