import type { Group } from "../core/group.ts";
import type { PendingGroupRow } from "../store/group-ledger.ts";
import type { DeliverContext } from "./deliver-context.ts";

/** What every line of the change log about a group's delivery says. */
export function logOfGroup({ target, clock }: DeliverContext, row: PendingGroupRow) {
	const kind = row.wanted === null ? "delete" : row.remote_id === null ? "create" : "update";
	const name = groupIn(row.body ?? row.applied_body)?.displayName ?? "";
	return { at: clock(), run: row.run_id, source: target.name, target: target.name, kind, subject: "group", anchor: row.anchor, name };
}

export function groupIn(body: string | null): Group | undefined {
	return body === null ? undefined : (JSON.parse(body) as Group);
}
