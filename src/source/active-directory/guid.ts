import type { Anchor } from "../../core/entry.ts";

/** A GUID's 16 octets as text: the first three fields are little-endian (MS-DTYP §2.3.4). */
export function guidText(octets: Uint8Array): string {
	const hex = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("hex");
	const low = hex.slice(6, 8) + hex.slice(4, 6) + hex.slice(2, 4) + hex.slice(0, 2);
	return `${low}-${hex.slice(10, 12)}${hex.slice(8, 10)}-${hex.slice(14, 16)}${hex.slice(12, 14)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Back again; undefined for what is no GUID. */
export function guidOctets(text: string): Uint8Array | undefined {
	if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
	const octets = Buffer.from(text.replaceAll("-", ""), "hex");
	octets.subarray(0, 4).reverse();
	octets.subarray(4, 6).reverse();
	octets.subarray(6, 8).reverse();
	return octets;
}

export function guidAnchor(octets: Uint8Array): Anchor {
	return guidText(octets) as Anchor;
}
