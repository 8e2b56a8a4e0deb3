import { checkDomain, checkServerUrl } from "./formats.ts";
import { type Gathering, isOn, isThere, listAt, sayMissing, textAt } from "./gathering.ts";
import { isMisspelled } from "./missing.ts";
import type { Path } from "./problem.ts";

/** Where a source's servers are, and whether the way to them is safe. */
export function checkServers(gathering: Gathering, source: Path): void {
	const urls = [...source, "urls"];
	const domain = [...source, "domain"];
	const site = [...source, "site"];
	const isByUrls = isThere(gathering, urls);
	const isByDomain = isThere(gathering, domain);
	if (isByUrls && isByDomain) {
		const remedy = "remove one of the two: urls lists the servers, domain lets DNS name them";
		gathering.keyProblem(domain, { message: "domain beside urls", remedy });
	} else if (!isByUrls && !isByDomain && !isMisspelled(gathering.document, domain)) {
		sayMissing(gathering, urls);
	}
	if (isThere(gathering, site) && !isByDomain && !isMisspelled(gathering.document, domain)) {
		gathering.keyProblem(site, { message: "site without domain", remedy: "add domain: corp.example.com in place of urls, or remove it" });
	}
	checkUrls(gathering, source);
	checkDomainSafety(gathering, source);
}

const IN_CLEAR = "the password and all that is read cross the network in clear";

function checkUrls(gathering: Gathering, source: Path): void {
	const isInsecure = isOn(gathering, [...source, "insecure"]);
	const startsTls = isOn(gathering, [...source, "tls", "startTls"]);
	const seen = new Set<string>();
	for (const [index, url] of listAt(gathering, [...source, "urls"]).entries()) {
		const where = [...source, "urls", index];
		if (typeof url !== "string" || checkServerUrl(url) !== undefined) continue;
		const secured = isSecured(url);
		if (seen.has(url.toLowerCase())) gathering.problem(where, { message: "the same URL again", remedy: "remove it" });
		seen.add(url.toLowerCase());
		if (secured && startsTls) {
			gathering.problem(where, {
				message: "StartTLS is for ldap://, and ldaps:// is TLS already",
				remedy: "write ldap://, or remove tls.startTls",
			});
		} else if (!secured && !startsTls && !isInsecure) {
			const remedy = "write ldaps://, or set tls.startTls: true (or insecure: true where nobody else is on the line)";
			gathering.problem(where, { message: "plain LDAP, which sends the password in clear", remedy });
		} else if (!secured && !startsTls) {
			gathering.warn(where, { message: `plain LDAP: ${IN_CLEAR}`, remedy: "use ldaps:// or tls.startTls: true" });
		}
	}
}

/** Servers that DNS names are reached by ldaps:// unless StartTLS or plain LDAP is asked for. */
function checkDomainSafety(gathering: Gathering, source: Path): void {
	const domain = [...source, "domain"];
	const name = textAt(gathering, domain);
	if (name === undefined || checkDomain(name) !== undefined || !isPlainDomain(gathering, source)) return;
	const remedy = "remove insecure: the servers are then reached by ldaps://, or with tls.startTls: true by StartTLS";
	gathering.warn(domain, { message: `insecure: true reaches these servers by plain LDAP: ${IN_CLEAR}`, remedy });
}

/** Whether a source speaks to any of its servers without TLS, as far as its values can say. */
export function isPlain(gathering: Gathering, source: Path): boolean {
	if (isThere(gathering, [...source, "domain"])) return isPlainDomain(gathering, source);
	if (isOn(gathering, [...source, "tls", "startTls"])) return false;
	return listAt(gathering, [...source, "urls"]).some(
		(url) => typeof url === "string" && checkServerUrl(url) === undefined && !isSecured(url),
	);
}

function isPlainDomain(gathering: Gathering, source: Path): boolean {
	return isOn(gathering, [...source, "insecure"]) && !isOn(gathering, [...source, "tls", "startTls"]);
}

function isSecured(url: string): boolean {
	return url.toLowerCase().startsWith("ldaps:");
}
