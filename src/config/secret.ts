import { inspect } from "node:util";
import type { Failure } from "../core/errors.ts";

/** A text that cannot be printed by accident: as text, as JSON and in a log it is `[secret]`. */
export interface Secret {
	/** The text itself. Hand it only to what needs it, and keep no copy. */
	reveal(): string;
}

const SHOWN = "[secret]";

export function makeSecret(text: string): Secret {
	return hide(() => text);
}

/** A secret that could not be read: whoever needs it is told why. */
export function makeMissingSecret(why: Failure): Secret {
	return hide(() => {
		throw why;
	});
}

function hide(reveal: () => string): Secret {
	const hidden = { toString: () => SHOWN, toJSON: () => SHOWN, [inspect.custom]: () => SHOWN, [Symbol.toPrimitive]: () => SHOWN };
	return Object.freeze({ reveal, ...hidden });
}
