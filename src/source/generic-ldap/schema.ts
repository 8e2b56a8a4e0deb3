import { type Syntax, syntaxOf } from "../../core/attribute-syntax.ts";
import type { Schema } from "../../core/matching.ts";

/** Attributes of other directories than AD's whose values are not plain text. pwdAccountLockedTime is: 000001010000Z is no day. */
const syntaxes: ReadonlyMap<string, Syntax> = new Map([
	...list("integer", "uidNumber gidNumber shadowExpire shadowLastChange shadowMin shadowMax shadowWarning shadowInactive shadowFlag"),
	...list("dn", "uniqueMember entryDN creatorsName modifiersName nsRoleDN"),
	...list("time", "pwdEndTime pwdStartTime pwdChangedTime krbPrincipalExpiration krbPasswordExpiration accountUnlockTime createTimestamp"),
	...list("class", "structuralObjectClass"),
	...list("text", "objectCategory destinationIndicator gecos internationalISDNNumber preferredDeliveryMethod registeredAddress"),
	...list("text", "serialNumber teletexTerminalIdentifier telexNumber x121Address x500UniqueIdentifier"),
]);

/** How a filter is judged here, on what entries show (core/matching). */
export const ldapSchema: Schema = { syntaxOf: (attribute) => syntaxes.get(attribute) ?? syntaxOf(attribute) };

function list(syntax: Syntax, names: string): [string, Syntax][] {
	return names.split(" ").map((name) => [name.toLowerCase(), syntax]);
}
