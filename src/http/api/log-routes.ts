import { z } from "zod";
import { logRowJson } from "../../contract/log-row-json.ts";
import { Failure } from "../../core/errors.ts";
import type { Place } from "../../store/slice.ts";
import type { Reads } from "../reads.ts";
import { only } from "./account-routes.ts";
import { answer, flag, from, said, someName, to } from "./fields.ts";
import { type ApiScope, reading } from "./operation.ts";
import { page, pageOf, pageQuery } from "./paging.ts";
import { logRow } from "./run-schemas.ts";

const filters = {
	from: said(from.optional(), "From this day (UTC) or instant on.", ["2026-11-01", "2026-11-01T09:00:00Z"]),
	to: said(to.optional(), "Up to this day, it included, or before this instant."),
	account: said(someName.optional(), "Of this account: userName, e-mail address or anchor; of one that is gone the anchor."),
	source: said(someName.optional(), "Of this source."),
	target: said(someName.optional(), "The doing of this target alone."),
	subject: said(someName.optional(), "account or group; of decisions source, plan, run, target or database."),
	kind: said(someName.optional(), "Of this kind."),
	decisions: said(flag.optional(), "true: what people decided or had done, and who."),
	order: said(z.enum(["oldest", "newest"]).default("oldest"), "Which comes first."),
	afterSequence: said(
		z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
		"Rows behind the one of this `sequence`, in the order asked for: so is a log followed whose last row is known.",
	),
};

/** The change log. */
export function addLogRoutes(scope: ApiScope, reads: Reads): void {
	scope.get(
		"/changes",
		{
			schema: reading({
				...{ operationId: "listChanges", tags: ["runs"], summary: "The change log: every change, and every decision with who made it" },
				querystring: pageQuery("changes", ["number"], filters),
				response: { 200: pageOf(logRow) },
			}),
		},
		async ({ query }, reply) => {
			const { account, decisions, limit, after, afterSequence, ...rest } = query;
			if (rest.from !== undefined && rest.to !== undefined && rest.from >= rest.to) {
				throw new Failure("USAGE", "from is not before to", { hint: "Give the earlier one as from; a day as to is included." });
			}
			const anchor = account === undefined ? undefined : anchorOf(reads, account);
			const filter = { from: undefined, to: undefined, source: undefined, target: undefined, subject: undefined, kind: undefined, ...rest };
			const asked = { ...filter, anchor, isDecision: decisions === true };
			const start = { after: after ?? (afterSequence === undefined ? undefined : [afterSequence]), limit };
			const slice = (place: Place | undefined, most: number) => reads.log(asked, place, most);
			return page(reply, "changes", start, slice, (row) => answer(logRow, logRowJson(row)));
		},
	);
}

/** Rows name accounts by their anchors, also those that are gone. */
function anchorOf(reads: Reads, account: string): string {
	const found = reads.accountsNamed(account);
	const anchors = new Set(found.map(({ anchor }) => anchor));
	if (found.length === 0 || anchors.size === 1) return found[0]?.anchor ?? account.toLowerCase();
	return only(found, "account", account, "").anchor;
}
