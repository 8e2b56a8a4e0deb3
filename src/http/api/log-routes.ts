import { z } from "zod";
import { logRowJson } from "../../contract/log-row-json.ts";
import { Failure } from "../../core/errors.ts";
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
	order: said(z.enum(["oldest", "newest"]).default("oldest"), "Which comes first. `next` of the oldest ones goes on where new rows come."),
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
			const { account, decisions, limit: _limit, after: _after, ...rest } = query;
			if (rest.from !== undefined && rest.to !== undefined && rest.from >= rest.to) {
				throw new Failure("USAGE", "from is not before to", { hint: "Give the earlier one as from; a day as to is included." });
			}
			const anchor = account === undefined ? undefined : anchorOf(reads, account);
			const filter = { from: undefined, to: undefined, source: undefined, target: undefined, subject: undefined, kind: undefined, ...rest };
			const asked = { ...filter, anchor, isDecision: decisions === true };
			return page(
				reply,
				"changes",
				query,
				(after, limit) => reads.log(asked, after, limit),
				(row) => answer(logRow, logRowJson(row)),
			);
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
