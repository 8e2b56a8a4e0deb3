import type { z } from "zod";
import { pinJson } from "../../contract/account-json.ts";
import { sourceJson, targetJson } from "../../contract/status-json.ts";
import { instant } from "../../lib/instant.ts";
import type { HeldBrief } from "../../store/views.ts";
import type { Reads } from "../reads.ts";
import { pin, quarantined } from "./account-schemas.ts";
import { answer, said, someName } from "./fields.ts";
import { type ApiScope, checkName, reading } from "./operation.ts";
import { page, pageOf, pageQuery } from "./paging.ts";
import { plan } from "./run-schemas.ts";
import { rule, source, status, target } from "./status-schemas.ts";

const sources = pageOf(source);
const targets = pageOf(target);
const rules = pageOf(rule);

/** How it stands: what is configured, and what is not as it should be. */
export function addStateRoutes(scope: ApiScope, reads: Reads): void {
	const tags = ["state"];

	scope.get(
		"/status",
		{ schema: reading({ operationId: "getStatus", tags, summary: "Sources, targets, and what is held", response: { 200: status } }) },
		async () => {
			const { status: how, description, notes } = reads.health();
			return answer(status, {
				...{ version: reads.version(), startedAt: instant(reads.startedAt()), health: { status: how, description, notes } },
				sources: reads.sources().map(sourceJson),
				targets: reads.targets().map((each) => targetJson(each, true)),
				schedule: reads.schedule().map(({ running, next, intervalMs, ...rest }) => ({
					...rest,
					running: running === undefined ? null : { mode: running.mode, since: instant(running.since) },
					next: { full: instant(next.full), delta: instant(next.delta) },
					intervalMs: intervalMs ?? null,
				})),
				held: reads.heldBriefly(0).map(planJson),
			});
		},
	);
	scope.get(
		"/sources",
		{ schema: reading({ operationId: "listSources", tags, summary: "The sources of the configuration", response: { 200: sources } }) },
		async () => answer(sources, { items: reads.sources().map(sourceJson), next: null }),
	);
	scope.get(
		"/targets",
		{ schema: reading({ operationId: "listTargets", tags, summary: "The targets of the configuration", response: { 200: targets } }) },
		async () => answer(targets, { items: reads.targets().map((each) => targetJson(each, true)), next: null }),
	);
	scope.get(
		"/rules",
		{
			schema: reading({
				operationId: "listRules",
				tags,
				summary: "Features and policies, and how many have each",
				response: { 200: rules },
			}),
		},
		async () => answer(rules, { items: reads.rules(), next: null }),
	);

	const ofSource = { source: said(someName.optional(), "Of this source alone.") };
	scope.get(
		"/quarantine",
		{
			schema: reading({
				...{ operationId: "listQuarantine", tags, summary: "Entries that are set aside, each with its reason" },
				querystring: pageQuery("quarantine", ["number", "number"], ofSource),
				response: { 200: pageOf(quarantined) },
			}),
		},
		async ({ query }, reply) => {
			checkName("source", query.source, reads.sources().map(nameOf));
			const slice = (after: Parameters<Reads["quarantine"]>[1], limit: number) => reads.quarantine(query.source, after, limit);
			return page(reply, "quarantine", query, slice, (view) => answer(quarantined, { ...view, since: instant(view.since) }));
		},
	);
	scope.get(
		"/pins",
		{
			schema: reading({
				...{ operationId: "listPins", tags, summary: "What is kept of accounts since runs were taken back" },
				querystring: pageQuery("pins", ["number", "string"], {}),
				response: { 200: pageOf(pin) },
			}),
		},
		async ({ query }, reply) =>
			page(reply, "pins", query, reads.pins, (view) => {
				const { source: of, anchor, name } = view;
				return answer(pin, { source: of, anchor, name, ...pinJson(view) });
			}),
	);
}

/** A held plan as `status --json` has it. */
export function planJson({ plan: name, source: of, since, kinds, count }: HeldBrief): z.output<typeof plan> {
	return answer(plan, { plan: name, source: of, since: instant(since), kinds, changes: count });
}

export function nameOf({ source: name }: { readonly source: string }): string {
	return name;
}
