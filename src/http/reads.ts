import type { Pages } from "../store/page-views.ts";
import type { AccountView, Views } from "../store/views.ts";
import type { Mode, RevertPreview, RevertRequest } from "../sync/report.ts";
import type { Health } from "./health.ts";
import type { Look } from "./look.ts";

/** What the API reads of the daemon. Nothing of it takes long on the thread that answers: lists come in slices. */
export interface Reads
	extends Omit<Pages, "close">,
		Pick<Look, "sources" | "targets" | "heldBriefly" | "run" | "rules" | "explain">,
		Pick<Views, "strangers"> {
	version(): string;
	/** Unix milliseconds. */
	startedAt(): number;
	health(): Health;
	schedule(): readonly ScheduleView[];
	/** Accounts by a userName, e-mail address or anchor. */
	accountsNamed(user: string): readonly AccountView[];
	/** What taking a run back would do, and the first `most` of its changes. Throws NOT_FOUND. */
	preview(request: RevertRequest, most: number): Promise<RevertPreview>;
}

/** Where one source stands in its schedule. Instants are Unix milliseconds. */
export interface ScheduleView {
	readonly source: string;
	readonly running: { readonly mode: Mode; readonly since: number } | undefined;
	readonly next: Readonly<Record<Mode, number | undefined>>;
	/** How often a run came due since the last success; runs that make progress are not counted against the source. */
	readonly dueSinceSuccess: number;
	/** The same of full readings alone; those that are tried again between their times are not counted. */
	readonly fullDueSinceSuccess: number;
	/** The pause between its runs; undefined for a schedule that hardly ever comes due. */
	readonly intervalMs: number | undefined;
}
