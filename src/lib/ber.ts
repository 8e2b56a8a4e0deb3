/**
 * BER (X.690) as far as LDAP uses it (RFC 4511 §5.1): definite lengths, low tag numbers. The reader walks a buffer in place
 * and copies nothing; the writer grows one buffer and patches lengths afterwards.
 */

export const tag = { boolean: 0x01, integer: 0x02, octetString: 0x04, null: 0x05, enumerated: 0x0a, sequence: 0x30, set: 0x31 } as const;

/** Thrown by the reader on bytes that are not BER. A caller at the edge turns it into its own error. */
export class BerError extends Error {}

/** A cursor over one buffer. `offset` always stands on a tag or at `end`. */
export class BerReader {
	readonly bytes: Uint8Array;
	offset: number;
	readonly end: number;

	constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
		this.bytes = bytes;
		this.offset = offset;
		this.end = end;
	}

	get isAtEnd(): boolean {
		return this.offset >= this.end;
	}

	/** The next tag, without moving; -1 at the end. */
	peek(): number {
		return this.offset < this.end ? (this.bytes[this.offset] as number) : -1;
	}

	/** Steps over a tag and its length; returns the end of its contents, `offset` standing at their start. */
	enter(expected?: number): number {
		const { bytes } = this;
		const found = this.peek();
		if (found === -1) throw new BerError(`ends at ${this.offset} where a value should begin`);
		if (expected !== undefined && found !== expected) {
			throw new BerError(`tag 0x${found.toString(16)} at ${this.offset}, expected 0x${expected.toString(16)}`);
		}
		let at = this.offset + 1;
		let length = bytes[at++];
		if (length === undefined) throw new BerError(`ends at ${at} within a length`);
		if (length & 0x80) {
			const count = length & 0x7f;
			if (count === 0 || count > 4) throw new BerError(`length of ${count} octets at ${at}`);
			length = 0;
			for (let i = 0; i < count; i++) length = length * 256 + (bytes[at++] ?? 0);
		}
		const stop = at + length;
		if (stop > this.end) throw new BerError(`value at ${this.offset} runs past its container`);
		this.offset = at;
		return stop;
	}

	/** Steps over one whole value. */
	skip(): void {
		this.offset = this.enter();
	}

	/** A reader over the contents of the next value; this one moves behind it. */
	inside(expected?: number): BerReader {
		const stop = this.enter(expected);
		const inner = new BerReader(this.bytes, this.offset, stop);
		this.offset = stop;
		return inner;
	}

	/** The contents of the next value, as a view. */
	octets(expected: number = tag.octetString): Uint8Array {
		const stop = this.enter(expected);
		const view = this.bytes.subarray(this.offset, stop);
		this.offset = stop;
		return view;
	}

	/** The contents of the next value as UTF-8, malformed bytes replaced. */
	text(expected: number = tag.octetString): string {
		const stop = this.enter(expected);
		const { bytes } = this;
		const view = Buffer.from(bytes.buffer, bytes.byteOffset + this.offset, stop - this.offset);
		this.offset = stop;
		return view.toString("utf8");
	}

	/** A two's complement integer of up to 6 octets (safe in a double). */
	integer(expected: number = tag.integer): number {
		const stop = this.enter(expected);
		const { bytes } = this;
		if (stop === this.offset || stop - this.offset > 6) throw new BerError(`integer of ${stop - this.offset} octets at ${this.offset}`);
		let value = (bytes[this.offset] as number) & 0x80 ? -1 : 0;
		for (; this.offset < stop; this.offset++) value = value * 256 + (bytes[this.offset] as number);
		return value;
	}

	boolean(expected: number = tag.boolean): boolean {
		const stop = this.enter(expected);
		const value = this.bytes[this.offset] !== 0;
		this.offset = stop;
		return value;
	}
}

/**
 * How long the message at `offset` says it is, tag and length included; undefined while its header is not all there. Throws
 * BerError when it cannot be BER, or is longer than `most`.
 */
export function declaredLength(bytes: Uint8Array, offset: number, end: number, most: number): number | undefined {
	if (end - offset < 2) return undefined;
	const first = bytes[offset + 1] as number;
	let length = first;
	let header = 2;
	if (first & 0x80) {
		const count = first & 0x7f;
		if (count === 0 || count > 4) throw new BerError(`length of ${count} octets`);
		header += count;
		if (end - offset < header) return undefined;
		length = 0;
		for (let i = 0; i < count; i++) length = length * 256 + (bytes[offset + 2 + i] as number);
	}
	if (header + length > most) throw new BerError(`message of ${header + length} octets, at most ${most} are taken`);
	return header + length;
}

/** The same, and undefined as long as any of it is missing. */
export function messageLength(bytes: Uint8Array, offset: number, end: number, most: number): number | undefined {
	const length = declaredLength(bytes, offset, end, most);
	return length === undefined || end - offset < length ? undefined : length;
}

/** No text of so many UTF-16 units takes more than 127 bytes of UTF-8. */
const SHORT_TEXT = 42;

export class BerWriter {
	#bytes: Buffer;
	#at = 0;
	readonly #open: number[] = [];

	constructor(size = 256) {
		this.#bytes = Buffer.allocUnsafe(size);
	}

	#room(more: number): void {
		if (this.#at + more <= this.#bytes.length) return;
		const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
		this.#bytes.copy(larger, 0, 0, this.#at);
		this.#bytes = larger;
	}

	#header(tagByte: number, length: number): void {
		this.#room(6 + length);
		this.#bytes[this.#at++] = tagByte;
		if (length < 0x80) this.#bytes[this.#at++] = length;
		else {
			const octets = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4;
			this.#bytes[this.#at++] = 0x80 | octets;
			for (let i = octets - 1; i >= 0; i--) this.#bytes[this.#at++] = (length >>> (8 * i)) & 0xff;
		}
	}

	octets(value: Uint8Array, tagByte: number = tag.octetString): this {
		this.#header(tagByte, value.length);
		this.#bytes.set(value, this.#at);
		this.#at += value.length;
		return this;
	}

	text(value: string, tagByte: number = tag.octetString): this {
		if (value.length <= SHORT_TEXT) {
			// The length octet is filled in afterwards: counting the bytes first costs as much as writing them.
			this.#room(2 + value.length * 3);
			const written = this.#bytes.write(value, this.#at + 2);
			this.#bytes[this.#at] = tagByte;
			this.#bytes[this.#at + 1] = written;
			this.#at += 2 + written;
			return this;
		}
		const length = Buffer.byteLength(value);
		this.#header(tagByte, length);
		this.#at += this.#bytes.write(value, this.#at);
		return this;
	}

	/** Two's complement, shortest form; safe integers. */
	integer(value: number, tagByte: number = tag.integer): this {
		if (value >= 0 && value < 0x80) {
			this.#room(3);
			this.#bytes[this.#at++] = tagByte;
			this.#bytes[this.#at++] = 1;
			this.#bytes[this.#at++] = value;
			return this;
		}
		const octets: number[] = [];
		let rest = value;
		do {
			octets.unshift(((rest % 256) + 256) % 256);
			rest = Math.floor(rest / 256);
		} while (!((rest === 0 && ((octets[0] as number) & 0x80) === 0) || (rest === -1 && ((octets[0] as number) & 0x80) !== 0)));
		return this.octets(Uint8Array.from(octets), tagByte);
	}

	boolean(value: boolean, tagByte: number = tag.boolean): this {
		return this.octets(Uint8Array.of(value ? 0xff : 0x00), tagByte);
	}

	/** Bytes that are BER already. */
	raw(value: Uint8Array): this {
		this.#room(value.length);
		this.#bytes.set(value, this.#at);
		this.#at += value.length;
		return this;
	}

	/** Begins a constructed value; its length is patched by `close`. */
	open(tagByte: number = tag.sequence): this {
		this.#room(6);
		this.#bytes[this.#at++] = tagByte;
		this.#open.push(this.#at);
		// Four length octets always: a longer form is legal BER, and nothing has to be moved afterwards.
		this.#bytes[this.#at++] = 0x83;
		this.#at += 3;
		return this;
	}

	close(): this {
		const at = this.#open.pop();
		if (at === undefined) throw new Error("close without open");
		const length = this.#at - at - 4;
		if (length > 0xff_ffff) throw new Error("value over 16 MiB");
		this.#bytes[at + 1] = length >>> 16;
		this.#bytes[at + 2] = (length >>> 8) & 0xff;
		this.#bytes[at + 3] = length & 0xff;
		return this;
	}

	/** What was written, as a view of the writer's own buffer: take it before writing on. */
	finish(): Buffer {
		if (this.#open.length > 0) throw new Error("a constructed value is still open");
		return this.#bytes.subarray(0, this.#at);
	}

	/** Empties the writer, keeping its buffer. Views of it are void. */
	reset(): this {
		this.#at = 0;
		return this;
	}
}
