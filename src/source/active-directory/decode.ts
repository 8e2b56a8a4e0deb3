import { syntaxOf } from "../../core/attribute-syntax.ts";
import { dnsDomain } from "../../core/dn.ts";
import type { Anchor, Entry, Standing } from "../../core/entry.ts";
import { Failure } from "../../core/errors.ts";
import { BerError } from "../../lib/ber.ts";
import { readTexts } from "../ldap/values.ts";
import { expiryMs } from "./file-time.ts";
import { guidText } from "./guid.ts";
import { sidText } from "./sid.ts";

/** userAccountControl's ACCOUNTDISABLE (MS-ADTS §2.2.16). */
const DISABLED = 2;

/**
 * Decodes entries as Active Directory sends them. Beside what the directory has, three attributes of our own for the mapping:
 * `implicituserprincipalname` (sAMAccountName@domain, by which AD lets anyone log on), `primarysmtpaddress` and
 * `othersmtpaddresses` (proxyAddresses' one `SMTP:` and its many `smtp:`, without the prefix). And for groups `primarygrouptoken`,
 * by which people name their primary group: AD would compute it, from the last part of the objectSid that is there anyway.
 */
export function makeDecoder(): (raw: Uint8Array) => Entry {
	/** Attribute descriptions as they come, to their plain lower-case name: a handful, again and again. Bounded by what is asked for. */
	const names = new Map<string, string>();
	/** What follows the first ",DC=" of a DN, to its domain. One per domain. */
	const domains = new Map<string, string | undefined>();

	const nameOf = (description: string): string => {
		const known = names.get(description);
		if (known !== undefined) return known;
		const name = description.replace(/;range=.*$/i, "").toLowerCase();
		if (names.size < 10_000) names.set(description, name);
		return name;
	};
	const domainOf = (dn: string): string | undefined => {
		const at = dn.search(/,DC=/i);
		// A backslash somewhere: the comma may belong to a name. Rare, so read properly.
		const suffix = at === -1 || dn.includes("\\") ? dn : dn.slice(at + 1);
		if (domains.has(suffix)) return domains.get(suffix);
		const domain = dnsDomain(suffix);
		if (domains.size < 1000) domains.set(suffix, domain);
		return domain;
	};

	return (raw) => {
		try {
			const { dn, attributes } = readTexts(raw, nameOf, readerOf);
			addOwn(attributes, () => domainOf(dn));
			const guid = attributes.get("objectguid")?.[0];
			if (guid?.length !== 36) throw new Failure("ENTRY_UNREADABLE", `"${dn}" shows no objectGUID`);
			const expiresAt = expiryMs(attributes.get("accountexpires")?.[0]);
			return { anchor: guid as Anchor, dn, attributes, standing: standingOf(attributes.get("useraccountcontrol")?.[0]), expiresAt };
		} catch (cause) {
			if (!(cause instanceof BerError)) throw cause;
			throw new Failure("ENTRY_UNREADABLE", `an entry cannot be decoded: ${cause.message}`, { cause });
		}
	};
}

/** Whatever is no text is shown as core/matching reads it again. A mS-DS-ConsistencyGuid is shown as all who use it as an anchor do. */
function readerOf(name: string): ((value: Buffer) => string) | undefined {
	const syntax = syntaxOf(name);
	if (name === "ms-ds-consistencyguid" || syntax === "bytes") return (value) => value.toString("base64");
	if (syntax === "guid") return (value) => (value.length === 16 ? guidText(value) : value.toString("base64"));
	return syntax === "sid" ? (value) => sidText(value) ?? value.toString("base64") : undefined;
}

function addOwn(attributes: Map<string, readonly string[]>, domain: () => string | undefined): void {
	const logon = attributes.get("samaccountname")?.[0];
	if (logon !== undefined) {
		const realm = domain();
		if (realm !== undefined) attributes.set("implicituserprincipalname", [`${logon}@${realm}`]);
	}
	const rid = attributes.get("objectclass")?.includes("group") ? /-(\d+)$/.exec(attributes.get("objectsid")?.[0] ?? "")?.[1] : undefined;
	if (rid !== undefined) attributes.set("primarygrouptoken", [rid]);
	const addresses = attributes.get("proxyaddresses");
	if (addresses === undefined) return;
	const others: string[] = [];
	for (const address of addresses) {
		if (address.startsWith("SMTP:")) {
			// A second primary is a mistake in the directory: the first counts, as in Exchange, the other is an alias.
			if (attributes.has("primarysmtpaddress")) others.push(address.slice(5));
			else attributes.set("primarysmtpaddress", [address.slice(5)]);
		} else if (/^smtp:/i.test(address)) others.push(address.slice(5));
	}
	if (others.length > 0) attributes.set("othersmtpaddresses", others);
}

function standingOf(control: string | undefined): Standing {
	if (control === undefined || !/^-?\d{1,10}$/.test(control)) return "unknown";
	return (Number(control) & DISABLED) === 0 ? "enabled" : "disabled";
}
