import { lookup } from "node:dns/promises";
import { connect as connectPlain, isIP } from "node:net";
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls";
import { Failure } from "../../core/errors.ts";
import { certificateNames } from "../../lib/untrusted.ts";
import { type Address, expectedName, sniName } from "./address.ts";
import { day, daysLeft, expiryWarning, readClientCertificate, SOON_DAYS } from "./client-certificate.ts";
import { connectFailure } from "./connect-failure.ts";
import { reach, type Timeouts, type Tls } from "./dial.ts";
import type { Discovery } from "./discovery.ts";
import { findServers, type ServerOptions } from "./servers.ts";
import { ownSite } from "./site.ts";
import type { Session } from "./wire/session.ts";

/** One thing that was looked at, for a person. */
export interface Finding {
	readonly step: string;
	readonly subject: string;
	readonly state: "passed" | "warned" | "failed";
	readonly detail: string;
	readonly remedy: string | undefined;
}

export function passed(step: string, subject: string, detail: string): Finding {
	return { step, subject, state: "passed", detail, remedy: undefined };
}

export function warned(step: string, subject: string, detail: string, remedy: string): Finding {
	return { step, subject, state: "warned", detail, remedy };
}

/** An attribute that is asked for and that nobody can have. */
export function notInSchema(attribute: string): Finding {
	return warned(
		"attribute",
		attribute,
		"is not in the directory's schema",
		"Check its spelling: nobody can have it, and a rule that asks about it applies to nobody.",
	);
}

/** What was thrown, as a finding; anything but a Failure is a bug and thrown on. */
export function failed(step: string, subject: string, cause: unknown): Finding {
	if (!(cause instanceof Failure) || cause.code === "CANCELLED") throw cause;
	return { step, subject, state: "failed", detail: cause.message, remedy: cause.hint };
}

interface Server {
	readonly address: Address;
	readonly tls: Tls;
	readonly timeouts: Timeouts;
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/** In a large domain most controllers are elsewhere, and many of them out of reach: so many of the first are looked at. */
const LOOKED_AT = 8;

/** Which servers there are, as DNS has them where they are not named one by one. Returns those that are worth a look. */
export async function* diagnoseServers(options: ServerOptions, signal: AbortSignal): AsyncGenerator<Finding, readonly Address[]> {
	const { discovery } = options;
	if (discovery === undefined) return (await findServers(options, signal)).addresses;
	try {
		const { addresses, near, warnings } = await findServers(options, signal);
		const sited = discovery.site === undefined ? "" : `, ${near.length} of them in site ${discovery.site}`;
		const rest = addresses.length > LOOKED_AT ? `; the first ${LOOKED_AT} of them are looked at` : "";
		const names = addresses.slice(0, LOOKED_AT).map(({ url }) => url);
		yield passed("dns", discovery.domain, `DNS names ${addresses.length} servers${sited}: ${names.join(", ")}${rest}`);
		for (const warning of warnings) {
			yield warned("dns", discovery.domain, warning, "Check the domain's SRV records, and the spelling of domain and site.");
		}
		return addresses.slice(0, LOOKED_AT);
	} catch (cause) {
		yield failed("dns", discovery.domain, cause);
		return [];
	}
}

/** Whether this machine's site is known to those who were found by DNS; nothing where it is configured, or servers are named. */
export async function diagnoseSite(session: Session, discovery: Discovery | undefined): Promise<readonly Finding[]> {
	if (discovery === undefined || discovery.site !== undefined) return [];
	const site = await ownSite(session, discovery.domain);
	if (site !== undefined) return [passed("site", site, "is where this machine is: its domain controllers are tried first")];
	return [
		warned(
			"site",
			discovery.domain,
			"does not say which site this machine is in: its servers are tried in the order of DNS, near or far",
			"Add this machine's subnet in Active Directory Sites and Services, or name the site in the configuration.",
		),
	];
}

/** Who we are to a server that asks for a certificate, and for how long; nothing where none is configured. */
export function diagnoseClientCertificate(tls: Tls, now: number): readonly Finding[] {
	const subject = "client certificate";
	try {
		const certificate = readClientCertificate(tls);
		if (certificate === undefined) return [];
		const left = daysLeft(certificate.expiresAt, now);
		const detail = `${certificate.subject}, valid until ${day(certificate.expiresAt)}`;
		if (expiryWarning(certificate, now) === undefined) return [passed("tls", subject, detail)];
		const remedy = "Renew it, and put the new one into the files of tls.cert and tls.key: readings fail once it is over.";
		if (left >= 0) return [warned("tls", subject, `${detail}: ${left} days left`, remedy)];
		return [{ step: "tls", subject, state: "failed", detail: `${detail}: it has expired`, remedy }];
	} catch (cause) {
		return [failed("tls", subject, cause)];
	}
}

/** The way to one server, step by step, until one of them fails: its name, its port, its TLS. Nothing is said to it. */
export async function* diagnoseServer(server: Server, signal: AbortSignal): AsyncGenerator<Finding, void> {
	const { address } = server;
	const name = expectedName(address, server.tls.servername);
	if (isIP(address.host) === 0) {
		try {
			const found = await lookup(address.host, { all: true });
			yield passed("dns", address.host, found.map((one) => one.address).join(", "));
		} catch (cause) {
			yield failed("dns", address.host, connectFailure(address, name, cause));
			return;
		}
	}
	const port = `${address.host}:${address.port}`;
	try {
		const startedAt = performance.now();
		await tryPort(address, server.timeouts.connectMs);
		yield passed("tcp", port, `answers in ${Math.round(performance.now() - startedAt)} ms`);
	} catch (cause) {
		yield failed("tcp", port, connectFailure(address, name, cause));
		return;
	}
	yield* diagnoseTls(server, name, signal);
}

async function* diagnoseTls({ address, tls, timeouts, clock }: Server, name: string, signal: AbortSignal): AsyncGenerator<Finding, void> {
	if (!address.isSecure && !tls.startTls) {
		yield warned(
			"tls",
			address.url,
			"is not used: the password and everybody's data go over the wire in clear",
			"Use ldaps://, or set tls.startTls: true.",
		);
		return;
	}
	try {
		const { socket } = await reach(address, { tls, timeouts, clock }, signal);
		const secured = socket as TLSSocket; // reach has seen to it: either kind of TLS was asked for.
		yield judgeCertificate(address, secured.getPeerCertificate(), `${secured.getProtocol()}, `, clock());
		socket.destroy();
	} catch (cause) {
		const finding = failed("tls", address.url, cause);
		const shown = address.isSecure ? await showCertificate(address, name, timeouts.connectMs) : undefined;
		yield shown === undefined ? finding : { ...finding, detail: `${finding.detail}; it shows ${describeCertificate(shown)}` };
	}
}

function judgeCertificate(address: Address, certificate: PeerCertificate, how: string, now: number): Finding {
	const detail = `${how}${describeCertificate(certificate)}`;
	const days = daysLeft(Date.parse(certificate.valid_to), now);
	if (days >= SOON_DAYS) return passed("tls", address.url, detail);
	return warned(
		"tls",
		address.url,
		`${detail}: ${days} days left`,
		"Renew the server's certificate before then: readings fail from that moment on.",
	);
}

/** "a certificate for dc1.corp.example.com by Corp CA, valid until 2026-11-01". */
function describeCertificate(certificate: PeerCertificate): string {
	const names = certificateNames(certificate).join(", ") || "nobody";
	const expiresAt = Date.parse(certificate.valid_to);
	const until = Number.isNaN(expiresAt) ? certificate.valid_to : day(expiresAt);
	const issuer = certificate.issuer?.CN ?? certificate.issuer?.O ?? "an authority without a name";
	return `a certificate for ${names} by ${String(issuer)}, valid until ${until}`;
}

function tryPort({ host, port, url }: Address, ms: number): Promise<void> {
	return new Promise((resolve, reject) => {
		const socket = connectPlain({ host, port, timeout: ms });
		socket.once("connect", () => resolve(void socket.destroy()));
		socket.once("error", reject);
		socket.once("timeout", () => {
			socket.destroy();
			reject(
				new Failure("SOURCE_UNREACHABLE", `cannot connect to ${url}: no answer within ${ms / 1000} s`, {
					hint: "The server is down, or a firewall drops the packets.",
				}),
			);
		});
	});
}

/** The certificate as it is, trusted or not: to be shown to a person. Nothing is sent over this connection. */
function showCertificate({ host, port }: Address, name: string, ms: number): Promise<PeerCertificate | undefined> {
	return new Promise((resolve) => {
		const sni = sniName(name);
		const socket = connectTls({ host, port, timeout: ms, rejectUnauthorized: false, ...(sni === undefined ? {} : { servername: sni }) });
		const end = (certificate: PeerCertificate | undefined): void => {
			socket.destroy();
			resolve(certificate);
		};
		socket.once("secureConnect", () => end(socket.getPeerCertificate()));
		socket.once("error", () => end(undefined)); // There is none to show; why not has been said.
		socket.once("timeout", () => end(undefined));
	});
}
