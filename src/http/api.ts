import type { Forgotten } from "../store/forget.ts";
import type { Unpinned } from "../store/pins.ts";
import type { RevertRequest, RunReport } from "../sync/report.ts";

/** What may be asked of the daemon, over the API and from the page. Everything throws Failures. `by`: who decides, for the change log. */
export interface Api {
	/** Waits for a run that is going on, then makes one. */
	sync(source: string, mode: "full" | "delta" | "auto", by?: string): Promise<RunReport>;
	approve(plan: string, by: string): Promise<RunReport>;
	reject(plan: string, by: string): Promise<{ readonly source: string; readonly rejected: number }>;
	/** Takes a run back: see the command of the same name. */
	revert(request: RevertRequest, by: string): Promise<RunReport>;
	unpin(user: string, by: string): Promise<Unpinned>;
	/** See the command of the same name. */
	forget(target: string, user: string | undefined, by: string): Promise<Forgotten>;
	/** Reads a target back, and does what the configuration says about what is not as we left it. */
	readBack(target: string, by?: string): Promise<object>;
	/** Names of the sources, in the order of the configuration. */
	sources(): readonly string[];
}
