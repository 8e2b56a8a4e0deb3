import { readFileSync, rmdirSync, rmSync } from "node:fs";
import path from "node:path";
import { listBeneath } from "./files.ts";
import { isNeeded } from "./needed.ts";
import type { Platform } from "./platforms.ts";

/** A package that npm brought: where it lies beneath the program, and what it says of itself. */
export interface Package {
	readonly folder: string;
	readonly name: string;
	readonly version: string;
	readonly licence: string;
	readonly author: string | undefined;
}

/** The packages of a folder, also those within others, by name and version. */
export function readPackages(tree: string): readonly Package[] {
	const own = /^node_modules\/(?:@[^/]+\/)?[^/]+(?:\/node_modules\/(?:@[^/]+\/)?[^/]+)*\/package\.json$/;
	return listBeneath(tree)
		.files.filter((file) => own.test(file))
		.map((file) => readPackage(tree, path.posix.dirname(file)))
		.sort((one, other) => compare(`${one.name} ${one.version}`, `${other.name} ${other.version}`));
}

function readPackage(tree: string, folder: string): Package {
	const said = JSON.parse(readFileSync(path.join(tree, folder, "package.json"), "utf8")) as Readonly<Record<string, unknown>>;
	const { name, version, license, author } = said;
	return {
		folder,
		name: String(name),
		version: String(version),
		licence: typeof license === "string" ? license : "not said",
		author: typeof author === "string" ? author : (author as { name?: string } | undefined)?.name,
	};
}

/** Takes away what no server needs, npm's own notes, and folders that are empty then. */
export function prunePackages(tree: string, platform: Platform): void {
	const packages = readPackages(tree).toSorted((one, other) => other.folder.length - one.folder.length);
	for (const file of listBeneath(tree).files) {
		if (!file.startsWith("node_modules/")) continue;
		// The innermost one: fast-uri within ajv is not ajv's.
		const owner = packages.find(({ folder }) => file.startsWith(`${folder}/`));
		if (owner === undefined || !isNeeded(owner.name, file.slice(owner.folder.length + 1), platform)) rmSync(path.join(tree, file));
	}
	for (const folder of listBeneath(tree).folders.toReversed()) removeEmpty(path.join(tree, folder));
}

function removeEmpty(folder: string): void {
	try {
		rmdirSync(folder);
	} catch {
		// Something is in it: it stays.
	}
}

function compare(one: string, other: string): number {
	if (one === other) return 0;
	return one < other ? -1 : 1;
}
