import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Filter } from "../../src/core/filter.ts";
import { parseFilter } from "../../src/core/filter-text.ts";
import { BerReader, BerWriter, messageLength, tag } from "../../src/lib/ber.ts";

/** What came back for one search request, byte for byte what the server said: ldapts would tidy it up. */
export interface Answer {
	readonly entries: readonly { readonly dn: string; readonly attributes: ReadonlyMap<string, readonly Buffer[]> }[];
	readonly references: readonly string[];
	readonly code: number;
	readonly text: string;
	readonly matchedDn: string;
	readonly referral: readonly string[];
	/** Of the paged-results or the DirSync control; undefined when there was none. */
	readonly cookie: Buffer | undefined;
}

export interface Question {
	readonly base: string;
	readonly scope?: "base" | "one" | "sub";
	readonly filter?: string;
	readonly attributes?: readonly string[];
	readonly sizeLimit?: number;
	readonly timeLimit?: number;
	readonly typesOnly?: boolean;
	readonly page?: { readonly size: number; readonly cookie?: Uint8Array | undefined };
	/** OIDs of value-less critical controls. */
	readonly controls?: readonly string[];
	/** Asks for what changed since a cookie, with these flags. */
	readonly dirSync?: { readonly flags: number; readonly cookie?: Uint8Array | undefined };
}

/** A client that says exactly what it is told to, on one connection. */
export interface Wire {
	bind(name: string, password: string): Promise<{ code: number; text: string }>;
	/** Rejects when the connection ends, or brings anything but LDAP, before the search does. */
	search(question: Question): Promise<Answer>;
	/** Sends a search and waits for nothing. Returns its message id. */
	ask(question: Question): number;
	abandon(id: number): void;
	/** Stops reading, and goes on. */
	pause(): void;
	resume(): void;
	sendRaw(bytes: Uint8Array): void;
	/** How the operation of a request that was sent raw ends. */
	expect(id: number): Promise<{ code: number; text: string }>;
	/** Why the connection ended: "end", or an error's code. */
	readonly over: Promise<string>;
	close(): void;
}

const DIRSYNC = "1.2.840.113556.1.4.841";

const encoder = { base: 0, one: 1, sub: 2 } as const;

export async function openWire(address: { host: string; port: number }): Promise<Wire> {
	const socket = connect(address);
	await once(socket, "connect");
	return makeWire(socket);
}

export function makeWire(socket: Socket): Wire {
	let pending: Buffer = Buffer.alloc(0);
	let nextId = 1;
	const waiting = new Map<number, { take(message: BerReader): void; fail(error: Error): void }>();
	const over = new Promise<string>((resolve) => {
		socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
		socket.on("close", () => resolve("end"));
	});
	void over.then((why) => {
		for (const one of waiting.values()) one.fail(new Error(`connection over: ${why}`));
	});
	socket.on("data", (chunk: Buffer) => {
		pending = Buffer.concat([pending, chunk]);
		try {
			for (;;) {
				const length = messageLength(pending, 0, pending.length, 1e8);
				if (length === undefined) return;
				const message = new BerReader(pending, 0, length).inside(tag.sequence);
				pending = pending.subarray(length);
				waiting.get(message.integer())?.take(message);
			}
		} catch (error) {
			for (const one of waiting.values()) one.fail(error as Error);
			socket.destroy();
		}
	});
	const ask = (question: Question): number => {
		const id = nextId++;
		socket.write(searchRequest(id, question));
		return id;
	};
	return {
		over,
		ask,
		close: () => socket.destroy(),
		pause: () => void socket.pause(),
		resume: () => void socket.resume(),
		expect: (id) =>
			new Promise((resolve, reject) => {
				waiting.set(id, { fail: reject, take: (message) => resolve(readEnd(message.inside())) });
			}),
		sendRaw: (bytes) => void socket.write(bytes),
		abandon: (id) => void socket.write(new BerWriter().open().integer(nextId++).integer(id, 0x50).close().finish()),
		bind(name, password) {
			const id = nextId++;
			const request = new BerWriter().open().integer(id).open(0x60).integer(3).text(name).text(password, 0x80).close().close();
			socket.write(request.finish());
			return new Promise((resolve, reject) => {
				waiting.set(id, { fail: reject, take: (message) => resolve(readEnd(message.inside())) });
			});
		},
		search(question) {
			const id = ask(question);
			return new Promise((resolve, reject) => {
				const entries: Answer["entries"][number][] = [];
				const references: string[] = [];
				waiting.set(id, {
					fail: reject,
					take(message) {
						const kind = message.peek();
						const body = message.inside();
						if (kind === 0x64) entries.push(readEntry(body));
						else if (kind === 0x73) references.push(body.text());
						else resolve({ entries, references, ...readEnd(body), cookie: readCookie(message) });
					},
				});
			});
		},
	};
}

function searchRequest(id: number, question: Question): Buffer {
	const { base, scope = "sub", filter = "(objectClass=*)", attributes = [], sizeLimit = 0, timeLimit = 0, typesOnly = false } = question;
	const writer = new BerWriter().open().integer(id).open(0x63);
	writer.text(base).integer(encoder[scope], tag.enumerated).integer(0, tag.enumerated).integer(sizeLimit).integer(timeLimit);
	writer.boolean(typesOnly);
	writeFilter(writer, parseFilter(filter));
	writer.open();
	for (const attribute of attributes) writer.text(attribute);
	writer.close().close().open(0xa0);
	for (const oid of question.controls ?? []) writer.open().text(oid).boolean(true).close();
	if (question.dirSync !== undefined) {
		const { flags, cookie = Buffer.alloc(0) } = question.dirSync;
		const value = new BerWriter().open().integer(flags).integer(0).octets(cookie).close().finish();
		writer.open().text(DIRSYNC).boolean(true).octets(value).close();
	}
	if (question.page !== undefined) {
		const { size, cookie = Buffer.alloc(0) } = question.page;
		const value = new BerWriter().open().integer(size).octets(cookie).close().finish();
		writer.open().text("1.2.840.113556.1.4.319").boolean(true).octets(value).close();
	}
	return writer.close().close().finish();
}

function writeFilter(writer: BerWriter, filter: Filter): void {
	switch (filter.kind) {
		case "and":
		case "or":
			writer.open(filter.kind === "and" ? 0xa0 : 0xa1);
			for (const part of filter.parts) writeFilter(writer, part);
			writer.close();
			break;
		case "not":
			writer.open(0xa2);
			writeFilter(writer, filter.part);
			writer.close();
			break;
		case "present":
			writer.text(filter.attribute, 0x87);
			break;
		case "substrings":
			writer.open(0xa4).text(filter.attribute).open();
			if (filter.initial !== undefined) writer.octets(filter.initial, 0x80);
			for (const part of filter.any) writer.octets(part, 0x81);
			if (filter.final !== undefined) writer.octets(filter.final, 0x82);
			writer.close().close();
			break;
		case "extensible":
			writer.open(0xa9);
			if (filter.rule !== undefined) writer.text(filter.rule, 0x81);
			if (filter.attribute !== undefined) writer.text(filter.attribute, 0x82);
			writer.octets(filter.value, 0x83).close();
			break;
		default: {
			const found = { equal: 0xa3, greaterOrEqual: 0xa5, lessOrEqual: 0xa6, approx: 0xa8 }[filter.kind];
			writer.open(found).text(filter.attribute).octets(filter.value).close();
		}
	}
}

function readEntry(body: BerReader): Answer["entries"][number] {
	const dn = body.text();
	const attributes = new Map<string, Buffer[]>();
	const list = body.inside(tag.sequence);
	while (!list.isAtEnd) {
		const one = list.inside(tag.sequence);
		const name = one.text();
		const set = one.inside(tag.set);
		const values: Buffer[] = [];
		while (!set.isAtEnd) values.push(Buffer.from(set.octets()));
		attributes.set(name, values);
	}
	return { dn, attributes };
}

function readEnd(body: BerReader): { code: number; text: string; matchedDn: string; referral: string[] } {
	const code = body.integer(tag.enumerated);
	const matchedDn = body.text();
	const text = body.text();
	const referral: string[] = [];
	if (body.peek() === 0xa3) {
		const urls = body.inside();
		while (!urls.isAtEnd) referral.push(urls.text());
	}
	return { code, text, matchedDn, referral };
}

function readCookie(message: BerReader): Buffer | undefined {
	if (message.isAtEnd) return undefined;
	const control = message.inside(0xa0).inside(tag.sequence);
	const oid = control.text();
	if (oid !== "1.2.840.113556.1.4.319" && oid !== DIRSYNC) return undefined;
	if (control.peek() === tag.boolean) control.boolean();
	const value = new BerReader(control.octets()).inside(tag.sequence);
	value.integer();
	if (oid === DIRSYNC) value.integer();
	return Buffer.from(value.octets());
}

/** All pages of a search, and how often a cookie came. */
export async function searchAll(wire: Wire, question: Question, size: number): Promise<{ entries: Answer["entries"]; pages: Answer[] }> {
	const pages: Answer[] = [];
	for (let cookie: Buffer | undefined; ; ) {
		const page = await wire.search({ ...question, page: { size, cookie } });
		pages.push(page);
		cookie = page.cookie;
		if (page.code !== 0 || cookie === undefined || cookie.length === 0) break;
	}
	return { entries: pages.flatMap(({ entries }) => entries), pages };
}
