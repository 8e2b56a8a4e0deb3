import type { ConfigDocument } from "./document.ts";
import type { Environment } from "./expand.ts";
import type { Flaw } from "./formats.ts";
import { isMisspelled, missingFlaw } from "./missing.ts";
import type { Path } from "./problem.ts";
import type { Secret } from "./secret.ts";
import { valueAt } from "./values.ts";

/** Where the checks of semantics.ts put what they find. */
export interface Gathering {
	readonly document: ConfigDocument;
	readonly environment: Environment;
	/** The one that relative paths are relative to. */
	readonly directory: string;
	/** Unix milliseconds. */
	readonly now: number;
	/** About the value at a path. */
	readonly problem: (path: Path, flaw: Flaw) => void;
	/** About the key at a path: it should not stand there, or is not there. */
	readonly keyProblem: (path: Path, flaw: Flaw) => void;
	readonly secretProblem: (path: Path, flaw: Flaw) => void;
	readonly warn: (path: Path, flaw: Flaw) => void;
	/** Secrets and certificates that were read, by `showPath` of where they stand. */
	readonly secrets: Map<string, Secret>;
	readonly certificates: Map<string, string>;
}

/** Says that a key is missing, unless it is there under a wrong name or in a line that could not be read. */
export function sayMissing(gathering: Gathering, at: Path): void {
	const { document } = gathering;
	if (isThere(gathering, at) || document.isUnknown(at) || document.mayBeUnread(at) || isMisspelled(document, at)) return;
	gathering.keyProblem(at, missingFlaw(at));
}

/** Whether a key is written, whatever its value. */
export function isThere({ document }: Gathering, at: Path): boolean {
	return valueAt(document.values, at) !== undefined || document.written(at) !== undefined;
}

export function textAt({ document }: Gathering, at: Path): string | undefined {
	const value = valueAt(document.values, at);
	return typeof value === "string" ? value : undefined;
}

export function listAt({ document }: Gathering, at: Path): readonly unknown[] {
	const value = valueAt(document.values, at);
	return Array.isArray(value) ? value : [];
}

/** The places of the texts of a value that may be one text or a list of them. */
export function placesAt(gathering: Gathering, at: Path): readonly Path[] {
	return textAt(gathering, at) === undefined ? [...listAt(gathering, at).keys()].map((index) => [...at, index]) : [at];
}

export function isOn({ document }: Gathering, at: Path): boolean {
	return valueAt(document.values, at) === true;
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
