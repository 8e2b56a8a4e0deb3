import type { Filter } from "../core/filter.ts";
import { BerError, BerReader, tag } from "../lib/ber.ts";

/** A control as it came with a request (RFC 4511 §4.1.11). */
export interface Control {
	readonly oid: string;
	readonly isCritical: boolean;
	readonly value: Uint8Array | undefined;
}

export interface SearchRequest {
	readonly kind: "search";
	readonly base: string;
	readonly scope: "base" | "one" | "sub";
	readonly sizeLimit: number;
	readonly timeLimit: number;
	readonly typesOnly: boolean;
	readonly filter: Filter;
	readonly attributes: readonly string[];
	/** What the request asks, as bytes: a cookie is good for the same question only. */
	readonly question: string;
}

export interface Modification {
	readonly kind: "add" | "delete" | "replace";
	readonly attribute: string;
	readonly values: readonly Uint8Array[];
}

export type Operation =
	| { readonly kind: "bind"; readonly version: number; readonly name: string; readonly password: string | undefined }
	| { readonly kind: "unbind" }
	| SearchRequest
	| { readonly kind: "modify"; readonly dn: string; readonly modifications: readonly Modification[] }
	| { readonly kind: "add"; readonly dn: string; readonly attributes: readonly (readonly [string, readonly Uint8Array[]])[] }
	| { readonly kind: "delete"; readonly dn: string }
	| { readonly kind: "rename"; readonly dn: string; readonly leaf: string; readonly dropOld: boolean; readonly parent: string | undefined }
	| { readonly kind: "compare"; readonly dn: string; readonly attribute: string; readonly value: Uint8Array }
	| { readonly kind: "abandon"; readonly id: number }
	| { readonly kind: "extended"; readonly oid: string };

export interface Message {
	readonly id: number;
	readonly operation: Operation;
	readonly controls: readonly Control[];
}

const SCOPES = ["base", "one", "sub"] as const;
const MODIFICATIONS = ["add", "delete", "replace"] as const;

/** One LDAPMessage from a client. Throws BerError on anything else. */
export function readMessage(bytes: Uint8Array): Message {
	const message = new BerReader(bytes).inside(tag.sequence);
	const id = message.integer();
	const operation = readOperation(message);
	return { id, operation, controls: message.isAtEnd ? [] : readControls(message.inside(0xa0)) };
}

function readOperation(message: BerReader): Operation {
	const found = message.peek();
	switch (found) {
		case 0x60:
			return readBind(message.inside());
		case 0x42:
			message.skip();
			return { kind: "unbind" };
		case 0x63:
			return readSearch(message.inside());
		case 0x66:
			return readModify(message.inside());
		case 0x68:
			return readAdd(message.inside());
		case 0x4a:
			return { kind: "delete", dn: message.text(0x4a) };
		case 0x6c:
			return readRename(message.inside());
		case 0x6e: {
			const body = message.inside();
			const dn = body.text();
			const assertion = body.inside(tag.sequence);
			return { kind: "compare", dn, attribute: assertion.text(), value: assertion.octets() };
		}
		case 0x50:
			return { kind: "abandon", id: message.integer(0x50) };
		case 0x77:
			return { kind: "extended", oid: message.inside().text(0x80) };
		default:
			throw new BerError(`no request begins with tag 0x${found.toString(16)}`);
	}
}

function readBind(body: BerReader): Operation {
	const version = body.integer();
	const name = body.text();
	return { kind: "bind", version, name, password: body.peek() === 0x80 ? body.text(0x80) : undefined };
}

function readSearch(body: BerReader): SearchRequest {
	const from = body.offset;
	const base = body.text();
	const scope = SCOPES[body.integer(tag.enumerated)];
	if (scope === undefined) throw new BerError("a scope that does not exist");
	body.integer(tag.enumerated);
	const sizeLimit = body.integer();
	const timeLimit = body.integer();
	const typesOnly = body.boolean();
	const filter = readFilter(body, 0);
	const attributes = readTexts(body.inside(tag.sequence));
	const question = Buffer.from(body.bytes.buffer, body.bytes.byteOffset + from, body.end - from).toString("latin1");
	return { kind: "search", base, scope, sizeLimit, timeLimit, typesOnly, filter, attributes, question };
}

function readTexts(list: BerReader): string[] {
	const texts: string[] = [];
	while (!list.isAtEnd) texts.push(list.text());
	return texts;
}

/** Values outlive the message's buffer: each is copied. */
function readValues(set: BerReader): Uint8Array[] {
	const values: Uint8Array[] = [];
	while (!set.isAtEnd) values.push(copied(set.octets()));
	return values;
}

function copied(view: Uint8Array): Uint8Array {
	return Uint8Array.prototype.slice.call(view);
}

function readModify(body: BerReader): Operation {
	const dn = body.text();
	const list = body.inside(tag.sequence);
	const modifications: Modification[] = [];
	while (!list.isAtEnd) {
		const one = list.inside(tag.sequence);
		const kind = MODIFICATIONS[one.integer(tag.enumerated)];
		if (kind === undefined) throw new BerError("a modification that does not exist");
		const attribute = one.inside(tag.sequence);
		modifications.push({ kind, attribute: attribute.text(), values: readValues(attribute.inside(tag.set)) });
	}
	return { kind: "modify", dn, modifications };
}

function readAdd(body: BerReader): Operation {
	const dn = body.text();
	const list = body.inside(tag.sequence);
	const attributes: (readonly [string, readonly Uint8Array[]])[] = [];
	while (!list.isAtEnd) {
		const one = list.inside(tag.sequence);
		attributes.push([one.text(), readValues(one.inside(tag.set))]);
	}
	return { kind: "add", dn, attributes };
}

function readRename(body: BerReader): Operation {
	const dn = body.text();
	const leaf = body.text();
	const dropOld = body.boolean();
	return { kind: "rename", dn, leaf, dropOld, parent: body.peek() === 0x80 ? body.text(0x80) : undefined };
}

function readControls(list: BerReader): Control[] {
	const controls: Control[] = [];
	while (!list.isAtEnd) {
		const one = list.inside(tag.sequence);
		const oid = one.text();
		const isCritical = one.peek() === tag.boolean ? one.boolean() : false;
		controls.push({ oid, isCritical, value: one.isAtEnd ? undefined : copied(one.octets()) });
	}
	return controls;
}

/** Filters that nest deeper than AD itself would take could exhaust the stack. */
const DEEPEST = 100;

function readFilter(body: BerReader, depth: number): Filter {
	if (depth > DEEPEST) throw new BerError("a filter nested too deeply");
	const found = body.peek();
	switch (found) {
		case 0xa0:
		case 0xa1: {
			const list = body.inside();
			const parts: Filter[] = [];
			while (!list.isAtEnd) parts.push(readFilter(list, depth + 1));
			return { kind: found === 0xa0 ? "and" : "or", parts };
		}
		case 0xa2:
			return { kind: "not", part: readFilter(body.inside(), depth + 1) };
		case 0xa3:
			return { kind: "equal", ...readAssertion(body.inside()) };
		case 0xa4:
			return readSubstrings(body.inside());
		case 0xa5:
			return { kind: "greaterOrEqual", ...readAssertion(body.inside()) };
		case 0xa6:
			return { kind: "lessOrEqual", ...readAssertion(body.inside()) };
		case 0x87:
			return { kind: "present", attribute: body.text(0x87) };
		case 0xa8:
			return { kind: "approx", ...readAssertion(body.inside()) };
		case 0xa9:
			return readExtensible(body.inside());
		default:
			throw new BerError(`no filter begins with tag 0x${found.toString(16)}`);
	}
}

function readAssertion(body: BerReader): { attribute: string; value: Uint8Array } {
	return { attribute: body.text(), value: copied(body.octets()) };
}

function readSubstrings(body: BerReader): Filter {
	const attribute = body.text();
	const list = body.inside(tag.sequence);
	const any: Uint8Array[] = [];
	let initial: Uint8Array | undefined;
	let final: Uint8Array | undefined;
	while (!list.isAtEnd) {
		const kind = list.peek();
		const part = copied(list.octets(kind));
		if (kind === 0x80) initial = part;
		else if (kind === 0x82) final = part;
		else any.push(part);
	}
	return { kind: "substrings", attribute, initial, any, final };
}

function readExtensible(body: BerReader): Filter {
	let rule: string | undefined;
	let attribute: string | undefined;
	let value: Uint8Array = new Uint8Array(0);
	let dnAttributes = false;
	while (!body.isAtEnd) {
		const kind = body.peek();
		if (kind === 0x81) rule = body.text(0x81);
		else if (kind === 0x82) attribute = body.text(0x82);
		else if (kind === 0x83) value = copied(body.octets(0x83));
		else dnAttributes = body.boolean(0x84);
	}
	return { kind: "extensible", rule, attribute, value, dnAttributes };
}
