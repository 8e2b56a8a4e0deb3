import type { MatterNotice } from "../core/matter.ts";
import type { Letter } from "./letter.ts";

/** A letter about to be sent. */
export interface Message {
	/** The same for every try, and no other message's. */
	readonly id: string;
	/** The id of the first message of the same matter; undefined: this is it. */
	readonly first: string | undefined;
	/** Unix milliseconds. */
	readonly at: number;
	readonly letter: Letter;
	/** In facts, for machines. */
	readonly facts: { readonly kind: "test" } | { readonly kind: "report" } | { readonly kind: "matter"; readonly notice: MatterNotice };
}

/** A way to tell people: the port. */
export interface Channel {
	/** Resolves once the other side has taken it, to the readers whom it refused. Throws CHANNEL_UNREACHABLE, CHANNEL_REFUSED, SECRET_UNREADABLE. */
	send(message: Message, signal: AbortSignal): Promise<readonly string[]>;
	/** Goes the whole way but sends nothing. Throws like `send`; resolves to what it found, for a person. */
	probe(signal: AbortSignal): Promise<string>;
	close(): Promise<void>;
}
