import { type CurrentAccount, type HistoryRow, type Holder, keyOf, originOfRow } from "./history.ts";

/** An account from its first change in the log on, under all the anchors that it had. */
export interface Life {
	/** As it is now, or was at its end. */
	readonly holder: Holder;
	/** All of its anchors (`keyOf`). */
	readonly keys: ReadonlySet<string>;
	readonly states: readonly State[];
}

/** What became of the account as a whole. */
export interface State {
	readonly at: number;
	readonly run: number;
	readonly state: "created" | "disabled" | "enabled" | "deleted" | "moved";
	readonly why: string;
}

/** The lives that rows of the change log tell of, in the log's order, and those of which only their account is known. */
export function livesOf(rows: Iterable<HistoryRow>, accounts: Iterable<CurrentAccount>): readonly Life[] {
	const lives = new Map<string, { holder: Holder; keys: Set<string>; states: State[] }>();
	const lifeOf = (holder: Holder, former = keyOf(holder)) => {
		const key = keyOf(holder);
		const life = lives.get(former) ?? { holder, keys: new Set(), states: [] };
		if (former !== key) lives.delete(former);
		life.holder = holder;
		life.keys.add(key);
		lives.set(key, life);
		return life;
	};
	for (const row of rows) {
		const { source, anchor, before, after, at, run, why } = row;
		const origin = originOfRow(row);
		const holder = { source, anchor, userName: (after ?? before)?.userName ?? "" };
		const life = lifeOf(holder, origin && keyOf(origin));
		const state = origin === undefined ? stateAfter(row) : "moved";
		if (state !== undefined) life.states.push({ at, run, state, why });
	}
	for (const { source, anchor, account } of accounts) lifeOf({ source, anchor, userName: account.userName });
	return [...lives.values()];
}

function stateAfter({ kind }: HistoryRow): State["state"] | undefined {
	switch (kind) {
		case "create":
			return "created";
		case "disable":
			return "disabled";
		case "enable":
			return "enabled";
		case "delete":
			return "deleted";
		default:
			return undefined;
	}
}
