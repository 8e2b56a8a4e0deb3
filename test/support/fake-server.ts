import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { BerReader, BerWriter, messageLength, tag } from "../../src/lib/ber.ts";

/** One request that came in, as far as a script needs it. */
export interface Came {
	readonly kind: "bind" | "search" | "extended" | "unbind" | "abandon";
	/** Of an extended operation. */
	readonly oid: string;
	readonly base: string;
	readonly scope: number;
	readonly sizeLimit: number;
	readonly timeLimit: number;
	readonly filter: Uint8Array;
	readonly attributes: readonly string[];
	readonly controls: readonly string[];
	readonly paged: { readonly size: number; readonly cookie: string } | undefined;
	/** On which connection it came, counted from 1, and whether that was encrypted then. */
	readonly connection: number;
	readonly isEncrypted: boolean;
}

type Value = string | Uint8Array;
export type Attributes = Readonly<Record<string, Value | readonly Value[]>>;

export interface Done {
	readonly code?: number;
	readonly message?: string;
	readonly matched?: string;
	readonly referrals?: readonly string[];
	/** The paged-results control's; without it that control is left out. */
	readonly cookie?: string;
	/** Of an extended operation. */
	readonly value?: string;
	readonly controls?: readonly SentControl[];
}

/** A control beside an answer, its value encoded. */
export interface SentControl {
	readonly oid: string;
	readonly value: Uint8Array;
}

/** The answering side of one request. Everything it writes goes out in one piece when the script returns, unless `flush`ed before. */
export interface Reply {
	entry(dn: string, attributes: Attributes, controls?: readonly SentControl[]): void;
	reference(...urls: readonly string[]): void;
	/** An IntermediateResponse (RFC 4511 §4.13), of a name and value that nobody knows unless given. */
	intermediate(name?: string, value?: Uint8Array): void;
	done(how?: Done): void;
	/** An unsolicited notice (RFC 4511 §4.4). */
	notice(code: number, message: string): void;
	bytes(bytes: Uint8Array): void;
	/** What was answered so far, all messages in a row; it is not sent then. */
	take(): Buffer;
	flush(): void;
	/** Cuts the connection, after what was written. */
	cut(): void;
	/** Resets it. */
	reset(): void;
}

export type Script = (came: Came, reply: Reply) => void;
export type FakeServer = Awaited<ReturnType<typeof startFakeServer>>;

/**
 * A server that speaks LDAP and does what its script says, at least as wrong as the real ones. Binds succeed and StartTLS is done
 * (with `secure`) unless the script says otherwise by answering them itself. `from`: whether TLS begins there, or at once.
 */
export async function startFakeServer(
	script: Script,
	secure?: { readonly key: string; readonly cert: string; readonly ca?: string; readonly requestCert?: boolean },
	from: "StartTLS" | "the first octet" = "StartTLS",
) {
	const came: Came[] = [];
	const sockets = new Set<net.Socket>();
	let connections = 0;
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		const serving = { script, secure, came, connection: ++connections };
		if (from === "StartTLS") serve(socket, serving);
		else serve(new tls.TLSSocket(socket, { isServer: true, ...secure }), serving, socket);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as net.AddressInfo;
	return {
		url: `${from === "StartTLS" ? "ldap" : "ldaps"}://127.0.0.1:${port}`,
		port,
		/** Everything that came, in order. */
		came,
		connections: () => connections,
		close: async (): Promise<void> => {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, "close");
		},
	};
}

interface Serving {
	readonly script: Script;
	readonly secure: { readonly key: string; readonly cert: string } | undefined;
	readonly came: Came[];
	readonly connection: number;
}

/** `wire`: the TCP connection below, when `socket` is TLS. */
function serve(socket: net.Socket, serving: Serving, wire = socket): void {
	let rest = Buffer.alloc(0);
	socket.on("error", () => {}); // The other side may cut as it likes.
	const isEncrypted = socket instanceof tls.TLSSocket;
	const onData = (chunk: Buffer): void => {
		if (rest.length === 0 && chunk[0] !== tag.sequence) return; // A TLS handshake that the script left without an answer.
		rest = Buffer.concat([rest, chunk]);
		for (let length = messageLength(rest, 0, rest.length, 1e9); length !== undefined; length = messageLength(rest, 0, rest.length, 1e9)) {
			const message = rest.subarray(0, length);
			rest = rest.subarray(length);
			const { id, request } = readRequest(message, serving.connection, isEncrypted);
			serving.came.push(request);
			const reply = makeReply(socket, wire, id, request.kind);
			serving.script(request, reply);
			const isAnswered = reply.isAnswered();
			if (request.kind === "bind" && !isAnswered) reply.done();
			if (request.oid === startTlsOid && !isAnswered && serving.secure !== undefined) {
				reply.done();
				reply.flush();
				socket.off("data", onData);
				serve(new tls.TLSSocket(socket, { isServer: true, ...serving.secure }), serving, socket);
				return;
			}
			reply.flush();
		}
	};
	socket.on("data", onData);
}

const startTlsOid = "1.3.6.1.4.1.1466.20037";
const kinds = { 96: "bind", 99: "search", 119: "extended", 66: "unbind", 80: "abandon" } as const;

function readRequest(bytes: Uint8Array, connection: number, isEncrypted: boolean): { id: number; request: Came } {
	const message = new BerReader(bytes).inside(tag.sequence);
	const id = message.integer();
	const kind = kinds[message.peek() as keyof typeof kinds];
	const nothing = {
		oid: "",
		base: "",
		scope: 0,
		sizeLimit: 0,
		timeLimit: 0,
		filter: new Uint8Array(0),
		attributes: [],
		controls: [],
		paged: undefined,
	};
	if (kind === "extended") {
		const oid = message.inside().text(0x80);
		return { id, request: { kind, ...nothing, oid, connection, isEncrypted } };
	}
	if (kind !== "search") return { id, request: { kind, ...nothing, connection, isEncrypted } };
	const search = message.inside();
	const base = search.text();
	const scope = search.integer(tag.enumerated);
	search.skip();
	const [sizeLimit, timeLimit] = [search.integer(), search.integer()];
	search.skip();
	const from = search.offset;
	search.skip();
	const filter = search.bytes.slice(from, search.offset);
	const list = search.inside(tag.sequence);
	const attributes: string[] = [];
	while (!list.isAtEnd) attributes.push(list.text());
	const { controls, paged } = readControls(message);
	return {
		id,
		request: { kind, oid: "", base, scope, sizeLimit, timeLimit, filter, attributes, controls, paged, connection, isEncrypted },
	};
}

function readControls(message: BerReader): Pick<Came, "controls" | "paged"> {
	const controls: string[] = [];
	let paged: Came["paged"];
	if (message.isAtEnd) return { controls, paged };
	const list = message.inside(0xa0);
	while (!list.isAtEnd) {
		const control = list.inside(tag.sequence);
		const oid = control.text();
		controls.push(oid);
		if (control.peek() === tag.boolean) control.skip();
		if (oid !== "1.2.840.113556.1.4.319") continue;
		const value = control.inside(tag.octetString).inside(tag.sequence);
		paged = { size: value.integer(), cookie: value.text() };
	}
	return { controls, paged };
}

const answers = { bind: 0x61, search: 0x65, extended: 0x78, unbind: 0, abandon: 0 } as const;

function makeReply(socket: net.Socket, wire: net.Socket, id: number, kind: Came["kind"]): Reply & { isAnswered(): boolean } {
	const pieces: Buffer[] = [];
	let isAnswered = false;
	const put = (bytes: Uint8Array): void => {
		isAnswered = true;
		pieces.push(Buffer.from(bytes));
	};
	const message = (body: (writer: BerWriter) => void, messageId = id): void => {
		const writer = new BerWriter().open().integer(messageId);
		body(writer);
		put(writer.close().finish());
	};
	const take = (): Buffer => Buffer.concat(pieces.splice(0));
	const flush = (): void => {
		if (pieces.length > 0 && !socket.destroyed) socket.write(take());
	};
	return {
		isAnswered: () => isAnswered,
		entry: (dn, attributes, controls = []) =>
			message((writer) => {
				writeEntry(writer, dn, attributes);
				writeControls(writer, controls);
			}),
		reference: (...urls) =>
			message((writer) => {
				writer.open(0x73);
				for (const url of urls) writer.text(url);
				writer.close();
			}),
		intermediate: (name = "1.2.3", value) =>
			message((writer) => {
				writer.open(0x79).text(name, 0x80);
				if (value !== undefined) writer.octets(value, 0x81);
				writer.close();
			}),
		done: (how = {}) => message((writer) => writeDone(writer, answers[kind], how)),
		notice: (code, text) =>
			message((writer) => {
				writer.open(0x78).integer(code, tag.enumerated).text("").text(text).text("1.3.6.1.4.1.1466.20036", 0x8a).close();
			}, 0),
		bytes: put,
		take,
		flush,
		cut: () => {
			flush();
			isAnswered = true;
			socket.end();
		},
		reset: () => {
			isAnswered = true;
			wire.resetAndDestroy();
		},
	};
}

function writeEntry(writer: BerWriter, dn: string, attributes: Attributes): void {
	writer.open(0x64).text(dn).open();
	for (const [name, values] of Object.entries(attributes)) {
		writer.open().text(name).open(tag.set);
		for (const value of typeof values === "string" || values instanceof Uint8Array ? [values] : values) {
			writer.octets(typeof value === "string" ? Buffer.from(value) : value);
		}
		writer.close().close();
	}
	writer.close().close();
}

function writeControls(writer: BerWriter, controls: readonly SentControl[]): void {
	if (controls.length === 0) return;
	writer.open(0xa0);
	for (const { oid, value } of controls) writer.open().text(oid).octets(value).close();
	writer.close();
}

function writeDone(
	writer: BerWriter,
	operation: number,
	{ code = 0, message = "", matched = "", referrals, cookie, value: response, controls = [] }: Done,
): void {
	writer.open(operation).integer(code, tag.enumerated).text(matched).text(message);
	if (referrals !== undefined) {
		writer.open(0xa3);
		for (const url of referrals) writer.text(url);
		writer.close();
	}
	if (response !== undefined) writer.text(response, 0x8b);
	writer.close();
	const value = new BerWriter()
		.open()
		.integer(0)
		.text(cookie ?? "")
		.close()
		.finish();
	const paged = cookie === undefined ? [] : [{ oid: "1.2.840.113556.1.4.319", value }];
	writeControls(writer, [...paged, ...controls]);
}
