import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { nearest } from "../../lib/nearest.ts";
import { type ProblemPart, problem, refuse } from "../problem.ts";

/** Values that somebody sent are shown as far as this. */
const MOST_SHOWN = 200;

/**
 * Parses path, query and body by the route's schemas, and refuses the request with everything that is wrong with any of them: Fastify's
 * own way stops at the first. A body that is left out is an empty one.
 */
export async function validate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
	const { params, querystring, body } = request.routeOptions.schema ?? {};
	const parts: ProblemPart[] = [];
	const parse = (schema: unknown, given: unknown, kind: "parameter" | "pointer"): unknown => {
		if (!(schema instanceof z.ZodType)) return given;
		const parsed = schema.safeParse(given);
		if (!parsed.success) parts.push(...parsed.error.issues.flatMap((issue) => partsOf(issue, given, kind, namesIn(schema))));
		return parsed.data;
	};
	request.params = parse(params, request.params, "parameter");
	request.query = parse(querystring, request.query, "parameter");
	request.body = parse(body, request.body ?? {}, "pointer");
	const [first, ...others] = parts;
	if (first === undefined) return undefined;
	const more = others.length === 0 ? "" : `, and ${others.length} more`;
	const message = `${first.parameter ?? first.pointer} ${first.detail}${more}`;
	return refuse(reply, { ...problem("USAGE", message, `${first.remedy.replace(/^./, (letter) => letter.toUpperCase())}.`), errors: parts });
}

type Issue = z.core.$ZodIssue;

function partsOf(issue: Issue, given: unknown, kind: "parameter" | "pointer", known: readonly string[]): readonly ProblemPart[] {
	if (issue.code === "unrecognized_keys") {
		return issue.keys.map((key) => {
			const near = nearest(key, known);
			const remedy = near !== undefined ? `write ${near}` : known.length === 0 ? "leave it out" : `known are ${known.join(", ")}`;
			return { ...placeOf(kind, [key]), detail: "is not known here", value: shown(valueAt(given, [key])), remedy };
		});
	}
	const value = valueAt(given, issue.path);
	return [{ ...placeOf(kind, issue.path), ...wordsOf(issue, value), value: shown(value) }];
}

function wordsOf(issue: Issue, value: unknown): { readonly detail: string; readonly remedy: string } {
	switch (issue.code) {
		case "invalid_value": {
			const values = issue.values.map(String);
			const near = typeof value === "string" ? nearest(value, values) : undefined;
			return { detail: `is none of ${values.join(", ")}`, remedy: near === undefined ? "give one of these" : `write ${near}` };
		}
		case "too_small":
			if (issue.origin === "string") return { detail: "is empty", remedy: "give a name, or leave it out" };
			return { detail: `is less than ${issue.minimum}`, remedy: `give ${issue.minimum} or more` };
		case "too_big":
			if (issue.origin === "string") return { detail: "is too long", remedy: `give ${issue.maximum} characters at most` };
			return { detail: `is more than ${issue.maximum}`, remedy: `give ${issue.maximum} or less` };
		case "invalid_type": {
			if (Array.isArray(value)) return { detail: "is there more than once, or a list", remedy: "give it once" };
			if (value === undefined) return { detail: "is missing", remedy: "give it" };
			const wanted = issue.expected === "int" || issue.expected === "number" ? "whole number" : issue.expected;
			return { detail: `is no ${wanted}`, remedy: `give ${/^[aeiou]/.test(wanted) ? "an" : "a"} ${wanted}` };
		}
		case "invalid_format":
			return { detail: issue.message, remedy: remedies[issue.message] ?? "give it in the form that /api/v1/openapi.json describes" };
		default:
			return { detail: issue.message, remedy: remedies[issue.message] ?? "see /api/v1/openapi.json" };
	}
}

const remedies: Readonly<Record<string, string>> = {
	"holds control characters": "leave them out",
	"is no cursor of this list": "give the `next` of a page of this list, or leave it out for the first page",
	"is neither a day (2026-11-01) nor an instant with its zone (2026-11-01T09:00:00Z)": "give one of the two",
};

function placeOf(kind: "parameter" | "pointer", path: readonly PropertyKey[]): Pick<ProblemPart, "parameter" | "pointer"> {
	if (kind === "parameter") return { parameter: path.map(String).join(".") };
	return { pointer: `#${path.map((part) => `/${encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}` };
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
	return path.reduce<unknown>(
		(value, key) => (typeof value === "object" && value !== null ? (value as Readonly<Record<PropertyKey, unknown>>)[key] : undefined),
		given,
	);
}

function shown(value: unknown): unknown {
	const text = JSON.stringify(value) ?? "null";
	return text.length <= MOST_SHOWN ? (value ?? null) : `${text.slice(0, MOST_SHOWN)}…`;
}

function namesIn(schema: z.ZodType): readonly string[] {
	return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
