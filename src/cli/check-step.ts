import { alignColumns, printable } from "../lib/table.ts";
import type { CheckStep, Context } from "./context.ts";

export function stepJson({ step, subject, state, detail, remedy }: CheckStep): object {
	return { step, subject, state, detail, remedy };
}

const colours = { passed: "green", warned: "yellow", failed: "red" } as const;

/** One line of `check`, with its remedy. */
export function sayStep({ out }: Pick<Context, "out">, { step, subject, state, detail, remedy }: CheckStep): void {
	const [line] = alignColumns([[out.paint(colours[state], state), step.padEnd(13), `${printable(subject)}: ${printable(detail)}`]]);
	out.write(`${line}\n`);
	if (remedy !== undefined && state !== "passed") out.write(`        ${out.paint("dim", "->")} ${printable(remedy)}\n`);
}
