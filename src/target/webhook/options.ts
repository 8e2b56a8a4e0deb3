import type { WireOptions } from "../http/wire.ts";

/** What a webhook needs to know, checked and complete. */
export interface WebhookOptions extends WireOptions {
	readonly name: string;
	readonly url: string;
	/** Signs what is sent. Asked for when it is needed. */
	readonly secret: () => string;
	/** Changes in one POST, at most; 1: each by itself. */
	readonly batch: number;
}
