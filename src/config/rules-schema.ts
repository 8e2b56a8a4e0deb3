import { z } from "zod";
import type { Condition } from "../core/condition.ts";
import * as formats from "./formats.ts";
import { text } from "./schema-parts.ts";

/** A rule that gives a feature. */
export function feature(when: z.ZodType<Condition>) {
	return z.strictObject(rule(when));
}

/** A rule that gives a policy a value. */
export function policy(when: z.ZodType<Condition>) {
	return z.strictObject({
		...rule(when),
		value: z.union([text(formats.checkText), z.number(), z.boolean()]).describe("What the policy is set to."),
	});
}

function rule(when: z.ZodType<Condition>) {
	return {
		name: text(formats.checkName).describe("What targets, commands and metrics call it."),
		source: text(formats.checkName).optional().describe("For people of this source alone. Without this: of all."),
		when: when.optional().describe("Who gets it. Without this: everybody."),
	};
}
