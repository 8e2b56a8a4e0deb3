import path from "node:path";

/** Source text by path from the project's root, with slashes: "src/core/plan.ts". */
export type Files = ReadonlyMap<string, string>;

/**
 * A room is a folder of src, or a file that is a room by itself. The longest one that holds a file is the file's. Every room is
 * listed with all it may import, rooms and packages: what is not listed is shut, also a room that nobody has listed yet.
 */
export interface Room {
	readonly room: string;
	readonly imports: readonly string[];
}

/** What breaks the architecture, as sentences. */
export function findTrespasses(files: Files, rooms: readonly Room[]): string[] {
	return [...files.keys()].flatMap((file) => {
		const room = roomOf(file, rooms);
		if (room === undefined) return [`${file}: no room of this name in test/architecture.test.ts: list it with its doors`];
		return importsOf(file, files.get(file) as string).flatMap((target) => {
			if (target.startsWith("node:")) return [];
			if (!target.startsWith("src/")) {
				return room.imports.includes(packageOf(target)) ? [] : [`${file}: the package ${packageOf(target)} is not for ${room.room}`];
			}
			if (!files.has(target)) return [`${file}: imports ${target}, which is not there`];
			const other = roomOf(target, rooms);
			if (other === undefined || other === room || room.imports.includes(other.room)) return [];
			return [`${file}: imports ${target}, and ${room.room} has no door to ${other.room}`];
		});
	});
}

/** Import cycles, each as "a → b → a". Type imports count: they tie two files together as much for who reads them. */
export function findCycles(files: Files): string[] {
	const cycles: string[] = [];
	const done = new Set<string>();
	const walk = (file: string, trail: readonly string[]): void => {
		const seenAt = trail.indexOf(file);
		if (seenAt >= 0) {
			cycles.push([...trail.slice(seenAt), file].join(" → "));
			return;
		}
		if (done.has(file) || !files.has(file)) return;
		for (const target of importsOf(file, files.get(file) as string)) walk(target, [...trail, file]);
		done.add(file);
	};
	for (const file of files.keys()) walk(file, []);
	return cycles;
}

/** What a file says that only certain files may say. */
export interface Reserved {
	readonly what: string;
	readonly pattern: RegExp;
	/** Paths, or folders with a slash at the end, that may. */
	readonly only: readonly string[];
}

export function findReserved(files: Files, reserved: readonly Reserved[]): string[] {
	return [...files].flatMap(([file, text]) => {
		const code = withoutComments(text);
		return reserved
			.filter(
				({ pattern, only }) =>
					pattern.test(code) && !only.some((place) => file === place || (place.endsWith("/") && file.startsWith(place))),
			)
			.map(({ what, only }) => `${file}: ${what} belongs in ${only.join(", ") || "no file at all"}`);
	});
}

/** Resolved targets of a file's imports: paths from the root for its own files, the specifier for everything else. */
export function importsOf(file: string, text: string): string[] {
	const specifiers = new Set<string>();
	for (const { string, before } of stringsOf(text)) {
		// A worker's file is as good as imported, also when it is named without its extension.
		const isImported =
			importing.test(before) || (/\bnew\s+URL\s*\(\s*$/.test(before) && /^\.{1,2}\/[^*]*(?:\.[cm]?[jt]s|\*)$/.test(string));
		if (isImported) specifiers.add(string.replace(/(?<=\w)\*$/, ".ts"));
	}
	return [...specifiers].map((specifier) =>
		specifier.startsWith(".") ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier)) : specifier,
	);
}

/** What stands before a module's name. */
const importing = /(?:\bfrom|\bimport|\b(?:import|require|require\.resolve)\s*\()\s*$/;

/** One token that is not plain code: a comment, a string, a template without substitutions in it that would matter, a regular expression. */
const token =
	/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|(?<=[=(,[!&|?:;{}\n]\s*|\breturn\s+)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;

function stringsOf(text: string): { readonly string: string; readonly before: string }[] {
	return (
		[...text.matchAll(token)]
			.filter(([found]) => /^["'`]/.test(found))
			// What is put into a template while running could be anything.
			.map((match) => ({
				string: match[0].slice(1, -1).replace(/\$\{[^}]*\}/g, "*"),
				before: text.slice(Math.max(0, match.index - 60), match.index),
			}))
	);
}

function roomOf(file: string, rooms: readonly Room[]): Room | undefined {
	const inside = rooms.filter(({ room }) => file === room || file.startsWith(`${room}/`));
	return inside.sort((one, other) => other.room.length - one.room.length)[0];
}

function packageOf(specifier: string): string {
	return specifier
		.split("/")
		.slice(0, specifier.startsWith("@") ? 2 : 1)
		.join("/");
}

/** Code without comments, strings kept: one pass, so that "https://…" in a string is no comment. */
function withoutComments(text: string): string {
	return text.replace(token, (found) => (/^\/[/*]/.test(found) ? " " : found));
}
