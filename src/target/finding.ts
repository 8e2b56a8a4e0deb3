/** One step of looking at a target. */
export interface Finding {
	readonly step: string;
	readonly subject: string;
	readonly state: "passed" | "warned" | "failed";
	readonly detail: string;
	readonly remedy?: string | undefined;
}
