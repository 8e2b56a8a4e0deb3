/** One thing to tell, in words and without a form: a channel makes a mail or JSON of it. */
export interface Letter {
	/** Says it all, on one line. */
	readonly subject: string;
	readonly blocks: readonly Block[];
}

export type Block =
	| { readonly kind: "text"; readonly text: string }
	/** To be typed, or pasted, as it is. */
	| { readonly kind: "command"; readonly label: string; readonly command: string }
	| { readonly kind: "link"; readonly label: string; readonly url: string }
	| {
			readonly kind: "table";
			readonly heading: string;
			readonly columns: readonly string[];
			readonly rows: readonly (readonly string[])[];
			/** How many more there are than these rows. */
			readonly more: number;
	  };

/** What all letters by one channel need to know. */
export interface Stationery {
	/** IANA name: times are given in it. */
	readonly timezone: string;
	/** Where the page is, with a slash at its end. */
	readonly page: string;
	/** The configuration's file, for commands. */
	readonly config: string;
}

/** An instant as a person reads it, with its time zone. `at`: Unix milliseconds. */
export function moment(at: number, { timezone }: Pick<Stationery, "timezone">): string {
	const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
	// Swedish writes dates as ISO 8601 does.
	return `${new Intl.DateTimeFormat("sv-SE", { ...parts, timeZone: timezone }).format(at)} ${timezone}`;
}
