import { z } from "zod";
import { accountJson } from "../../contract/account-json.ts";
import { explanationJson } from "../../contract/explanation-json.ts";
import { Failure } from "../../core/errors.ts";
import type { AccountView } from "../../store/views.ts";
import type { Api } from "../api.ts";
import type { Reads } from "../reads.ts";
import { account, accountState } from "./account-schemas.ts";
import { explanation } from "./explanation-schemas.ts";
import { answer, by, count, flag, said, someName } from "./fields.ts";
import { type ApiScope, checkName, deciderOf, deciding, reading } from "./operation.ts";
import { page, pageOf, pageQuery } from "./paging.ts";
import { nameOf } from "./state-routes.ts";

const user = said(someName, "A userName, an e-mail address or an anchor, without regard to case.");
const fromSource = z.strictObject({ source: said(someName.optional(), "Where a name means several: the one of this source.") });
const explanations = pageOf(explanation);
const unpinned = z.strictObject({ accounts: count, pins: count });

const filters = {
	source: said(someName.optional(), "Of this source alone."),
	active: said(flag.optional(), "Those that are active, or those that are disabled."),
	target: said(someName.optional(), "Those that this target has, or is to have."),
	state: said(accountState.optional(), "How their delivery stands: at `target`, or at any."),
	userName: said(someName.optional(), "How the userName begins; A to Z without regard to case."),
	text: said(someName.optional(), "What stands somewhere in the userName or the displayName; A to Z without regard to case."),
};

/** Accounts, and why they are as they are. */
export function addAccountRoutes(scope: ApiScope, reads: Reads, api: Api): void {
	const tags = ["people"];

	scope.get(
		"/accounts",
		{
			schema: reading({
				...{ operationId: "listAccounts", tags, summary: "Accounts, in order of userName" },
				querystring: pageQuery("accounts", ["string", "number"], filters),
				response: { 200: pageOf(account) },
			}),
		},
		async ({ query }, reply) => {
			const { source, active, target, state, userName, text } = query;
			checkName("source", source, reads.sources().map(nameOf));
			checkName(
				"target",
				target,
				reads.targets().map(({ target: name }) => name),
			);
			const filter = { source, active, target, state, userName, text };
			return page(
				reply,
				"accounts",
				query,
				(after, limit) => reads.accounts(filter, after, limit),
				(view) => answer(account, accountJson(view)),
			);
		},
	);
	scope.get(
		"/accounts/:user",
		{
			schema: reading({
				...{ operationId: "getAccount", tags, summary: "One account", params: z.strictObject({ user }), querystring: fromSource },
				response: { 200: account },
			}),
		},
		async ({ params, query }) => answer(account, accountJson(oneAccount(reads, params.user, query.source))),
	);
	scope.get(
		"/explain",
		{
			schema: reading({
				...{ operationId: "explain", tags, summary: "Why somebody's account is as it is, or is not there: mostly one explanation" },
				description: "Who is not known here is asked for in the directory.",
				querystring: z.strictObject({
					user: said(someName, "A userName, an e-mail address, a DN, a GUID or a logon name.", ["ada@corp.example.com"]),
				}),
				response: { 200: explanations },
			}),
		},
		async ({ query }) => answer(explanations, { items: (await reads.explain(query.user)).map(explanationJson), next: null }),
	);
	scope.post(
		"/accounts/:user/unpin",
		{
			schema: deciding({
				...{ operationId: "unpinAccount", tags, summary: "Lets an account follow the directory again after a revert" },
				params: z.strictObject({ user: said(someName, "A userName or an anchor.") }),
				body: z.strictObject({ by: said(by.optional(), "Who decides.") }),
				response: { 200: unpinned },
			}),
		},
		async ({ params, body }) => answer(unpinned, await api.unpin(params.user, deciderOf(body.by))),
	);
}

/** Throws NOT_FOUND or AMBIGUOUS. */
export function oneAccount(reads: Reads, name: string, source: string | undefined): AccountView {
	const found = reads.accountsNamed(name).filter((each) => source === undefined || each.source === source);
	return only(found, "account", name, "Give a userName, an e-mail address or an anchor.");
}

/** The one that a name means. Throws NOT_FOUND or AMBIGUOUS. */
export function only<View extends { readonly source: string; readonly anchor: string }>(
	found: readonly View[],
	what: "account" | "group",
	name: string,
	hint: string,
): View {
	const [first, ...others] = found;
	if (first === undefined) throw new Failure("NOT_FOUND", `there is no ${what} ${JSON.stringify(name)}`, { hint });
	if (others.length === 0) return first;
	const which = found.slice(0, 10).map(({ source, anchor }) => `${anchor} of ${source}`);
	throw new Failure("AMBIGUOUS", `${JSON.stringify(name)} means ${found.length} ${what}s`, {
		hint: `Give the anchor, and the source where that is the same: ${which.join(", ")}.`,
	});
}
