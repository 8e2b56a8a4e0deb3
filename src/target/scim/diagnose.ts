import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Failure } from "../../core/errors.ts";
import { waitReally } from "../../lib/waiting.ts";
import type { Finding } from "../finding.ts";
import { openWire, type Wire } from "../http/wire.ts";
import { type Abilities, makeDiscovery } from "./discovery.ts";
import { type Json, textIn } from "./json.ts";
import { filterOf, isAt, matchPath, valuesOf } from "./key.ts";
import { type Page, pageIn } from "./listing.ts";
import type { ScimOptions } from "./options.ts";
import { makeRequests, type Outcome, type Requests } from "./requests.ts";
import type { ScimSurroundings } from "./scim.ts";

function passed(step: string, subject: string, detail: string): Finding {
	return { step, subject, state: "passed", detail, remedy: undefined };
}

function warned(step: string, subject: string, detail: string, remedy: string): Finding {
	return { step, subject, state: "warned", detail, remedy };
}

/** What was thrown, as a finding; anything but a Failure is a bug and thrown on. */
function failed(step: string, subject: string, cause: unknown): Finding {
	if (!(cause instanceof Failure)) throw cause;
	return { step, subject, state: "failed", detail: cause.message, remedy: cause.hint };
}

/** The way to a SCIM service, step by step, until one fails that the next needs. Reads, and changes nothing. */
export async function* diagnoseScim(
	options: ScimOptions,
	{ clock, random, wait = waitReally }: ScimSurroundings,
	signal: AbortSignal,
): AsyncGenerator<Finding, void> {
	const wire = openWire(options);
	try {
		const reached = yield* diagnoseWay(options, wire, signal);
		if (!reached) return;
		const requests = makeRequests(options, wire, { clock, random, wait });
		yield* diagnoseService(options, requests, signal);
	} finally {
		await wire.close();
	}
}

/** Name, port and TLS: whatever is answered to a request without credentials, it was answered. */
async function* diagnoseWay({ url, proxy }: ScimOptions, wire: Wire, signal: AbortSignal): AsyncGenerator<Finding, boolean> {
	const { hostname, host, protocol, origin, pathname } = new URL(url);
	// By way of a proxy the name is the proxy's to know.
	if (isIP(hostname.replace(/^\[|\]$/g, "")) === 0 && proxy === undefined) {
		try {
			const found = await lookup(hostname, { all: true });
			yield passed("dns", hostname, found.map(({ address }) => address).join(", "));
		} catch (cause) {
			const remedy = "Check the name's spelling and this machine's DNS servers; behind a proxy, set proxy.";
			yield { step: "dns", subject: hostname, state: "failed", detail: `DNS knows no "${hostname}"${codeIn(cause)}`, remedy };
			return false;
		}
	}
	try {
		const reply = await wire.exchange(
			{ method: "GET", origin, path: `${pathname}/ServiceProviderConfig`, headers: {}, body: undefined },
			signal,
		);
		if (reply.kind === "lost")
			throw new Failure("TARGET_UNREACHABLE", `${host} gives ${reply.why}`, { hint: "Check url and the network." });
		yield passed("connect", host, `answers${proxy === undefined ? "" : ` by way of the proxy ${new URL(proxy).host}`}`);
	} catch (cause) {
		yield failed("connect", host, cause);
		return false;
	}
	if (protocol === "http:") {
		yield warned("tls", origin, "is not used: everybody's data and our credentials go over the wire in clear", "Use https://.");
	} else yield passed("tls", origin, "the certificate is trusted");
	return true;
}

function codeIn(cause: unknown): string {
	return cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
}

async function* diagnoseService(options: ScimOptions, requests: Requests, signal: AbortSignal): AsyncGenerator<Finding, void> {
	let users: Page | undefined;
	let abilities: Abilities;
	try {
		// First what needs our rights: the documents may be open to anybody.
		users = pageOf("/Users", await requests.send(sample("/Users"), signal), requests);
		yield passed("sign-in", options.url, options.auth.kind === "none" ? "no credentials are wanted" : "our credentials are taken");
		abilities = await makeDiscovery(requests)(signal);
	} catch (cause) {
		yield failed(cause instanceof Failure && cause.code === "TARGET_REFUSED" ? "sign-in" : "users", options.url, cause);
		return;
	}
	yield documentsFinding(options, abilities);
	yield passed("users", "/Users", `can be read, ${users.total ?? "an unknown number of"} of them`);
	yield* diagnoseFilter(requests, users, "externalId", signal);
	const match = matchPath(options.match);
	if (match !== "externalId") yield* diagnoseFilter(requests, users, match, signal);
	if (!options.groups) return;
	try {
		const groups = pageOf("/Groups", await requests.send(sample("/Groups"), signal), requests);
		yield passed("groups", "/Groups", `can be read, ${groups.total ?? "an unknown number of"} of them`);
	} catch (cause) {
		const { detail, remedy } = failed("groups", "/Groups", cause);
		yield { step: "groups", subject: "/Groups", state: "failed", detail, remedy: remedy ?? "Set groups: false if the service has none." };
	}
}

function documentsFinding({ url, dialect }: ScimOptions, { patch, etag, published }: Abilities): Finding {
	if (published.length === 0) {
		return warned(
			"documents",
			url,
			"does not say what it can do: PATCH and filters are assumed",
			"None is needed if changes arrive. Else try another dialect.",
		);
	}
	const can = [patch ? "PATCH" : "no PATCH", etag ? "versions" : "no versions"].join(", ");
	if (dialect !== "put" && !patch) {
		return warned("documents", url, `says that it has no PATCH: changes are sent as PUT`, "Set dialect: put, to say that this is meant.");
	}
	return passed("documents", url, `${published.join(", ")}: ${can}`);
}

/** Looks for somebody who is there. */
async function* diagnoseFilter(requests: Requests, users: Page, path: string, signal: AbortSignal): AsyncGenerator<Finding, void> {
	const subject = `filter by ${path}`;
	const value = users.resources.flatMap((user: Json) => valuesOf(user, { path, isCaseless: false }))[0];
	if (value === undefined) {
		yield passed("filter", subject, "cannot be tried: nobody who is shown has a value there");
		return;
	}
	const key = { path, value, isCaseless: false };
	try {
		const outcome = await requests.look({ method: "GET", path: "/Users", query: { filter: filterOf(key) } }, signal);
		const page = outcome.kind === "answer" ? pageIn(outcome) : undefined;
		const found = page?.resources.filter((user) => isAt(user, key) && textIn(user, "id") !== undefined) ?? [];
		if (page !== undefined && found.length > 0 && found.length === page.resources.length) {
			yield passed("filter", subject, "finds who is there");
			return;
		}
		const why =
			page !== undefined && found.length < page.resources.length
				? "is passed over: everybody is shown"
				: `does not find who is there${outcome.kind === "answer" && page === undefined ? `: ${requests.words(outcome)}` : ""}`;
		const remedy = "Everybody is read to find one, which is slow in a large service. Set match to an attribute that it can filter by.";
		yield warned("filter", subject, why, remedy);
	} catch (cause) {
		yield failed("filter", subject, cause);
	}
}

function sample(path: string) {
	const query: Readonly<Record<string, string>> = { startIndex: "1", count: "10" };
	return { method: "GET", path, query } as const;
}

function pageOf(path: string, outcome: Outcome, requests: Requests): Page {
	const page = outcome.kind === "answer" ? pageIn(outcome) : undefined;
	if (page !== undefined) return page;
	const why = outcome.kind === "answer" ? requests.words(outcome) : outcome.why;
	throw new Failure("TARGET_UNREACHABLE", `${path} cannot be read: ${why}`, {
		hint: "Check url: it must be the SCIM service's base, such as https://scim.example.com/v2.",
	});
}
