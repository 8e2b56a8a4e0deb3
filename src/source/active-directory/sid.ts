/** A security identifier's octets as text, "S-1-5-21-…-513" (MS-DTYP §2.4.2.2); undefined for what is none. */
export function sidText(octets: Uint8Array): string | undefined {
	const count = octets[1];
	if (octets[0] !== 1 || count === undefined || octets.length !== 8 + 4 * count) return undefined;
	const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
	const authority = view.getUint16(2) * 2 ** 32 + view.getUint32(4);
	const parts = Array.from({ length: count }, (_, i) => view.getUint32(8 + 4 * i, true));
	return ["S", 1, authority, ...parts].join("-");
}

/** The relative identifier, a SID's last part: what `primaryGroupID` names. */
export function ridOf(octets: Uint8Array): number | undefined {
	return octets.length < 12 ? undefined : new DataView(octets.buffer, octets.byteOffset, octets.length).getUint32(octets.length - 4, true);
}
