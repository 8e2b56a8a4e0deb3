import { styleText } from "node:util";

export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Where a command writes. Nothing is thrown when the reader has gone (`dirsyncd accounts | head`): `isClosed` says so. */
export interface Output {
	readonly isTerminal: boolean;
	write(text: string): void;
	/** Wait for it now and then while writing much. */
	drained(): Promise<void>;
	isClosed(): boolean;
	/** Coloured where the terminal shows colours and NO_COLOR is not set; else the text as it is. */
	paint(colour: Colour, text: string): string;
}

/** An output over one of the process's streams. */
export function openOutput(stream: NodeJS.WriteStream): Output {
	let isClosed = false;
	let pending = 0;
	let onWritten = (): void => {};
	stream.on("error", () => {
		// The other side of a pipe has gone: what follows is for nobody, and no reason to stop what is being done.
		isClosed = true;
		onWritten();
	});
	const written = (): void => {
		pending -= 1;
		if (pending === 0) onWritten();
	};
	return {
		isTerminal: stream.isTTY === true,
		write: (text) => {
			if (isClosed || text === "") return;
			pending += 1;
			stream.write(text, written);
		},
		drained: async () => {
			// A turn of the loop lets an error of the pipe come in.
			await new Promise<void>((resolve) => setImmediate(resolve));
			if (pending === 0 || isClosed) return;
			await new Promise<void>((resolve) => {
				onWritten = resolve;
			});
		},
		isClosed: () => isClosed,
		paint: (colour, text) => styleText(colour, text, { stream }),
	};
}

/** Characters gathered before they are written: a call for each line costs more than the line. */
const CHUNK = 32_768;

/** Writes pieces as they come, in chunks, at the pace of the reader. Stops asking for more when the reader has gone. */
export async function stream(output: Output, pieces: Iterable<string>): Promise<void> {
	let chunk = "";
	for (const piece of pieces) {
		chunk += piece;
		if (chunk.length < CHUNK) continue;
		output.write(chunk);
		chunk = "";
		await output.drained();
		if (output.isClosed()) return;
	}
	output.write(chunk);
}
