import { createHash, randomBytes } from "node:crypto";

/** Who signed in: a viewer reads, an operator decides, too. */
export type Role = "operator" | "viewer";

/** Somebody who signed in at the page. */
export interface Session {
	readonly role: Role;
	/** Stands in each of their forms, so that no other site can have one sent. */
	readonly csrf: string;
}

export interface Sessions {
	/** Begins one, and tells the id that the cookie carries. */
	begin(role: Role): string;
	/** Puts its end off, unless the page asks by itself. */
	find(id: string | undefined, isByItself?: boolean): Session | undefined;
	end(id: string | undefined): void;
}

/** A session ends an hour after the last request, and twelve after it began. */
const IDLE_MS = 3_600_000;
const LONGEST_MS = 12 * 3_600_000;
/** Beyond it the oldest ends: who has the token could else fill the memory. */
const MOST = 200;

interface Kept extends Session {
	readonly endsAt: number;
	idleAt: number;
}

/** Sessions in memory: a restart ends them all. Only digests of ids are kept, so that looking one up tells nothing by its time. */
export function makeSessions(clock: () => number): Sessions {
	const kept = new Map<string, Kept>();
	const sweep = (now: number): void => {
		for (const [key, { endsAt, idleAt }] of kept) if (now >= endsAt || now >= idleAt) kept.delete(key);
	};
	return {
		begin: (role) => {
			const now = clock();
			sweep(now);
			const oldest = kept.keys().next();
			if (kept.size >= MOST && oldest.done !== true) kept.delete(oldest.value);
			const id = randomBytes(32).toString("base64url");
			const csrf = randomBytes(32).toString("base64url");
			kept.set(keyOf(id), { role, csrf, endsAt: now + LONGEST_MS, idleAt: now + IDLE_MS });
			return id;
		},
		find: (id, isByItself = false) => {
			if (id === undefined) return undefined;
			const now = clock();
			sweep(now);
			const found = kept.get(keyOf(id));
			if (found !== undefined && !isByItself) found.idleAt = now + IDLE_MS;
			return found;
		},
		end: (id) => {
			if (id !== undefined) kept.delete(keyOf(id));
		},
	};
}

function keyOf(id: string): string {
	return createHash("sha256").update(id).digest("base64url");
}
