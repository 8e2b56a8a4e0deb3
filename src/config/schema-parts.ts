import { z } from "zod";
import { type MappingField, mappingFields } from "../core/mapping.ts";
import * as formats from "./formats.ts";

/** A text, with a check of its own. */
export function text(check: formats.Check): z.ZodString {
	return z.string().check(({ value, issues }) => {
		const flaw = check(value);
		if (flaw !== undefined) issues.push(flawIssue(value, flaw));
	});
}

/** A map of which exactly one key is to be there. An unknown one may be meant for it, and is said by itself. */
export function exactlyOne(flaw: formats.Flaw) {
	return ({ value, issues }: z.core.ParsePayload<object>): void => {
		const count = Object.keys(value).length;
		if (count === 1 || (count === 0 && issues.some(({ code }) => code === "unrecognized_keys"))) return;
		issues.push(flawIssue(value, flaw));
	};
}

function flawIssue(input: unknown, flaw: formats.Flaw): z.core.$ZodRawIssue {
	return { code: "custom", input, message: flaw.message, params: { remedy: flaw.remedy } };
}

/** A secret, or the one place where it is. */
export function secret() {
	return z.union([
		text(formats.checkText),
		z
			.strictObject({
				file: text(formats.checkText),
				env: text(formats.checkText),
				credential: text(formats.checkName),
				dpapi: text(formats.checkText).describe("A file that Windows' DPAPI made on this machine (deploy/windows/secret.ps1)."),
			})
			.partial()
			.check(exactlyOne({ message: "not exactly one place for the secret", remedy: "write one of file, env, credential and dpapi" })),
	]);
}

/** Templates from entry to account. */
export function mapping() {
	const fields = Object.fromEntries(
		mappingFields.map((field) => [field, text(field === "userName" ? formats.checkUserName : formats.checkTemplate).optional()]),
	) as Record<MappingField, z.ZodOptional<z.ZodString>>;
	return z.strictObject(fields);
}

/** The gate of a source. */
export function limits() {
	return z.strictObject({
		...accountLimits(),
		groups: limit().prefault({}).describe("Groups deleted. By default 10 or 10 percent, whichever is reached first, floor 3."),
		members: limit().prefault({}).describe("Memberships removed from groups. By default 10 percent, floor 50."),
	});
}

/** The gate of accounts, kind by kind. */
export function accountLimits() {
	return {
		create: limit().prefault({}).describe("Without a limit unless set."),
		update: limit().prefault({}).describe("By default 50 percent, floor 10."),
		entitlement: limit().prefault({}).describe("Accounts whose features or policies change. By default 20 percent, floor 10."),
		disable: limit().prefault({}).describe("By default 50 or 5 percent, whichever is reached first, floor 3."),
		enable: limit().prefault({}).describe("Without a limit unless set."),
		delete: limit().prefault({}).describe("By default 10 or 1 percent, whichever is reached first, floor 3."),
	};
}

function limit() {
	return z.strictObject({
		count: z
			.union([z.int().min(0), z.literal("none")])
			.optional()
			.describe("More than so many are held."),
		percent: z
			.union([z.number().min(0).max(100), z.literal("none")])
			.optional()
			.describe("More than this share of the accounts in that state is held."),
		floor: z.int().min(0).optional().describe("So many are never held for their share."),
	});
}
