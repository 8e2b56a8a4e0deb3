/** What becomes of an account when its person may not use it any more. */
export type EndAction = "disable" | "keep" | "delete";

export interface Lifecycle {
	readonly onDisabled: EndAction;
	readonly onOutOfScope: EndAction;
	readonly onDeleted: EndAction;
	/**
	 * How long an account disabled because its person left the scope or the directory is kept before it is deleted, in
	 * milliseconds; undefined: for ever. A person who is there and merely disabled is never deleted by time.
	 */
	readonly deleteAfterMs: number | undefined;
}
