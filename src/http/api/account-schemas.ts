import { z } from "zod";
import { anInstant, component, count, runNumber, said } from "./fields.ts";

const names = z.array(z.string());

const fields = {
	userName: z.string(),
	displayName: z.string().optional(),
	name: z.strictObject({ givenName: z.string().optional(), familyName: z.string().optional() }).optional(),
	emails: z.array(z.strictObject({ value: z.string(), type: z.enum(["work", "other"]), primary: z.literal(true).optional() })).optional(),
	active: z.boolean(),
	title: z.string().optional(),
	department: z.string().optional(),
	phoneNumbers: z.array(z.strictObject({ value: z.string(), type: z.enum(["work", "mobile"]) })).optional(),
	manager: said(z.string().optional(), "The manager's anchor, when the manager is in scope."),
	employeeNumber: z.string().optional(),
	features: said(names.optional(), "Features that are on, by rules."),
	policies: said(z.record(z.string(), z.string()).optional(), "Each policy's value, by rules."),
};

/** One side of a change of an account. */
export const accountSide = component(
	"AccountSide",
	"An account before or after a change, in SCIM's field names (RFC 7643). A field without a value is left out.",
	z.strictObject(fields),
);

const pinFields = {
	part: said(z.string(), 'What is kept: "state", a field, "feature NAME" or "policy NAME".'),
	kept: said(z.unknown(), 'What it is kept at; of a state "active", "disabled" or "none".'),
	run: said(runNumber, "The run that was taken back."),
	by: z.string(),
	at: anInstant,
};

export const pinOfAccount = z.strictObject(pinFields);

export const pin = component(
	"Pin",
	"What is kept of an account since a run was taken back, for as long as the directory goes on to say what it said then.",
	z.strictObject({ source: z.string(), anchor: z.string(), name: z.string(), ...pinFields }),
);

export const accountState = z.enum(["applied", "pending", "held", "failed", "released"]);

export const account = component(
	"Account",
	"An account, as `accounts --json` prints it. A field without a value is left out.",
	z.strictObject({
		source: z.string(),
		anchor: said(z.string(), "The identifier that survives renames; of Active Directory the objectGUID."),
		...fields,
		groups: said(names.optional(), "Names of the groups it is in, nested ones included."),
		pins: z.array(pinOfAccount).optional(),
		targets: said(
			z.record(z.string(), z.strictObject({ state: accountState, remoteId: z.string().optional(), error: z.string().optional() })),
			"By name of the target.",
		),
	}),
);

const groupFields = {
	source: z.string(),
	anchor: z.string(),
	displayName: z.string(),
	description: z.string().optional(),
	email: z.string().optional(),
	memberCount: said(count, "Accounts in it, nested ones included."),
	targets: z.record(
		z.string(),
		z.strictObject({ state: z.enum(["applied", "pending", "failed"]), remoteId: z.string().optional(), error: z.string().optional() }),
	),
};

export const group = component("Group", "A group, as `groups --json` prints it, without its members.", z.strictObject(groupFields));

export const groupDetail = component(
	"GroupDetail",
	"A group, and who is in it of whom there is no account.",
	z.strictObject({ ...groupFields, others: said(names, "The first ten direct members that are no accounts, by DN.") }),
);

export const member = component(
	"Member",
	"An account in a group.",
	z.strictObject({
		anchor: z.string(),
		userName: z.string(),
		active: z.boolean(),
		isDirect: said(z.boolean(), "In the group itself, and not only in one that is in it."),
	}),
);

/** One side of a change of a group. */
export const groupSide = component(
	"GroupSide",
	"A group before or after a change; of its members those that the change is about.",
	z.strictObject({
		displayName: z.string(),
		description: z.string().optional(),
		email: z.string().optional(),
		members: said(names.optional(), "Anchors, the first thousand."),
		memberCount: count.optional(),
	}),
);

export const quarantined = component(
	"Quarantined",
	"An entry that is set aside; never taken for missing.",
	z.strictObject({ source: z.string(), anchor: z.string(), name: z.string(), reason: z.string(), since: anInstant }),
);
