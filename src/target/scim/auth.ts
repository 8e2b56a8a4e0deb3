import { makeShared, orAborted } from "../../lib/waiting.ts";
import type { Wire } from "../http/wire.ts";
import type { ScimAuth } from "./options.ts";
import { fetchToken, type Token } from "./token.ts";

/** How we say who we are. */
export interface Auth {
	/** The Authorization header; undefined: none, as a client certificate may do. */
	header(signal: AbortSignal): Promise<string | undefined>;
	/** After a 401 to this header: whether there is another one to try. */
	renew(refused: string | undefined): boolean;
	/** The text without our secrets, should the server have repeated them. */
	hide(text: string): string;
}

export function makeAuth(auth: ScimAuth, wire: Pick<Wire, "exchange">, clock: () => number): Auth {
	switch (auth.kind) {
		case "none":
			return { header: async () => undefined, renew: () => false, hide: (text) => text };
		case "bearer":
			return {
				header: async () => `Bearer ${auth.token()}`,
				renew: () => false,
				hide: (text) => without(text, [auth.token()]),
			};
		case "basic": {
			const encoded = (): string => Buffer.from(`${auth.user}:${auth.password()}`).toString("base64");
			return {
				header: async () => `Basic ${encoded()}`,
				renew: () => false,
				hide: (text) => without(text, [auth.password(), encoded()]),
			};
		}
		case "oauth": {
			let token: Token | undefined;
			let last = "";
			// Its own signal: whoever gives up does not take the token away from the others who wait for it.
			const fetched = makeShared(async () => {
				token = await fetchToken(auth, wire, clock, new AbortController().signal);
				last = token.text;
				return token;
			});
			return {
				header: async (signal) => {
					const isFresh = token !== undefined && (token.renewAt === undefined || clock() < token.renewAt);
					const { text } = isFresh && token !== undefined ? token : await orAborted(fetched, signal);
					return `Bearer ${text}`;
				},
				renew: (refused) => {
					// Another request may have had the same one refused, and fetched a new one already.
					if (token !== undefined && refused === `Bearer ${token.text}`) token = undefined;
					return true;
				},
				hide: (text) => without(text, [auth.clientSecret(), last]),
			};
		}
	}
}

function without(text: string, secrets: readonly string[]): string {
	return secrets.reduce((rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, "[secret]")), text);
}
