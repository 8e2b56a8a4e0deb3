import type { Anchor } from "../../core/entry.ts";
import type { Filter } from "../../core/filter.ts";
import { equal } from "../../core/filter-text.ts";
import { attributeName, firstValue } from "../ldap/wire/entry.ts";
import type { Overrides } from "./options.ts";
import type { Preset } from "./presets.ts";

/** The attribute that is the anchor of entries of one kind. */
export interface AnchorAttribute {
	readonly attribute: string;
	/** A key out of the bytes of an entry, which is a copy; undefined when it shows none that could be one. */
	keyOf(raw: Uint8Array): Uint8Array | undefined;
}

/** How this source names entries for good. */
export interface Anchors {
	readonly people: AnchorAttribute;
	readonly groups: AnchorAttribute;
	readonly containers: AnchorAttribute;
	/** The anchor of a person's or group's key. */
	anchorOf(key: Uint8Array): Anchor;
	containerAnchorOf(key: Uint8Array): Anchor;
}

/** Attributes that every entry has, whose values are UUIDs or written like one. */
const universal = new Set(["entryuuid", "nsuniqueid"]);
const uuids = new Set([...universal, "ipauniqueid"]);

export function makeAnchors(preset: Preset, overrides: Pick<Overrides, "anchor">): Anchors {
	const people = overrides.anchor ?? preset.anchor;
	// An attribute that only people have is none for groups.
	const isForAll = universal.has(people.toLowerCase());
	const groups = isForAll ? people : preset.anchor;
	const containers = isForAll ? people : preset.containerAnchor;
	const style = groups.toLowerCase() === "nsuniqueid" ? nsUniqueId : uuid;
	const containerStyle = containers.toLowerCase() === "nsuniqueid" ? nsUniqueId : uuid;
	return {
		people: makeAttribute(people),
		groups: makeAttribute(groups),
		containers: makeAttribute(containers),
		anchorOf: (key) => textOf(key, style),
		containerAnchorOf: (key) => textOf(key, containerStyle),
	};
}

/** Whether an anchor attribute is the one that syncrepl names entries by (RFC 4533 §2.3). */
export function isEntryUuid({ attribute }: AnchorAttribute): boolean {
	return attribute.toLowerCase() === "entryuuid";
}

/** Any of these, wherever they are. */
export function byAnchor({ attribute }: AnchorAttribute, anchors: readonly Anchor[]): Filter {
	return { kind: "or", parts: anchors.map((anchor) => equal(attribute, anchor)) };
}

function makeAttribute(attribute: string): AnchorAttribute {
	const name = attributeName(attribute);
	const read = uuids.has(attribute.toLowerCase()) ? uuidKey : textKey;
	return {
		attribute,
		keyOf: (raw) => {
			const value = firstValue(raw, name);
			return value === undefined || value.length === 0 ? undefined : read(value);
		},
	};
}

/** 32 hex digits and dashes, wherever the dashes are, to 16 octets in network order; FreeIPA's "autogenerate" is none. */
function uuidKey(value: Uint8Array): Uint8Array | undefined {
	const key = new Uint8Array(16);
	let digits = 0;
	for (const octet of value) {
		if (octet === 0x2d) continue;
		const digit = hexDigit(octet);
		if (digit === undefined || digits === 32) return undefined;
		key[digits >> 1] = ((key[digits >> 1] as number) << 4) | digit;
		digits++;
	}
	return digits === 32 ? key : undefined;
}

function hexDigit(octet: number): number | undefined {
	if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
	const lower = octet | 0x20;
	return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

/** Any text, without its case. 16 octets mean a UUID: a text of that length gets one more. */
function textKey(value: Uint8Array): Uint8Array {
	const bytes = Buffer.from(Buffer.from(value).toString("utf8").trim().toLowerCase());
	return bytes.length === 16 ? Buffer.concat([bytes, Buffer.of(0)]) : bytes;
}

function textOf(key: Uint8Array, style: (hex: string) => string): Anchor {
	const bytes = Buffer.from(key.buffer, key.byteOffset, key.length);
	if (key.length === 16) return style(bytes.toString("hex")) as Anchor;
	return (key.length === 17 && key[16] === 0 ? bytes.subarray(0, 16) : bytes).toString("utf8") as Anchor;
}

function uuid(hex: string): string {
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** As 389 Directory Server writes it. */
function nsUniqueId(hex: string): string {
	return `${hex.slice(0, 8)}-${hex.slice(8, 16)}-${hex.slice(16, 24)}-${hex.slice(24)}`;
}
