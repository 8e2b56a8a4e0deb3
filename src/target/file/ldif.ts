/** An attribute and its values, in the order in which they are written. */
export type Attributes = readonly (readonly [name: string, values: readonly string[]])[];

/** Longer lines are folded (RFC 2849 note 8). */
const WIDTH = 76;

/** One line of LDIF, with base64 where its value asks for it, folded. */
export function ldifLine(name: string, value: string): string {
	const line = isSafe(value) ? `${name}: ${value}` : `${name}:: ${Buffer.from(value, "utf8").toString("base64")}`;
	if (line.length <= WIDTH) return value === "" ? `${name}:\n` : `${line}\n`;
	const folded = [line.slice(0, WIDTH)];
	// The space that says a line goes on counts.
	for (let at = WIDTH; at < line.length; at += WIDTH - 1) folded.push(` ${line.slice(at, at + WIDTH - 1)}`);
	return `${folded.join("\n")}\n`;
}

export function ldifLines(attributes: Attributes): string {
	return attributes.map(([name, values]) => values.map((value) => ldifLine(name, value)).join("")).join("");
}

/** RFC 2849's SAFE-STRING, in one line: also what ends with a space is better encoded (note 8). */
function isSafe(value: string): boolean {
	return /^(?:[!-9;=-~][ -~]*)?$/.test(value) && !value.endsWith(" ");
}

/** An attribute's value as it stands in a DN (RFC 4514 §2.4). */
export function dnValue(value: string): string {
	const escaped = value.replace(/[\\"+,;<>]/g, "\\$&").replaceAll("\0", "\\00");
	return escaped.replace(/ $/, "\\ ").replace(/^[ #]/, "\\$&");
}

/** Text with folded lines put together again. */
export function unfold(text: string): string {
	return text.replaceAll("\n ", "");
}
