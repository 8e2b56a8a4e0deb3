import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifySchema, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { Failure } from "../../core/errors.ts";
import { instant } from "../../lib/instant.ts";
import { nearest } from "../../lib/nearest.ts";
import type { RunReport } from "../../sync/report.ts";
import { answer } from "./fields.ts";
import { report } from "./run-schemas.ts";

/** Where routes are added whose schemas are zod's. */
export type ApiScope = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

type Described = FastifySchema & { readonly operationId: string; readonly summary: string; readonly description?: string };

/** A route that only reads: either token will do. */
export function reading<const Schema extends Described>(schema: Schema): Schema {
	return needing("Needs the viewer's or the operator's token.", schema);
}

/** A route that changes something. */
export function deciding<const Schema extends Described>(schema: Schema): Schema {
	return needing("Needs the operator's token. It is a row of the change log, with who and when.", schema);
}

/**
 * Who decides, for the change log. Known is that somebody had the operator's token, and came this way; a name is what they said it is,
 * and cannot be mistaken for one that a command was run under.
 */
export function deciderOf(claimed: string | undefined): string {
	return `${claimed ?? "operator"} (api)`;
}

/** A report as it leaves. */
export function reportAnswer(given: RunReport) {
	return answer(report, { ...given, startedAt: instant(given.startedAt) });
}

/** Throws NOT_FOUND, with the nearest name that there is. */
export function checkName(what: string, name: string | undefined, known: readonly string[]): void {
	if (name === undefined || known.includes(name)) return;
	const near = nearest(name, known);
	const hint = near === undefined ? `There is: ${known.join(", ") || "none"}.` : `Did you mean ${near}?`;
	throw new Failure("NOT_FOUND", `there is no ${what} ${JSON.stringify(name)}`, { hint });
}

function needing<Schema extends Described>(role: string, schema: Schema): Schema {
	return { ...schema, description: schema.description === undefined ? role : `${schema.description} ${role}` };
}
