import { Failure } from "../../core/errors.ts";
import { codeOf } from "../../lib/untrusted.ts";
import { type Address, addressOf } from "./address.ts";
import { within } from "./deadline.ts";
import { hostOf, inSrvOrder, type SrvRecord, type SrvResolver } from "./srv.ts";

/** Servers found by DNS instead of being named one by one. */
export interface Discovery {
	/** "corp.example.com". */
	readonly domain: string;
	/** The site of Active Directory whose domain controllers come first; undefined: the one this machine is in, as far as they know. */
	readonly site: string | undefined;
	readonly resolver: SrvResolver;
	/** ldaps: TLS from the first octet on; ldap: StartTLS or none, as `tls` says. */
	readonly scheme: "ldaps" | "ldap";
}

/** What DNS answered. */
export interface Discovered {
	/** In the order in which they are to be tried, those of the site first; each once. */
	readonly addresses: readonly Address[];
	/** URLs of those of the site. */
	readonly near: readonly string[];
	/** Found under the names that only Active Directory registers. */
	readonly isActiveDirectory: boolean;
	readonly warnings: readonly string[];
}

interface Question {
	readonly discovery: Discovery;
	readonly site: string | undefined;
	/** Whether names that are not in the domain can be trusted: see `inDomain`. */
	readonly trustsAnyName: boolean;
	readonly random: () => number;
	/** Host names, the last one first. */
	readonly readBefore: readonly string[];
	readonly timeoutMs: number;
}

/**
 * Asks DNS for the servers of a domain: domain controllers of the site, then all of them (MS-ADTS 6.3.2.3), and where there are none
 * the LDAP servers of the domain (RFC 2782). Throws Failure SOURCE_UNREACHABLE that names what was asked, or CANCELLED.
 */
export async function discover(question: Question, signal: AbortSignal): Promise<Discovered> {
	const { discovery, site, random, readBefore } = question;
	const domain = discovery.domain.replace(/\.$/, "");
	const names = {
		site: `_ldap._tcp.${site}._sites.dc._msdcs.${domain}`,
		controllers: `_ldap._tcp.dc._msdcs.${domain}`,
		any: `_ldap._tcp.${domain}`,
	};
	const warnings: string[] = [];
	const near = site === undefined ? [] : await ask(names.site, question, signal);
	// A site of its own may well have none; one that was configured should have some.
	if (discovery.site !== undefined && near.length === 0) {
		warnings.push(`DNS names no domain controller of site ${site} (asked for ${names.site})`);
	}
	const controllers = await ask(names.controllers, question, signal);
	const isActiveDirectory = near.length + controllers.length > 0;
	const all = isActiveDirectory ? controllers : await ask(names.any, question, signal);
	if (near.length + all.length === 0) throw nobody(domain, names);

	const { kept, strange } = inDomain(
		[near, all].flatMap((records) => inSrvOrder(records, random, readBefore)),
		domain,
		question.trustsAnyName,
	);
	if (strange.length > 0) warnings.push(`DNS sends us to ${strange.join(", ")}, which is not in ${domain}: not used`);
	if (kept.length === 0) throw allStrange(domain, strange);
	const addressed = (record: SrvRecord): Address => addressOf(hostOf(record), portOf(record, discovery.scheme), discovery.scheme);
	const addresses = new Map(kept.map((record) => [addressed(record).url, addressed(record)]));
	const isNear = new Set(near.map((record) => addressed(record).url));
	return {
		addresses: [...addresses.values()],
		near: [...addresses.keys()].filter((url) => isNear.has(url)),
		isActiveDirectory,
		warnings,
	};
}

/** The records of a name; none when it is not there, or says by "." that the service decidedly is not. */
async function ask(name: string, { discovery, timeoutMs }: Question, signal: AbortSignal): Promise<readonly SrvRecord[]> {
	const hint = "Check that this machine reaches its DNS servers (on Linux: /etc/resolv.conf), or name the servers in urls.";
	const late = (): Failure => new Failure("SOURCE_UNREACHABLE", `DNS gave no answer for ${name} within ${timeoutMs / 1000} s`, { hint });
	try {
		const records = await within(timeoutMs, discovery.resolver(name), late, signal);
		return records.filter((record) => hostOf(record) !== "");
	} catch (cause) {
		if (cause instanceof Failure) throw cause;
		const code = codeOf(cause);
		if (code === "ENOTFOUND" || code === "ENODATA") return [];
		throw new Failure("SOURCE_UNREACHABLE", `DNS gave no answer for ${name} (${code === "" ? String(cause) : code})`, { cause, hint });
	}
}

/**
 * Active Directory registers its plain port alone. Its TLS port is 636 by convention, on every domain controller; a record that
 * names neither 389 nor the global catalogue's 3268 was made by hand, and means what it says.
 */
function portOf({ port }: SrvRecord, scheme: "ldaps" | "ldap"): number {
	return scheme === "ldaps" && (port === 389 || port === 3268) ? 636 : port;
}

/**
 * Whoever can forge DNS could name a host of his own, with a certificate for that name which any public authority gives him, and
 * be handed our password (RFC 4513 §3.1.3 warns of it). With the system's authorities only hosts of the domain itself count.
 */
function inDomain(records: readonly SrvRecord[], domain: string, trustsAnyName: boolean) {
	const suffix = `.${domain.toLowerCase()}`;
	const isOurs = (record: SrvRecord): boolean => trustsAnyName || `.${hostOf(record)}`.endsWith(suffix);
	const strange = new Set(records.filter((record) => !isOurs(record)).map(hostOf));
	return { kept: records.filter(isOurs), strange: [...strange] };
}

function nobody(domain: string, names: { readonly controllers: string; readonly any: string }): Failure {
	return new Failure("SOURCE_UNREACHABLE", `DNS names no server of ${domain} (asked for ${names.controllers} and ${names.any})`, {
		hint: `Check the domain's name, and that this machine asks the domain's own DNS servers: nslookup -type=SRV ${names.controllers}; or name the servers in urls.`,
	});
}

function allStrange(domain: string, strange: readonly string[]): Failure {
	return new Failure("SOURCE_UNTRUSTED", `DNS sends us to ${strange.join(", ")} for ${domain}: none of them is in that domain`, {
		hint: "If that is right, name them in urls, or the authority that signed their certificates in tls.ca.",
	});
}
