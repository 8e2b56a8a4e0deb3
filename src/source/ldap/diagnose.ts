import { lookup } from "node:dns/promises";
import { connect as connectPlain, isIP } from "node:net";
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls";
import { Failure } from "../../core/errors.ts";
import { type Address, expectedName, sniName } from "./address.ts";
import { certificateNames, connectFailure } from "./connect-failure.ts";
import { reach, type Timeouts, type Tls } from "./dial.ts";

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

/** What was thrown, as a finding; anything but a Failure is a bug and thrown on. */
export function failed(step: string, subject: string, cause: unknown): Finding {
	if (!(cause instanceof Failure) || cause.code === "CANCELLED") throw cause;
	return { step, subject, state: "failed", detail: cause.message, remedy: cause.hint };
}

interface Server {
	readonly address: Address;
	readonly tls: Tls;
	readonly timeouts: Timeouts;
	readonly now: number;
}

/** A certificate that lives no longer than this is worth a warning. */
const SOON_DAYS = 30;
const DAY_MS = 24 * 60 * 60_000;

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

async function* diagnoseTls({ address, tls, timeouts, now }: Server, name: string, signal: AbortSignal): AsyncGenerator<Finding, void> {
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
		const { socket } = await reach(address, { tls, timeouts }, signal);
		const secured = socket as TLSSocket; // reach has seen to it: either kind of TLS was asked for.
		yield judgeCertificate(address, secured.getPeerCertificate(), `${secured.getProtocol()}, `, now);
		socket.destroy();
	} catch (cause) {
		const finding = failed("tls", address.url, cause);
		const shown = address.isSecure ? await showCertificate(address, name, timeouts.connectMs) : undefined;
		yield shown === undefined ? finding : { ...finding, detail: `${finding.detail}; it shows ${describeCertificate(shown)}` };
	}
}

function judgeCertificate(address: Address, certificate: PeerCertificate, how: string, now: number): Finding {
	const detail = `${how}${describeCertificate(certificate)}`;
	const days = Math.floor((Date.parse(certificate.valid_to) - now) / DAY_MS);
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
	const until = Number.isNaN(expiresAt) ? certificate.valid_to : new Date(expiresAt).toISOString().slice(0, 10);
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
