import { z } from "zod";
import { changeJson, loggedJson, runJson } from "../../contract/run-json.ts";
import { Failure } from "../../core/errors.ts";
import type { Place } from "../../store/slice.ts";
import type { RunView } from "../../store/views.ts";
import type { Api } from "../api.ts";
import type { Reads } from "../reads.ts";
import { answer, by, changeKind, runParameter, said, someName } from "./fields.ts";
import { type ApiScope, checkName, deciderOf, deciding, reading, reportAnswer } from "./operation.ts";
import { page, pageOf, pageQuery } from "./paging.ts";
import { loggedChange, preview, report, run } from "./run-schemas.ts";
import { nameOf } from "./state-routes.ts";

const params = z.strictObject({ run: said(runParameter, "The number of a run.") });
const reports = z.union([report, z.array(report)]);

const part = {
	kind: said(changeKind.optional(), "Changes of this kind alone."),
	account: said(someName.optional(), "This account alone: a userName, an e-mail address or an anchor."),
};

/** Runs, what they changed, and taking them back. */
export function addRunRoutes(scope: ApiScope, reads: Reads, api: Api): void {
	const tags = ["runs"];

	scope.get(
		"/runs",
		{
			schema: reading({
				...{ operationId: "listRuns", tags, summary: "Runs, newest first" },
				querystring: pageQuery("runs", ["number"], { source: said(someName.optional(), "Of this source alone.") }),
				response: { 200: pageOf(run) },
			}),
		},
		async ({ query }, reply) => {
			checkName("source", query.source, reads.sources().map(nameOf));
			const slice = (after: Place | undefined, limit: number) => reads.runs(query.source, after, limit);
			return page(reply, "runs", query, slice, (view) => answer(run, runJson(view)));
		},
	);
	scope.get(
		"/runs/:run",
		{
			schema: reading({
				operationId: "getRun",
				tags,
				summary: "One run; its changes are a list of their own",
				params,
				response: { 200: run },
			}),
		},
		async ({ params: { run: id } }) => answer(run, runJson(oneRun(reads, id))),
	);
	scope.get(
		"/runs/:run/changes",
		{
			schema: reading({
				...{ operationId: "listRunChanges", tags, summary: "What a run changed, and what became of it", params },
				...{ querystring: pageQuery("run-changes", ["number"], {}), response: { 200: pageOf(loggedChange) } },
			}),
		},
		async ({ params: { run: id }, query }, reply) => {
			oneRun(reads, id);
			const slice = (after: Place | undefined, limit: number) => reads.runChanges(id, after, limit);
			return page(reply, "run-changes", query, slice, (change) => answer(loggedChange, loggedJson(change)));
		},
	);
	scope.get(
		"/runs/:run/revert",
		{
			schema: reading({
				...{ operationId: "previewRevert", tags, summary: "What taking a run back would do: the command `revert` without --apply" },
				description: "Nothing is changed.",
				params,
				querystring: z.strictObject({
					...part,
					limit: said(z.coerce.number().int().min(1).max(500).default(100), "So many of its changes are shown."),
				}),
				response: { 200: preview },
			}),
		},
		async ({ params: { run: id }, query: { kind, account, limit } }) => {
			const { source, plan, summary, held, revert, changes, count } = await reads.preview({ run: id, kind, user: account }, limit);
			const { run: reverts, leftAlone, leftAloneCount } = revert;
			return answer(preview, {
				...{ reverts, leftAlone, leftAloneCount, plan, source, summary, held, changes: changes.map(changeJson), changesCount: count },
			});
		},
	);
	scope.post(
		"/runs/:run/revert",
		{
			schema: deciding({
				...{ operationId: "revertRun", tags, summary: "Takes back what a run did", params },
				description: "It passes the gate like any plan; what it takes back stays so until the directory says something else of it.",
				body: z.strictObject({ ...part, by: said(by.optional(), "Who decides.") }),
				response: { 200: report },
			}),
		},
		async ({ params: { run: id }, body: { kind, account, by: claimed } }) =>
			reportAnswer(await api.revert({ run: id, kind, user: account }, deciderOf(claimed))),
	);
	scope.post(
		"/sync",
		{
			schema: deciding({
				...{ operationId: "sync", tags, summary: "Reads a source now and carries out what is not held" },
				description: "Answers when the run has ended, with its report; without `source`, with a list of one for each.",
				body: z.strictObject({
					source: said(someName.optional(), "This source alone."),
					mode: said(z.enum(["full", "delta", "auto"]).optional(), "auto, without it: a delta where there is one to start from."),
					full: said(z.boolean().optional(), "true: the same as mode full."),
					by: said(by.optional(), "Who asks for it."),
				}),
				response: { 200: reports },
			}),
		},
		async ({ body: { source, mode, full, by: claimed } }) => {
			checkName("source", source, api.sources());
			const make = async (name: string) =>
				reportAnswer(await api.sync(name, mode ?? (full === true ? "full" : "auto"), deciderOf(claimed)));
			return answer(reports, source === undefined ? await Promise.all(api.sources().map(make)) : await make(source));
		},
	);
}

function oneRun(reads: Reads, id: number): RunView {
	const view = reads.run(id);
	if (view !== undefined) return view;
	throw new Failure("NOT_FOUND", `there is no run ${id}`, { hint: "Old ones are dropped (retention.runs)." });
}
