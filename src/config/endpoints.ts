import { isIP } from "node:net";
import { type Gathering, isOn, isThere, textAt } from "./gathering.ts";
import type { Path } from "./problem.ts";
import { checkHttpUrl, checkProxyUrl } from "./target-formats.ts";

/** Where a target is on the network, and whether the way there is safe. */
export function checkEndpoints(gathering: Gathering, target: Path): void {
	const url = [...target, "url"];
	checkUrl(gathering, target, url);
	checkUrl(gathering, target, [...target, "auth", "oauth", "tokenUrl"]);
	checkProxy(gathering, [...target, "proxy"]);
	const text = textAt(gathering, url) ?? "";
	if (textAt(gathering, [...target, "type"]) === "scim" && checkHttpUrl(text) === undefined && new URL(text).search !== "") {
		gathering.problem(url, {
			message: "a query in the URL beneath which SCIM's paths begin",
			remedy: "write it without ? and what follows",
		});
	}
}

const IN_CLEAR = "accounts, and what we sign in with, cross the network in clear";

/** Whether a URL goes over plain HTTP to another machine. */
export function checkUrl(gathering: Gathering, target: Path, at: Path): void {
	const text = textAt(gathering, at);
	if (text === undefined || checkHttpUrl(text) !== undefined) return;
	const { protocol, hostname } = new URL(text);
	if (protocol === "https:") return;
	const tls = [...target, "tls"];
	if (isThere(gathering, tls) && at.at(-1) === "url") {
		gathering.problem(at, { message: "http:// beside tls, which it does not use", remedy: "write https://, or remove tls" });
	} else if (isLoopback(hostname)) return;
	else if (isOn(gathering, [...target, "insecure"])) gathering.warn(at, { message: `plain HTTP: ${IN_CLEAR}`, remedy: "use https://" });
	else {
		const remedy = "write https:// (or set insecure: true where nobody else is on the line)";
		gathering.problem(at, { message: `plain HTTP: ${IN_CLEAR}`, remedy });
	}
}

/** A password for the proxy has no place but its URL: from the environment, it is not for everybody who reads the file. */
function checkProxy(gathering: Gathering, at: Path): void {
	const text = textAt(gathering, at);
	if (text === undefined || checkProxyUrl(text) !== undefined || new URL(text).password === "" || gathering.document.isExpanded(at)) return;
	const remedy = `take it from the environment: http://user:\${PROXY_PASSWORD}@proxy.example.com:3128`;
	gathering.warn(at, { message: "the proxy's password stands in the configuration itself", remedy });
}

/** Whether a host, as a URL has it, is this machine. */
export function isLoopback(hostname: string): boolean {
	return /^localhost\.?$|\.localhost$/.test(hostname) || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}
