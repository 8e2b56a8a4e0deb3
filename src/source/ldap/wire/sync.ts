import { BerReader, BerWriter, tag } from "../../../lib/ber.ts";
import { readControls } from "./answer.ts";
import type { Control } from "./encode.ts";

/** Content synchronization (RFC 4533): the control by which changes are asked for. */
export const syncRequestOid = "1.3.6.1.4.1.4203.1.9.1.1";
const syncStateOid = "1.3.6.1.4.1.4203.1.9.1.2";
const syncDoneOid = "1.3.6.1.4.1.4203.1.9.1.3";
const syncInfoOid = "1.3.6.1.4.1.4203.1.9.1.4";

/** Asks once, from a cookie on. Critical: a server that cannot must say so instead of handing out everything. */
export function syncRequest(cookie: string): Control {
	const value = new BerWriter(cookie.length + 16).open().integer(1, tag.enumerated).text(cookie).close().finish();
	return { oid: syncRequestOid, isCritical: true, value };
}

/** The entryUUID that came with an entry, whatever its state; undefined when the server said nothing of it. */
export function syncedUuid(controls: Uint8Array | undefined): { readonly uuid: Uint8Array; readonly isDeleted: boolean } | undefined {
	const value = controls === undefined ? undefined : readControls(new BerReader(controls)).get(syncStateOid);
	if (value === undefined) return undefined;
	const state = new BerReader(value).inside(tag.sequence);
	const isDeleted = state.integer(tag.enumerated) === 3;
	return { uuid: state.octets().slice(), isDeleted };
}

/** How a refresh ended. `refreshDeletes`: who is gone was named; without it, whoever was not named is gone. */
export interface SyncDone {
	readonly cookie: string | undefined;
	readonly refreshDeletes: boolean;
}

export function syncDone(controls: ReadonlyMap<string, Uint8Array>): SyncDone | undefined {
	const value = controls.get(syncDoneOid);
	if (value === undefined) return undefined;
	const done = new BerReader(value).inside(tag.sequence);
	const cookie = done.peek() === tag.octetString ? done.text() : undefined;
	return { cookie, refreshDeletes: done.peek() === tag.boolean && done.boolean() };
}

/** A message between entries (RFC 4533 §2.5), as far as a refresh needs it. */
export type SyncInfo =
	/** Entries that are there, unchanged. */
	| { readonly kind: "present" }
	| { readonly kind: "deleted"; readonly uuids: readonly Uint8Array[] }
	/** A cookie, or the end of a phase that went by deletions. */
	| { readonly kind: "other" };

/** Undefined for an IntermediateResponse that is something else. */
export function syncInfo(contents: Uint8Array): SyncInfo | undefined {
	const response = new BerReader(contents);
	if (response.peek() !== 0x80 || response.text(0x80) !== syncInfoOid || response.peek() !== 0x81) return undefined;
	const value = new BerReader(response.octets(0x81));
	switch (value.peek()) {
		case 0xa2: // refreshPresent
			return { kind: "present" };
		case 0xa3: {
			const set = value.inside(0xa3);
			if (set.peek() === tag.octetString) set.skip();
			if (!(set.peek() === tag.boolean && set.boolean())) return { kind: "present" };
			const list = set.inside(tag.set);
			const uuids: Uint8Array[] = [];
			while (!list.isAtEnd) uuids.push(list.octets().slice());
			return { kind: "deleted", uuids };
		}
		default:
			return { kind: "other" };
	}
}
