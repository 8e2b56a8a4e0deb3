import { readdirSync } from "node:fs";
import path from "node:path";

/** What is beneath a folder, as paths from it with slashes, in the order of their code units, whatever language the machine speaks. */
export function listBeneath(folder: string): { readonly files: readonly string[]; readonly folders: readonly string[] } {
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
	const named = entries.map((entry) => ({
		name: path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"),
		isFolder: entry.isDirectory(),
	}));
	const of = (isFolder: boolean): string[] =>
		named
			.filter((entry) => entry.isFolder === isFolder)
			.map(({ name }) => name)
			.sort();
	return { files: of(false), folders: of(true) };
}
