import { Failure } from "../core/errors.ts";

/** Keys and indexes from the root of the configuration to a value. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a configuration, or in a warning, could be better. */
export interface Problem {
	/** Both count from 1. */
	readonly line: number;
	readonly column: number;
	/** As in `sources[0].users.filter`; empty for the file as a whole. */
	readonly path: string;
	/** As it stands in the file, never a secret; undefined when something is missing. */
	readonly value: string | undefined;
	readonly message: string;
	readonly remedy: string;
}

/** What a Failure CONFIG_INVALID carries as its cause. */
export interface ConfigProblems {
	readonly kind: "config-problems";
	readonly file: string;
	readonly problems: readonly Problem[];
}

/** A Failure that carries every problem of a configuration. */
export function configFailure(file: string, problems: readonly Problem[]): Failure {
	const cause: ConfigProblems = { kind: "config-problems", file, problems };
	const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
	return new Failure("CONFIG_INVALID", `the configuration ${file} has ${count}`, { cause });
}

/** The problems that an error carries, if it is about a configuration. */
export function configProblemsOf(error: unknown): ConfigProblems | undefined {
	if (!(error instanceof Failure) || error.code !== "CONFIG_INVALID") return undefined;
	const { cause } = error;
	return typeof cause === "object" && cause !== null && "kind" in cause && cause.kind === "config-problems"
		? (cause as ConfigProblems)
		: undefined;
}

/** `["sources", 0, "base"]` as a person writes it: `sources[0].base`. */
export function showPath(path: Path): string {
	return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}
