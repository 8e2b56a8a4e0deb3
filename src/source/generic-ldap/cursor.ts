import type { Cursor } from "../../core/cursor.ts";
import type { Root } from "./root.ts";

/** What the cursor holds between readings. */
export interface Mark {
	readonly version: 1;
	/** What was asked for; another question cannot be answered by what changed. */
	readonly shape: string;
	/** How changes are found from here on. */
	readonly kind: "syncrepl" | "timestamp" | "full";
	/** Whose answers these were. */
	readonly server: string;
	/** By naming context: contextCSN, one value for each server that ever wrote there. That is a cookie of OpenLDAP's, too. */
	readonly csns: Readonly<Record<string, readonly string[]>>;
	/** The newest modifyTimestamp seen, generalized time. */
	readonly newest: string | undefined;
	/** By timestamp: containers whose change was followed already, by anchor, with their DN then. The overlap shows them again. */
	readonly followed: Readonly<Record<string, string>>;
}

export function parseMark(cursor: Cursor | undefined): Mark | undefined {
	if (cursor === undefined) return undefined;
	try {
		const value: unknown = JSON.parse(cursor);
		return isMark(value) ? value : undefined;
	} catch {
		return undefined; // Written by something else: the caller makes a full reading, and says so.
	}
}

export function printMark(mark: Mark): Cursor {
	return JSON.stringify(mark) as Cursor;
}

/** The host read last, for whoever chooses among several. */
export function hostsOf(mark: Mark | undefined): readonly string[] {
	const host = mark === undefined ? undefined : /^ldaps?:\/\/(\[[^\]]*\]|[^:/ ]*)/.exec(mark.server)?.[1];
	return host === undefined ? [] : [host];
}

/**
 * Why the server may know less than the one that was read before; undefined when it cannot. contextCSN settles it, whichever
 * server it is; where it is not shown, another server may not have everything yet, nor one whose newest change is older.
 */
export function viewChange(mark: Mark | undefined, root: Root, newest: string | undefined): string | undefined {
	if (mark === undefined) return undefined;
	const late = "and may not have everything yet";
	const shared = Object.entries(mark.csns).flatMap(([context, before]) => {
		const now = root.csns.get(context);
		return now === undefined ? [] : [{ before, now }];
	});
	if (shared.length > 0) {
		if (shared.every(({ before, now }) => knowsAll(before, now))) return undefined;
		return `${root.server} knows less than was read before (its contextCSN went back): it was restored from an old copy, or lags behind`;
	}
	if (mark.server !== root.server) return `${root.server} was read instead of ${mark.server}, ${late}`;
	if (mark.newest !== undefined && newest !== undefined && newest < mark.newest) {
		return `the newest change at ${root.server} went back from ${mark.newest} to ${newest}: it was restored from an old copy, ${late}`;
	}
	return undefined;
}

/** Whether each server's last change that was known before is known now, or a later one of it. */
export function knowsAll(before: readonly string[], now: readonly string[]): boolean {
	const latest = new Map(now.map((csn) => [serverIdOf(csn), csn]));
	return before.every((csn) => {
		const known = latest.get(serverIdOf(csn));
		return known !== undefined && known >= csn;
	});
}

/** OpenLDAP's cookie for what is known (slapd(8), -c). Without `sid=`, which names the reader: nobody is sent the changes that are its own. */
export function cookieOf(csns: readonly string[]): string {
	return `rid=000,csn=${csns.join(";")}`;
}

/** The contextCSN values within a cookie that OpenLDAP sent; none when it is of another kind. */
export function csnsOf(cookie: string): readonly string[] {
	const part = cookie.split(",").find((each) => each.startsWith("csn="));
	return part === undefined || part.length <= 4 ? [] : part.slice(4).split(";");
}

/** "001" of 20261127101803.785900Z#000000#001#000000. */
function serverIdOf(csn: string): string {
	return csn.split("#")[2] ?? "";
}

function isMark(value: unknown): value is Mark {
	if (typeof value !== "object" || value === null) return false;
	const { version, shape, kind, server, csns, newest, followed } = value as Partial<Record<keyof Mark, unknown>>;
	if (version !== 1 || typeof shape !== "string" || typeof server !== "string" || typeof csns !== "object" || csns === null) return false;
	if (typeof followed !== "object" || followed === null || !Object.values(followed).every((dn) => typeof dn === "string")) return false;
	if (kind !== "syncrepl" && kind !== "timestamp" && kind !== "full") return false;
	if (newest !== undefined && !(typeof newest === "string" && /^\d{14}Z$/.test(newest))) return false;
	return Object.values(csns).every((list: unknown) => Array.isArray(list) && list.every((csn) => typeof csn === "string"));
}
