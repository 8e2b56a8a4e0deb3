import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { groupJson } from "../../contract/account-json.ts";
import type { Place } from "../../store/slice.ts";
import type { GroupView } from "../../store/views.ts";
import type { Reads } from "../reads.ts";
import { only } from "./account-routes.ts";
import { group, groupDetail, member } from "./account-schemas.ts";
import { answer, said, someName } from "./fields.ts";
import { type ApiScope, checkName, reading } from "./operation.ts";
import { page, pageOf, pageQuery } from "./paging.ts";
import { nameOf } from "./state-routes.ts";

/** Members of a group that are no accounts, as far as they are named. */
const STRANGERS = 10;

const params = z.strictObject({ group: said(someName, "A displayName (A to Z without regard to case) or an anchor.") });
const source = { source: said(someName.optional(), "Of this source alone.") };

/** Groups and who is in them. */
export function addGroupRoutes(scope: ApiScope, reads: Reads): void {
	const tags = ["people"];

	scope.get(
		"/groups",
		{
			schema: reading({
				...{ operationId: "listGroups", tags, summary: "Groups, in the order in which they were first seen" },
				querystring: pageQuery("groups", ["number"], {
					...source,
					displayName: said(someName.optional(), "How the displayName begins; A to Z without regard to case."),
				}),
				response: { 200: pageOf(group) },
			}),
		},
		async ({ query }, reply) => {
			checkName("source", query.source, reads.sources().map(nameOf));
			const name = query.displayName === undefined ? undefined : ({ kind: "prefix", text: query.displayName } as const);
			const slice = (after: Place | undefined, limit: number) => reads.groups({ source: query.source, name }, after, limit);
			return page(reply, "groups", query, slice, (view) => answer(group, groupJson(view)));
		},
	);
	scope.get(
		"/groups/:group",
		{
			schema: reading({
				...{ operationId: "getGroup", tags, summary: "One group; its members are a list of their own", params },
				...{ querystring: z.strictObject(source), response: { 200: groupDetail } },
			}),
		},
		async ({ params: { group: name }, query }) => {
			const view = await oneGroup(reads, name, query.source);
			return answer(groupDetail, { ...groupJson(view), others: reads.strangers(view, STRANGERS) });
		},
	);
	scope.get(
		"/groups/:group/members",
		{
			schema: reading({
				...{ operationId: "listMembers", tags, summary: "Accounts in a group, nested ones included", params },
				...{ querystring: pageQuery("members", ["number"], source), response: { 200: pageOf(member) } },
			}),
		},
		async ({ params: { group: name }, query }, reply) => {
			const view = await oneGroup(reads, name, query.source);
			const slice = (after: Place | undefined, limit: number) => reads.members(view, after, limit);
			return page(reply, "members", query, slice, (each) => answer(member, each));
		},
	);
}

/** So many of one name are shown; more say nothing more. */
const MOST = 10;

/** Throws NOT_FOUND or AMBIGUOUS. Names have no index: all are looked at, in slices. */
async function oneGroup(reads: Reads, name: string, source: string | undefined): Promise<GroupView> {
	const found = [...reads.groupsByAnchor(name.toLowerCase())].filter((each) => source === undefined || each.source === source);
	if (found.length === 0) {
		const filter = { source, name: { kind: "whole", text: name } } as const;
		for (let after: Place | undefined; ; ) {
			const part = reads.groups(filter, after, MOST);
			found.push(...part.items);
			after = part.reached;
			if (after === undefined || found.length >= MOST) break;
			await nextTurn();
		}
	}
	return only(found, "group", name, "Give its displayName or its anchor.");
}
