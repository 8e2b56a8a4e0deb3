import type { Socket } from "node:net";
import { type Client, ResultCodeError } from "ldapts";
import { Failure } from "../../core/errors.ts";
import { bindFailure } from "./bind-failure.ts";
import type { ClientCertificate } from "./client-certificate.ts";
import { slow, within } from "./deadline.ts";

/** As whom we read. */
export type Bind = { readonly user: string; readonly password: string } | ExternalBind;

/** As whom the client certificate of the TLS connection stands for (SASL EXTERNAL, RFC 4513 §5.2.3). */
export interface ExternalBind {
	readonly sasl: "external";
	/** "dn:cn=sync,dc=example,dc=org" or "u:sync"; undefined: whoever the server takes the certificate for. */
	readonly authorizationId: string | undefined;
}

export interface BindOptions {
	readonly server: string;
	readonly bind: Bind;
	readonly certificate: ClientCertificate | undefined;
	/** The connection was TLS from its first octet on. */
	readonly isTlsPort: boolean;
	readonly timeoutMs: number;
	/** Unix milliseconds. */
	readonly clock: () => number;
}

/** The account for a person: "svc@corp.example.com", or the certificate that stands for it. Not a secret. */
export function accountName(bind: { readonly user: string } | ExternalBind, certificate: ClientCertificate | undefined): string {
	if ("user" in bind) return bind.user;
	return bind.authorizationId ?? `certificate ${certificate?.subject ?? "(none)"}`;
}

/**
 * Binds, and returns the account as the server knows it as far as it says so, else as we do. Never anonymous: servers that would
 * say "success" to nobody are asked who we are. Throws Failure SOURCE_REFUSED, SOURCE_BROKE, SOURCE_UNREACHABLE or CANCELLED.
 */
export async function bind(client: Client, socket: Socket, options: BindOptions, signal: AbortSignal): Promise<string> {
	const { bind, certificate, server, timeoutMs } = options;
	const account = accountName(bind, certificate);
	// ldapts takes all error listeners away when it takes the socket: it must come first.
	const wait = "user" in bind ? client.bind(bind.user, bind.password).then(() => undefined) : bindExternal(client, bind, options);
	const told = Promise.race([wait, untilLost(socket)]).catch((cause: unknown) => {
		const isByCertificate = !("user" in bind);
		throw bindFailure({ server, account, isByCertificate, certificate, now: options.clock() }, cause);
	});
	return (await within(timeoutMs, told, () => slow(`no answer from ${server} to the bind as ${account}`, timeoutMs), signal)) ?? account;
}

async function bindExternal(
	client: Client,
	{ authorizationId }: ExternalBind,
	{ server, isTlsPort }: BindOptions,
): Promise<string | undefined> {
	// On its TLS port Active Directory takes the certificate by itself, and refuses an EXTERNAL bind then (MS-ADTS 5.1.1.2).
	const already = isTlsPort && authorizationId === undefined ? await whoAmI(client) : undefined;
	if (already !== undefined && already !== "") return dnOf(already);
	await client.bindSASL("EXTERNAL", authorizationId ?? "");
	const who = await whoAmI(client);
	if (who === "") {
		throw new Failure("SOURCE_REFUSED", `${server} took the client certificate, and took it for nobody: the bind is anonymous`, {
			hint: "Map the certificate to an account there (OpenLDAP: authz-regexp; 389 Directory Server: certmap.conf; Active Directory: altSecurityIdentities).",
		});
	}
	return who === undefined ? undefined : dnOf(who);
}

/** RFC 4532. */
const WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3";

/** "dn:cn=sync,dc=example,dc=org"; "" for nobody; undefined when the server does not tell. */
async function whoAmI(client: Client): Promise<string | undefined> {
	try {
		return (await client.exop(WHO_AM_I)).value ?? "";
	} catch (cause) {
		if (cause instanceof ResultCodeError) return undefined;
		throw cause;
	}
}

function dnOf(authorizationId: string): string {
	return authorizationId.replace(/^dn:\s*/i, "");
}

/**
 * Rejects when the connection ends, with the TLS alert that ended it if one did: under TLS 1.3 a server judges our certificate only
 * after the handshake. ldapts hides the alert, and after StartTLS it does not notice the end at all.
 */
function untilLost(socket: Socket): Promise<never> {
	return new Promise((_, reject) => {
		const closed = (): void => reject(Object.assign(new Error("it was closed"), { code: "ECONNRESET" }));
		if (socket.destroyed) closed();
		socket.prependOnceListener("error", reject);
		socket.prependOnceListener("close", closed);
	});
}
