import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { Failure } from "../core/errors.ts";
import type { Output } from "./output.ts";

/** Asks a person, at a terminal or through a pipe: one line for each question. */
export interface Asking {
	/** `fallback` is what an empty answer means. Throws USAGE when nobody answers any more, CANCELLED when a signal came. */
	ask(question: string, fallback?: string): Promise<string>;
	/** The same, without showing what is typed. */
	askSecret(question: string): Promise<string>;
	close(): void;
}

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** The input is not touched before the first question: who answers everything by options may have none. */
export function openAsking(input: Input, output: Output, signal: AbortSignal): Asking {
	const lines: string[] = [];
	let reader: Interface | undefined;
	let isHidden = false;
	let isOver = false;
	let heard = (): void => {};
	const shown = new Writable({
		write: (chunk: Buffer, _encoding, done) => {
			if (!isHidden) output.write(chunk.toString());
			done();
		},
	});
	const open = (): Interface => {
		const opened = createInterface({ input, output: shown, terminal: input.isTTY === true });
		// Lines of a pipe come all at once, whether one was asked for or not.
		opened.on("line", (line) => {
			lines.push(line);
			heard();
		});
		opened.on("close", () => {
			isOver = true;
			heard();
		});
		// At a terminal Ctrl-C is a key: it is to mean the same as everywhere.
		// On Windows a signal that is sent kills at once, whoever listens.
		opened.on("SIGINT", () => void (process.platform === "win32" ? process.emit("SIGINT") : process.kill(process.pid, "SIGINT")));
		signal.addEventListener("abort", () => opened.close(), { once: true });
		return opened;
	};
	const next = async (question: string, hidden: boolean): Promise<string> => {
		signal.throwIfAborted();
		reader ??= open();
		reader.setPrompt(`${question}: `);
		if (input.isTTY !== true) output.write(`${question}: `);
		else if (!isOver) reader.prompt();
		isHidden = hidden;
		while (lines.length === 0 && !isOver) await new Promise<void>((resolve) => (heard = resolve));
		isHidden = false;
		// What was typed ended in a line that nobody saw end.
		if (hidden || input.isTTY !== true) output.write("\n");
		if (signal.aborted) throw new Failure("CANCELLED", "stopped by a signal; nothing was written");
		const line = lines.shift();
		if (line !== undefined) return line;
		throw new Failure("USAGE", `nobody answers: ${question}`, { hint: "Answer by options: dirsyncd init --help lists them." });
	};
	return {
		ask: async (question, fallback) => {
			const text = fallback === undefined || fallback === "" ? question : `${question} [${fallback}]`;
			for (;;) {
				const answer = (await next(text, false)).trim();
				if (answer !== "" || fallback !== undefined) return answer === "" ? (fallback ?? "") : answer;
			}
		},
		askSecret: async (question) => {
			for (;;) {
				const answer = await next(question, true);
				if (answer !== "") return answer;
			}
		},
		close: () => reader?.close(),
	};
}
