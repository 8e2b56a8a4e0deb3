import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { listBeneath } from "../../deploy/release/files.ts";

/** Folders of the packages that the lock file says are needed to run, with the Node of one platform alone. */
export function runtimePackages(project: string, runtime: string): readonly string[] {
	const { packages } = JSON.parse(readFileSync(path.join(project, "package-lock.json"), "utf8")) as {
		packages: Record<string, { dev?: boolean; optional?: boolean }>;
	};
	return Object.entries(packages)
		.filter(([folder, { dev, optional }]) => folder !== "" && dev !== true && (optional !== true || folder.endsWith(`/${runtime}`)))
		.map(([folder]) => folder)
		.sort();
}

/**
 * Files that a program's packages ask for by a relative path, and that are in the checkout's packages alone: "who → whom". Types, which
 * comments ask for, Node loads nowhere.
 */
export function leftOutAndAskedFor(project: string, tree: string): readonly string[] {
	const files = listBeneath(tree).files.filter((file) => file.startsWith("node_modules/") && /\.[cm]?js$/.test(file));
	return files.flatMap((file) => {
		const asked = readFileSync(path.join(tree, file), "utf8").matchAll(
			/(?:\brequire\(|\bimport\(|\bfrom\s*|\bimport\s*)(["'])(\.{1,2}\/[^"'\n]*)\1/g,
		);
		return [...asked]
			.map(([, , specifier = ""]) => path.join(path.dirname(file), specifier))

			.filter((target) => !target.endsWith(".ts") && isThere(path.join(project, target)) && !isThere(path.join(tree, target)))
			.map((target) => `${file} → ${target}`);
	});
}

/** Whether Node would find something there, as `require` looks. */
function isThere(target: string): boolean {
	const isFile = (file: string): boolean => existsSync(file) && statSync(file).isFile();
	return ["", ".js", ".json", ".node", ".cjs", "/index.js", "/index.cjs", "/package.json"].some((end) => isFile(`${target}${end}`));
}
