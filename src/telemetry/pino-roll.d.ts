/** What we use of pino-roll 4, which comes without types. */
declare module "pino-roll" {
	import type { EventEmitter } from "node:events";

	interface Options {
		readonly file: string;
		/** A number and k, m or g; b counts bytes. */
		readonly size: string;
		readonly frequency: "daily" | "hourly";
		readonly dateFormat: string;
		readonly mode: number;
		/** Bytes that may wait; what is more is told by the event "drop". */
		readonly maxLength: number;
	}

	/** As much as we use of a SonicBoom. */
	interface Rolling extends EventEmitter {
		/** The file that is written now. */
		readonly file: string;
		write(text: string): boolean;
		reopen(): void;
		end(): void;
		destroy(): void;
	}

	function roll(options: Options): Promise<Rolling>;

	export = roll;
}
