import type { Entry } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import type { Value } from "../../core/syntax.ts";
import { BerError } from "../../lib/ber.ts";
import { readTexts } from "../ldap/values.ts";
import type { Scope } from "./scope.ts";
import { HIDDEN } from "./veil.ts";

/** Attributes whose values are no text. */
const binary = new Set(
	"jpegphoto photo audio usercertificate usersmimecertificate userpkcs12 cacertificate userpassword krbprincipalkey ipantsecurityidentifier".split(
		" ",
	),
);

/** A decoded value as filters are to see it: what is no text as its octets again. `name` as it is decoded to. */
export function filterValue(name: string, text: string): Value {
	return binary.has(name.split(";")[0] as string) ? Buffer.from(text, "base64") : text;
}

const base64 = (value: Buffer): string => value.toString("base64");

/**
 * Decodes entries as LDAP directories send them. `;binary` goes, other options stay: `cn;lang-de` is another attribute than `cn`
 * (RFC 4512 §2.5). A person's or group's anchor, whichever it shows.
 */
export function makeDecoder({ anchors, state }: Pick<Scope, "anchors" | "state">): (raw: Uint8Array) => Entry {
	/** Attribute descriptions as they come, to the name they are kept under: a handful, again and again. Bounded by what is asked for. */
	const names = new Map<string, string>();
	const nameOf = (description: string): string => {
		const known = names.get(description);
		if (known !== undefined) return known;
		const name = description.toLowerCase().replace(/;binary(?=;|$)/, "");
		if (names.size < 10_000) names.set(description, name);
		return name;
	};
	const readerOf = (name: string) => (binary.has(name.split(";")[0] as string) ? base64 : undefined);

	return (raw) => {
		try {
			const { dn, attributes } = readTexts(raw, nameOf, readerOf);
			const key = anchors.people.keyOf(raw) ?? anchors.groups.keyOf(raw);
			if (key === undefined) throw new Failure("ENTRY_UNREADABLE", `"${dn}" shows no ${anchors.people.attribute}`);
			const hidden = new Set(attributes.get(HIDDEN));
			attributes.delete(HIDDEN);
			return {
				anchor: anchors.anchorOf(key),
				dn,
				attributes,
				standing: state.standing(attributes, hidden),
				expiresAt: state.expiresAt(attributes),
			};
		} catch (cause) {
			if (!(cause instanceof BerError)) throw cause;
			throw new Failure("ENTRY_UNREADABLE", `an entry cannot be decoded: ${cause.message}`, { cause });
		}
	};
}
