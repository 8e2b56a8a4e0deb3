const MOST_WORDS = 300;

/** What a server wrote, for a person: without tags, control characters and runs of space, and not longer than one reads. */
export function plain(text: string): string {
	const words = text
		.slice(0, 20_000)
		.replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ")
		.replace(/<[^>]*>/g, " ")
		.replace(/[\p{C}\s]+/gu, " ")
		.trim();
	return words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS)}…` : words;
}
