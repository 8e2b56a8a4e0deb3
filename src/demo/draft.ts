import { integerOf, sidText, textOf, timeOf, type Value, valueKey } from "../core/syntax.ts";
import { dereference } from "./base.ts";
import { fileTime } from "./bind.ts";
import { claimSam, held } from "./hold.ts";
import type { Host } from "./host.ts";
import { link, unlink } from "./links.ts";
import { noteAttributes, noteLink } from "./metadata.ts";
import { refuse } from "./result.ts";
import { type AttributeType, isForwardLink, typeOf } from "./schema.ts";
import { type AdObject, hex, type Store, stamp } from "./store.ts";

export interface ModifyOptions {
	/** Control 1.2.840.113556.1.4.1413: adding what is there and deleting what is not are no errors. */
	readonly isPermissive: boolean;
	/** A password may be written only over an encrypted connection. */
	readonly isSecure: boolean;
}

/** What an object's attributes are to be: read and checked as a whole before anything is written. */
export interface Draft {
	readonly plain: Map<string, readonly Value[]>;
	readonly links: Map<string, readonly AdObject[]>;
	password: string | undefined;
}

export interface Wish {
	readonly kind: "add" | "delete" | "replace";
	readonly attribute: string;
	readonly values: readonly Value[];
}

/** Works the modifications out against what the object has; refuses as AD does, and changes nothing. */
export function readDraft(host: Host, object: AdObject, wishes: readonly Wish[], options: ModifyOptions): Draft {
	const draft: Draft = { plain: new Map(), links: new Map(), password: undefined };
	for (const wish of wishes) {
		const name = wish.attribute.toLowerCase();
		const type = typeOf(name);
		if (type === undefined)
			return refuse(
				"noSuchAttribute",
				`00000057: LdapErr: DSID-0C090EA9, comment: Error in attribute conversion operation (${wish.attribute}), data 0, v1db1`,
			);
		refuseUnwritable(object, type);
		if (name === "unicodepwd" || name === "userpassword") {
			draft.password = readPassword(name, wish.values, options.isSecure);
			continue;
		}
		if (isForwardLink(name)) {
			const before = draft.links.get(name) ?? [...(object.links.get(name) ?? [])];
			const wanted = wish.values.map((value) => linkTarget(host.store, value));
			draft.links.set(
				name,
				combine(before, wanted, wish.kind, (target) => target, options),
			);
		} else {
			const before = draft.plain.get(name) ?? object.attributes.get(name) ?? [];
			const wanted = wish.values.map((value) => checked(type, value));
			draft.plain.set(
				name,
				combine(before, wanted, wish.kind, (value) => valueKey(value, type.syntax), options),
			);
		}
		if (name === "samaccountname" && draft.plain.get(name)?.length === 0) {
			return refuse("objectClassViolation", "00002014: UpdErr: DSID-031A11E5, problem 6002 (OBJ_CLASS_VIOLATION), data 0");
		}
		const after = draft.links.get(name) ?? draft.plain.get(name) ?? [];
		if (type.isSingle && after.length > 1)
			return refuse("constraintViolation", "00002081: AtrErr: DSID-03151904, #1: 0: 00002081 (CONSTRAINT_ATT_TYPE), single-valued");
	}
	return draft;
}

function refuseUnwritable(object: AdObject, type: AttributeType): void {
	const name = type.name.toLowerCase();
	if (name === "name" || name === object.rdn.type.toLowerCase()) {
		refuse("notAllowedOnRdn", "00002016: UpdErr: DSID-031A1262, problem 6004 (CANT_ON_RDN), data 0");
	}
	if (type.kind !== "plain") {
		refuse(
			"unwillingToPerform",
			`0000209A: SvcErr: DSID-031A1081, problem 5003 (WILL_NOT_PERFORM), data 0 (${type.name} is kept by the directory)`,
		);
	}
}

/** unicodePwd is the password in quotes, in UTF-16 (MS-ADTS §3.1.1.3.1.5). */
function readPassword(name: string, values: readonly Value[], isSecure: boolean): string {
	const [value] = values;
	const text =
		value === undefined || typeof value === "string"
			? (value ?? "")
			: Buffer.from(value).toString(name === "unicodepwd" ? "utf16le" : "utf8");
	const quoted = /^"(.*)"$/s.exec(text);
	if (!isSecure || (name === "unicodepwd" && quoted === null)) {
		return refuse("unwillingToPerform", "0000001F: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0");
	}
	return quoted?.[1] ?? text;
}

function linkTarget(store: Store, value: Value): AdObject {
	const target = dereference(store, textOf(value));
	if (target === undefined || target.isDeleted)
		return refuse("noSuchObject", "00000525: NameErr: DSID-031A11F9, problem 2001 (NO_OBJECT), data 0");
	return held(store, target);
}

/** A value as it is held: bytes for binary syntaxes, text for all others, and only if it is one of its syntax. */
function checked({ syntax, name }: AttributeType, value: Value): Value {
	if (syntax === "guid" || syntax === "sid" || syntax === "bytes") return typeof value === "string" ? Buffer.from(value, "latin1") : value;
	const text = textOf(value);
	const isWrong =
		(syntax === "integer" && integerOf(text) === undefined) ||
		(syntax === "boolean" && !/^(TRUE|FALSE)$/.test(text)) ||
		(syntax === "time" && timeOf(text) === undefined);
	if (isWrong || text === "")
		return refuse("invalidAttributeSyntax", `00000057: LdapErr: DSID-0C090D38, comment: invalid value for ${name}, data 0, v1db1`);
	return text;
}

function combine<T>(
	before: readonly T[],
	wanted: readonly T[],
	kind: Wish["kind"],
	identify: (one: T) => unknown,
	{ isPermissive }: ModifyOptions,
): readonly T[] {
	const has = new Set(before.map(identify));
	const given = new Set(wanted.map(identify));
	if (kind !== "delete" && given.size !== wanted.length)
		return refuse("attributeOrValueExists", "00002083: AtrErr: DSID-03151830, #1: 0: 00002083 (ATT_OR_VALUE_EXISTS)");
	if (kind === "replace") return wanted;
	if (kind === "add") {
		const fresh = wanted.filter((one) => !has.has(identify(one)));
		if (fresh.length < wanted.length && !isPermissive)
			return refuse("attributeOrValueExists", "00000562: UpdErr: DSID-031A122D, problem 6006 (ATT_OR_VALUE_EXISTS), data 0");
		return [...before, ...fresh];
	}
	const isMissing = wanted.length === 0 ? before.length === 0 : wanted.some((one) => !has.has(identify(one)));
	if (isMissing && !isPermissive)
		return refuse("noSuchAttribute", "00002085: AtrErr: DSID-03152BE1, #1: 0: 00002085 (NO_ATTRIBUTE_OR_VAL)");
	return wanted.length === 0 ? [] : before.filter((one) => !given.has(identify(one)));
}

/** Writes a draft. The caller moves the USN when something changed. */
export function applyDraft(host: Host, object: AdObject, draft: Draft): "changed" | "same" {
	const { store, credentials } = host;
	let outcome: "changed" | "same" = "same";
	const usn = store.highestUsn + 1;
	const sam = draft.plain.get("samaccountname")?.[0] ?? object.attributes.get("samaccountname")?.[0];
	if (sam !== undefined) claimSam(store, object, textOf(sam));
	const primaryBefore = object.attributes.get("primarygroupid")?.[0];
	for (const [name, values] of draft.plain) {
		const stored = name === "pwdlastset" ? values.map((value) => (textOf(value) === "-1" ? fileTime(store.clock()) : value)) : values;
		if (isSame(object.attributes.get(name) ?? [], stored)) continue;
		if (stored.length === 0) object.attributes.delete(name);
		else object.attributes.set(name, stored);
		noteAttributes(object, usn, [name]);
		outcome = "changed";
	}
	for (const [name, targets] of draft.links) if (relink(object, usn, name, targets)) outcome = "changed";
	if (draft.password !== undefined) {
		credentials.passwords.set(hex(object.guid), draft.password);
		object.attributes.set("pwdlastset", [fileTime(store.clock())]);
		outcome = "changed";
	}
	const primaryAfter = object.attributes.get("primarygroupid")?.[0];
	if (primaryBefore !== undefined && primaryAfter !== undefined && store.objects.has(hex(object.guid))) {
		swapPrimaryGroup(store, object, textOf(primaryBefore), textOf(primaryAfter));
	}
	setAccountType(object);
	return outcome;
}

function isSame(before: readonly Value[], after: readonly Value[]): boolean {
	// Spelling counts here: "ann" written over "Ann" is a change.
	const spelled = (values: readonly Value[]): string[] => values.map((value) => (typeof value === "string" ? value : hex(value)));
	const [left, right] = [spelled(before), spelled(after)];
	return left.length === right.length && left.every((value, index) => value === right[index]);
}

function relink(object: AdObject, usn: number, name: string, targets: readonly AdObject[]): boolean {
	const before = new Set(object.links.get(name));
	const after = new Set(targets);
	const [went, came] = [[...before].filter((target) => !after.has(target)), [...after].filter((target) => !before.has(target))];
	for (const target of went) unlink(object, name, target);
	for (const target of came) link(object, name, target);
	for (const target of [...went, ...came]) noteLink(object, usn, name, target, after.has(target));
	return went.length > 0 || came.length > 0;
}

/** The old primary group becomes an ordinary one, and the new one is not listed any more: primary members stand in no `member`. */
function swapPrimaryGroup(store: Store, object: AdObject, before: string, after: string): void {
	if (before === after) return;
	const old = groupOfRid(store, before);
	const now = groupOfRid(store, after);
	if (old !== undefined && !old.links.get("member")?.has(object)) {
		link(old, "member", object);
		stamp(store, old);
		noteLink(old, old.usnChanged, "member", object, true);
	}
	if (now?.links.get("member")?.has(object)) {
		unlink(now, "member", object);
		stamp(store, now);
		noteLink(now, now.usnChanged, "member", object, false);
	}
}

function groupOfRid(store: Store, rid: string): AdObject | undefined {
	for (const object of store.objects.values()) {
		if (object.sid !== undefined && sidText(object.sid) === `${store.domainSid}-${rid}`) return object;
	}
	return undefined;
}

/** sAMAccountType follows from class, userAccountControl and groupType (MS-SAMR §3.1.1.8.1). */
export function setAccountType(object: AdObject): void {
	const numberOf = (name: string): number => Number(object.attributes.get(name)?.[0] ?? 0);
	if (object.classes.includes("user")) {
		const flags = numberOf("useraccountcontrol");
		const type = flags & 0x0800 ? "805306370" : flags & 0x3000 ? "805306369" : "805306368";
		object.attributes.set("samaccounttype", [type]);
	} else if (object.classes.includes("group")) {
		const type = numberOf("grouptype");
		const isSecurity = type < 0;
		const isLocal = (type & 4) !== 0;
		object.attributes.set("samaccounttype", [isLocal ? (isSecurity ? "536870912" : "536870913") : isSecurity ? "268435456" : "268435457"]);
	}
}
