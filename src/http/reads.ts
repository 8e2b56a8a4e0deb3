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

/** When a source is read next. Instants are Unix milliseconds. */
export interface ScheduleView {
	readonly source: string;
	readonly running: { readonly mode: Mode; readonly since: number } | undefined;
	readonly next: Readonly<Record<Mode, number | undefined>>;
	readonly dueSinceSuccess: number;
	readonly fullDueSinceSuccess: number;
	readonly intervalMs: number | undefined;
}
