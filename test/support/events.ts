/** What a page that is open is told. */
export interface News {
	/** Markup: what goes on, empty when nothing does. */
	readonly going: string;
	readonly stamp: string;
}

/** Everything that is told to who listens at a page, one after the other, until it is over. Throws when nobody may listen. */
export async function* listen(page: string, cookie: string): AsyncGenerator<News> {
	const answer = await fetch(new URL("/events", page), { headers: { cookie } });
	const type = answer.headers.get("content-type");
	if (answer.status !== 200 || type !== "text/event-stream") throw new Error(`no events: ${answer.status}, ${type}`);
	let text = "";
	for await (const chunk of answer.body ?? []) {
		text += Buffer.from(chunk).toString();
		for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
			const [event, rest] = [text.slice(0, end), text.slice(end + 2)];
			text = rest;
			if (event.startsWith("data: ")) yield JSON.parse(event.slice("data: ".length)) as News;
		}
	}
}
