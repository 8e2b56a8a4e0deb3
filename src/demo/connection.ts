import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { BerError, messageLength, tag } from "../lib/ber.ts";
import { answer } from "./answer.ts";
import { bind } from "./bind.ts";
import type { Armed } from "./faults.ts";
import type { Host, Session } from "./host.ts";
import { isStanding, standBy } from "./notify.ts";
import { makeOutlet } from "./outlet.ts";
import { type Control, type Message, type Operation, readMessage } from "./request.ts";
import { answerTag, type Ending, wellDone, writeResult } from "./response.ts";
import { refusal, refusalOf, refuse } from "./result.ts";
import { controlOid, startTlsOid } from "./rootdse.ts";
import { search } from "./search.ts";
import { delayOf, dueAfter, noticeOfDisconnection, strike } from "./strike.ts";

/** AD's MaxReceiveBuffer. */
const LONGEST_MESSAGE = 10 * 1024 * 1024;

/** Serves one client until it leaves. `wire` is the TCP connection, `socket` what is read from: the same, or TLS over it. */
export function serve(host: Host, socket: Socket, wire: Socket, number: number, isSecure: boolean): void {
	const life = new AbortController();
	const session: Session = { host, number, account: undefined, isSecure, out: makeOutlet(socket, wire, life.signal), passes: new Map() };
	const running = new Map<number, AbortController>();
	socket.on("error", () => undefined); // A client that vanishes is an everyday thing: "close" follows.
	socket.on("close", () => {
		life.abort();
		for (const task of running.values()) task.abort();
	});
	const greeting = armed(session, "connect", undefined, 0);
	const due = dueAfter(greeting, 0);
	if (due !== undefined) {
		void strike(session, due);
		return;
	}
	listen(session, socket, wire, running);
}

function listen(session: Session, socket: Socket, wire: Socket, running: Map<number, AbortController>): void {
	let pending: Buffer = Buffer.alloc(0);
	const read = (chunk: Buffer): void => {
		pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
		let at = 0;
		try {
			for (;;) {
				if (pending.length > at && pending[at] !== tag.sequence) throw new BerError("no LDAPMessage begins like that");
				const length = messageLength(pending, at, pending.length, LONGEST_MESSAGE);
				if (length === undefined) break;
				const message = readMessage(pending.subarray(at, at + length));
				at += length;
				if (message.operation.kind === "extended" && message.operation.oid === startTlsOid) {
					socket.off("data", read);
					void startTls(session, socket, wire, message.id, running, read);
					break;
				}
				void take(session, message, running);
			}
		} catch (error) {
			if (!(error instanceof BerError)) throw error;
			socket.off("data", read);
			void session.out.send(noticeOfDisconnection("protocolError")).then(() => session.out.end());
			return;
		}
		pending = pending.subarray(at);
	};
	socket.on("data", read);
}

async function startTls(
	session: Session,
	socket: Socket,
	wire: Socket,
	id: number,
	running: Map<number, AbortController>,
	read: (chunk: Buffer) => void,
): Promise<void> {
	const { secureContext } = session.host;
	const faults = armed(session, "extended", undefined, 0);
	const due = dueAfter(faults, 0);
	const blow = due === undefined ? undefined : await strike(session, due);
	if (blow?.kind === "silence") return;
	if (secureContext === undefined || session.isSecure || blow !== undefined) {
		const end = blow?.end ?? refusal("unavailable", "00000000: LdapErr: DSID-0C0910A2, comment: Error initializing SSL/TLS, data 0, v1db1");
		await session.out.send(writeResult(id, answerTag.extended, end, [], { oid: startTlsOid }));
		socket.on("data", read);
		return;
	}
	await session.out.send(writeResult(id, answerTag.extended, wellDone, [], { oid: startTlsOid }));
	const secure = new TLSSocket(socket, { isServer: true, secureContext });
	secure.on("error", () => wire.destroy());
	session.out = makeOutlet(secure, wire, session.out.gone);
	session.isSecure = true;
	// StartTLS begins anew: who was bound is nobody again.
	session.account = undefined;
	listen(session, secure, wire, running);
}

function armed(session: Session, operation: Operation["kind"] | "connect", found: Operation | undefined, page: number): readonly Armed[] {
	return session.host.faults.armedFor({
		operation,
		connection: session.number,
		account: session.account?.dn ?? "",
		search: found?.kind === "search" ? found : undefined,
		page,
	});
}

async function take(session: Session, message: Message, running: Map<number, AbortController>): Promise<void> {
	const { id, operation, controls } = message;
	if (operation.kind === "unbind") return session.out.end();
	if (operation.kind === "abandon") return running.get(operation.id)?.abort();
	const task = new AbortController();
	running.set(id, task);
	try {
		refuseUnknown(controls);
		if (operation.kind === "search") {
			const armedFor = (page: number): readonly Armed[] => armed(session, "search", operation, page);
			const answered = isStanding(controls) ? standBy : search;
			await answered(session, { id, request: operation, controls, signal: task.signal, armedFor });
			return;
		}
		const faults = armed(session, operation.kind, operation, 0);
		const delayMs = delayOf(faults);
		if (delayMs > 0) await setTimeout(delayMs, undefined, { signal: task.signal });
		const due = dueAfter(faults, 0);
		const blow = due === undefined ? undefined : await strike(session, due);
		if (blow?.kind === "silence") return;
		const end = blow?.end ?? (operation.kind === "bind" ? takeBind(session, operation) : answer(session, operation, controls));
		const value = operation.kind === "extended" && end.code === 0 ? { value: `u:${session.account?.dn ?? ""}` } : {};
		await session.out.send(writeResult(id, answerTag[operation.kind], end, [], value));
	} catch (error) {
		if (!task.signal.aborted) await session.out.send(writeResult(id, answerTag[operation.kind], refusalOf(error) ?? unexpected(error)));
	} finally {
		running.delete(id);
	}
}

/** A bug of ours, or a value within the request that is no BER: the client is told, and the others are served on. */
function unexpected(error: unknown): Ending {
	return refusal(error instanceof BerError ? "protocolError" : "other", `000020EF: SvcErr: DSID-00000000, ${String(error)}, data 0`);
}

/** A control that is critical and unknown ends the operation (RFC 4511 §4.1.11). */
function refuseUnknown(controls: readonly Control[]): void {
	const known: readonly string[] = Object.values(controlOid);
	const unknown = controls.find(({ oid, isCritical }) => isCritical && !known.includes(oid));
	if (unknown !== undefined)
		refuse("unavailableCriticalExtension", "00000057: LdapErr: DSID-0C090D11, comment: Error processing control, data 0, v1db1");
}

function takeBind(session: Session, operation: Operation & { kind: "bind" }): Ending {
	const { host } = session;
	session.passes.clear();
	session.account = undefined;
	if (operation.version !== 3)
		return refusal("protocolError", "00000057: LdapErr: DSID-0C09083D, comment: unsupported LDAP version, data 0, v1db1");
	if (operation.password === undefined) {
		return refusal("authMethodNotSupported", "00002027: LdapErr: DSID-0C090532, comment: Invalid Authentication method, data 0, v1db1");
	}
	if (host.requireTls && !session.isSecure && operation.password !== "") {
		const text = "comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection";
		return refusal("strongerAuthRequired", `00002028: LdapErr: DSID-0C090259, ${text}, data 0, v1db1`);
	}
	const outcome = bind(host.store, host.credentials, operation.name, operation.password);
	session.account = outcome.account;
	return outcome.end;
}
