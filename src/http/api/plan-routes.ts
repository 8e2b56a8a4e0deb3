import { z } from "zod";
import { changeJson } from "../../contract/run-json.ts";
import { Failure } from "../../core/errors.ts";
import type { Place } from "../../store/slice.ts";
import type { HeldBrief } from "../../store/views.ts";
import type { Api } from "../api.ts";
import type { Reads } from "../reads.ts";
import { answer, by, count, said } from "./fields.ts";
import { type ApiScope, deciderOf, deciding, reading, reportAnswer } from "./operation.ts";
import { page, pageOf, pageQuery } from "./paging.ts";
import { plan, plannedChange, report } from "./run-schemas.ts";
import { planJson } from "./state-routes.ts";

const params = z.strictObject({
	plan: said(z.string().regex(/^sha256:[0-9a-f]{64}$/, "is not the hash of a plan"), "The hash of a plan: sha256:…"),
});
const body = z.strictObject({ by: said(by.optional(), "Who decides.") });
const plans = pageOf(plan);
const rejection = z.strictObject({ source: z.string(), rejected: count });

/** What waits for a person. */
export function addPlanRoutes(scope: ApiScope, reads: Reads, api: Api): void {
	const tags = ["decisions"];

	scope.get(
		"/plans",
		{
			schema: reading({ operationId: "listPlans", tags, summary: "Plans that are held until a person decides", response: { 200: plans } }),
		},
		async () => answer(plans, { items: reads.heldBriefly(0).map(planJson), next: null }),
	);
	scope.get(
		"/plans/:plan",
		{
			schema: reading({
				operationId: "getPlan",
				tags,
				summary: "One plan; its changes are a list of their own",
				params,
				response: { 200: plan },
			}),
		},
		async ({ params: { plan: name } }) => planJson(onePlan(reads, name)),
	);
	scope.get(
		"/plans/:plan/changes",
		{
			schema: reading({
				...{ operationId: "listPlanChanges", tags, summary: "What a plan would do, in order of names", params },
				querystring: pageQuery("plan-changes", ["string", "number", "number", "string", "string"], {}),
				response: { 200: pageOf(plannedChange) },
			}),
		},
		async ({ params: { plan: name }, query }, reply) => {
			const slice = (after: Place | undefined, limit: number) => reads.planChanges(name, after, limit);
			const shown = await page(reply, "plan-changes", query, slice, (change) => answer(plannedChange, changeJson(change)));
			// Counting what is held takes longer than a page of it.
			if (shown.items.length === 0) onePlan(reads, name);
			return shown;
		},
	);
	scope.post(
		"/plans/:plan/approve",
		{
			schema: deciding({
				...{ operationId: "approvePlan", tags, summary: "Does what a plan holds, if it is still what was shown" },
				...{ params, body, response: { 200: report } },
			}),
		},
		async ({ params: { plan: name }, body: { by: claimed } }) => reportAnswer(await api.approve(name, deciderOf(claimed))),
	);
	scope.post(
		"/plans/:plan/reject",
		{
			schema: deciding({
				...{ operationId: "rejectPlan", tags, summary: "Does not do what a plan holds, until something else is wanted" },
				...{ params, body, response: { 200: rejection } },
			}),
		},
		async ({ params: { plan: name }, body: { by: claimed } }) => answer(rejection, await api.reject(name, deciderOf(claimed))),
	);
}

function onePlan(reads: Reads, name: string): HeldBrief {
	const view = reads.heldBriefly(0).find((each) => each.plan === name);
	if (view !== undefined) return view;
	throw new Failure("PLAN_UNKNOWN", `no plan ${name} is waiting`, {
		hint: "It was decided, or it dissolved because the directory changed.",
	});
}
