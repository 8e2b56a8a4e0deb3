/** Why a change waits for a person. */
export type HoldReason =
	/** Too many of its kind. Judged anew at every run. */
	| "limit"
	/** The account is protected. Judged anew at every run. */
	| "protected"
	/** Identity or scope changed: our view did, not the directory. */
	| "view"
	/** Another domain controller was read, or one restored from an old copy: it may not know yet. Asked again once it is known to know, or by the next full reading. */
	| "server"
	/** The person cannot be seen, and lost rights would look the same. */
	| "doubt"
	/** The entry lost an attribute that many lost at once. */
	| "attribute-loss"
	/** The entry lost an attribute together with everyone in its container. */
	| "hidden";

/** Of the sticky reasons those that the next full reading can settle. */
export function isAskedAgain(reason: HoldReason): boolean {
	return reason === "server" || reason === "doubt";
}

/** Reasons that are settled once the entry shows again what it had lost. */
export function isOfAttributes(reason: HoldReason): boolean {
	return reason === "attribute-loss" || reason === "hidden";
}

/**
 * The attributes, lower case, that the sentence of such a hold begins with: "title, mail is missing from many at once". None: it is
 * held for what somebody else lost.
 */
export function attributesIn(because: string): readonly string[] {
	const names = /^([\w;-]+(?:, [\w;-]+)*) (?:is|cannot) /.exec(because)?.[1];
	return names === undefined ? [] : names.toLowerCase().split(", ");
}

/** Reasons that a later reading does not show again: they stay with the change until a person decides or the change dissolves. */
export function isSticky(reason: HoldReason): boolean {
	return reason === "view" || reason === "server" || reason === "doubt" || reason === "attribute-loss" || reason === "hidden";
}
