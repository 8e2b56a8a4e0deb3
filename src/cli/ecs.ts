import { deciderOf } from "../contract/log-row-json.ts";
import type { Account } from "../core/account.ts";
import type { Group } from "../core/group.ts";
import { instant } from "../lib/instant.ts";
import type { LoggedRow } from "../store/log-reader.ts";

/**
 * A row of the change log in the field names of the Elastic Common Schema (https://www.elastic.co/docs/reference/ecs, "user fields
 * usage"): `user` is who decided, `user.target` whose account it is, `user.changes` what is new about it. What has no field there
 * is under `dirsyncd`. Keys always come in this order; those without a value are left out.
 */
export function ecsOf(row: LoggedRow): object {
	const { at, sequence, run, source, target, subject, kind, anchor, name, why, result } = row;
	const [before, after] = [side(row.before), side(row.after)];
	const by = deciderOf(row);
	const hash = row.digest.toString("hex");
	return {
		"@timestamp": instant(at),
		ecs: { version: ECS_VERSION },
		event: {
			...{ kind: "event", category: ["iam"], type: typeOf(row), action: actionOf(row), outcome: outcomeOf(row), reason: why },
			// Of its own in the whole world, so that an export which is read twice is stored once.
			...{ id: hash, sequence, hash, module: "dirsyncd", dataset: "dirsyncd.changes" },
		},
		service: { name: "dirsyncd", type: "dirsyncd" },
		...(subject === "account"
			? accountFields(row, before as Account | undefined, after as Account | undefined, by)
			: by && { user: { name: by } }),
		...(subject === "group" && { group: { id: anchor, name: ((after ?? before) as Group | undefined)?.displayName ?? name } }),
		related: related(subject === "account" ? [by, name, userNameOf(before), userNameOf(after)] : [by]),
		dirsyncd: { run: run === 0 ? undefined : run, source, target, subject, kind, name, result, before, after },
	};
}

/** Published in December 2024; what is used here has been the same since 1.8. */
const ECS_VERSION = "8.17.0";

/** What was done, as a word to search for: account-disabled. What was not done, or only seen at a target, has another word. */
export function actionOf(row: LoggedRow): string {
	const { subject, kind, result } = row;
	const undone = undoneAs(row);
	if (undone !== undefined) return `${subject}-${kind}-${undone}`;
	const done =
		decided[kind] ?? (subject === "target" ? forgotten[kind] : subject === "group" && kind === "remove" ? "members-removed" : past[kind]);
	return `${subject}-${atTargets[result] ?? done ?? kind}`;
}

const past: Readonly<Record<string, string>> = {
	create: "created",
	update: "updated",
	disable: "disabled",
	enable: "enabled",
	delete: "deleted",
	entitlement: "entitlement-changed",
};

/** What a person did, beside the changes that came of it. */
const decided: Readonly<Record<string, string>> = {
	sync: "sync-started",
	approve: "approved",
	reject: "rejected",
	revert: "reverted",
	"read-back": "read-back",
	restore: "restored",
	unpin: "unpinned",
};

const forgotten: Readonly<Record<string, string>> = { delete: "forgotten" };

/** What became of an account that a target has, by the change's result. */
const atTargets: Readonly<Record<string, string>> = {
	adopted: "adopted",
	repaired: "repaired",
	released: "released",
	reported: "drift-reported",
};

/** Whether it was done. */
export function outcomeOf(row: LoggedRow): "success" | "failure" {
	return undoneAs(row) === undefined ? "success" : "failure";
}

/** How it came that a change was not made; undefined: it was. */
function undoneAs({ kind, result }: LoggedRow): string | undefined {
	if (kind in decided) return undefined;
	return result.startsWith("rejected by ") ? "rejected" : undone[result];
}

const undone: Readonly<Record<string, string>> = { refused: "refused", "left alone": "left-alone", lost: "lost" };

/** Whom it is about, and what was done: the two that ECS wants of an event of identity management. */
function typeOf(row: LoggedRow): readonly [string, string] {
	const about = row.subject === "account" ? "user" : row.subject === "group" ? "group" : "admin";
	if (undoneAs(row) !== undefined || row.result === "reported" || row.result === "released") return [about, "info"];
	if (row.result in atTargets) return [about, "change"];
	return [about, row.kind === "create" ? "creation" : row.kind === "delete" ? "deletion" : "change"];
}

function accountFields(
	{ anchor, name }: LoggedRow,
	before: Account | undefined,
	after: Account | undefined,
	by: string | undefined,
): object {
	const target = { id: anchor, ...userOf(before ?? after ?? { userName: name, active: true }) };
	const changes = before && after && newIn(userOf(before), userOf(after));
	return { user: { ...(by !== undefined && { name: by }), target, ...(changes !== undefined && { changes }) } };
}

interface User {
	readonly name: string;
	readonly full_name: string | undefined;
	readonly email: string | undefined;
}

function userOf({ userName, displayName, emails }: Account): User {
	return { name: userName, full_name: displayName, email: emails?.find(({ primary }) => primary)?.value };
}

function newIn(before: User, after: User): Partial<User> | undefined {
	const entries = (["name", "full_name", "email"] as const).filter((field) => after[field] !== undefined && after[field] !== before[field]);
	return entries.length === 0 ? undefined : Object.fromEntries(entries.map((field) => [field, after[field]]));
}

function related(names: readonly (string | undefined)[]): object | undefined {
	const user = [...new Set(names.filter((name) => name !== undefined && name !== ""))];
	return user.length === 0 ? undefined : { user };
}

function userNameOf(side: Account | Group | undefined): string | undefined {
	return side !== undefined && "userName" in side ? side.userName : undefined;
}

function side(text: string | undefined): Account | Group | undefined {
	return text === undefined ? undefined : (JSON.parse(text) as Account | Group);
}
