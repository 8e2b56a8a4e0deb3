import { foldText, guidText, textOf } from "../core/syntax.ts";
import { type Ending, wellDone } from "./response.ts";
import { resultCode } from "./result.ts";
import { type AdObject, findDn, hex, type Store } from "./store.ts";
import { dnsName, isLocked } from "./values.ts";

/** Passwords, and the data codes that accounts are refused with whatever their password is. Outside the objects: never readable. */
export interface Credentials {
	readonly passwords: Map<string, string>;
	/** By the account's GUID in hex: "532" and the like. */
	readonly refusals: Map<string, string>;
}

export interface BindOutcome {
	readonly end: Ending;
	readonly account: AdObject | undefined;
}

/** FILETIME counts 100 ns from 1601; so much lies before 1970. */
const FILETIME_EPOCH_MS = 11_644_473_600_000n;
export const NEVER = "9223372036854775807";

export function fileTime(at: number): string {
	return String((BigInt(Math.trunc(at)) + FILETIME_EPOCH_MS) * 10_000n);
}

/**
 * A simple bind. Like AD: an empty password is an anonymous bind whatever the name; a wrong password says 52e and nothing of the
 * account; only who knows the password learns that it is disabled (533), expired (701) or must be changed (773).
 */
export function bind(store: Store, credentials: Credentials, name: string, password: string): BindOutcome {
	if (password === "") return { end: wellDone, account: undefined };
	const account = findAccount(store, name);
	const data = account === undefined ? "52e" : dataCode(store, credentials, account, password);
	return data === undefined ? { end: wellDone, account } : { end: refused(data), account: undefined };
}

function refused(data: string): Ending {
	const text = `80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data ${data}, v1db1`;
	return { ...wellDone, code: resultCode.invalidCredentials, text };
}

function dataCode(store: Store, credentials: Credentials, account: AdObject, password: string): string | undefined {
	const id = hex(account.guid);
	const set = credentials.refusals.get(id);
	if (set !== undefined) return set;
	if (isLocked(account)) return "775";
	if (credentials.passwords.get(id) !== password) return "52e";
	const flags = Number(account.attributes.get("useraccountcontrol")?.[0] ?? 0);
	if (flags & 2) return "533";
	const expires = textOf(account.attributes.get("accountexpires")?.[0] ?? NEVER);
	if (expires !== "0" && expires !== NEVER && BigInt(expires) <= BigInt(fileTime(store.clock()))) return "701";
	if (account.attributes.get("pwdlastset")?.[0] === "0") return "773";
	return undefined;
}

/** By DN, userPrincipalName, DOMAIN\name, name@domain, bare sAMAccountName, or {GUID} (MS-ADTS §5.1.1.1.1). */
export function findAccount(store: Store, name: string): AdObject | undefined {
	if (name.includes("=")) {
		const byDn = findDn(store, name);
		return byDn?.isDeleted === false ? byDn : undefined;
	}
	const wanted = foldText(name);
	const domain = dnsName(store.domain.dn);
	const bare = wanted.endsWith(`@${domain}`) ? wanted.slice(0, -domain.length - 1) : wanted.split("\\").at(-1);
	const bySam = store.bySam.get(bare ?? wanted);
	if (bySam !== undefined) return bySam;
	for (const object of store.objects.values()) {
		if (object.isDeleted) continue;
		const upn = object.attributes.get("userprincipalname")?.[0];
		if (upn !== undefined && foldText(textOf(upn)) === wanted) return object;
		if (wanted === `{${guidText(object.guid)}}`) return object;
	}
	return undefined;
}
