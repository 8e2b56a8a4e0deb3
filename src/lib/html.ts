/** Not to be written from outside this file: what carries it has been escaped. */
const markup = Symbol("markup");

/** Markup that may be sent as it is. */
export interface Html {
	readonly [markup]: string;
}

/** What may stand in a template: a text is shown as text, whatever is in it; undefined is nothing. */
export type Piece = Html | string | number | undefined | readonly Piece[];

/** Makes markup of a template: the template is ours, and of what is put into it every character that HTML knows is escaped. */
export function html(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
	return { [markup]: texts.reduce((all, text, index) => `${all}${written(pieces[index - 1])}${text}`) };
}

/** Text that is ours to the last character, such as a style. Never for what came from outside. */
export function ours(text: string): Html {
	return { [markup]: text };
}

export function markupOf(made: Html): string {
	return made[markup];
}

function written(piece: Piece): string {
	if (piece === undefined) return "";
	if (typeof piece === "string") return piece.replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0)};`);
	if (typeof piece === "number") return String(piece);
	return isMarkup(piece) ? piece[markup] : piece.map(written).join("");
}

function isMarkup(piece: Html | readonly Piece[]): piece is Html {
	return markup in piece;
}
