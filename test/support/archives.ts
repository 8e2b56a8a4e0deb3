import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { inflateRawSync } from "node:zlib";
import { list } from "tar";

/** One entry of an archive, as who unpacks it finds it. */
export interface ArchiveEntry {
	readonly path: string;
	readonly mode: number;
	readonly owner: string;
	/** In seconds. */
	readonly at: number;
}

export function listTar(file: string): readonly ArchiveEntry[] {
	const entries: ArchiveEntry[] = [];
	list({
		file,
		sync: true,
		onReadEntry: ({ path: name, mode = 0, uid = 0, gid = 0, mtime }) => {
			entries.push({ path: name, mode: mode & 0o7777, owner: `${uid}:${gid}`, at: (mtime?.getTime() ?? 0) / 1000 });
		},
	});
	return entries;
}

/** What a ZIP file holds, by its central directory (APPNOTE 4.3.12), inflated. */
export function readZip(file: string): ReadonlyMap<string, Buffer> {
	const zip = readFileSync(file);
	const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
	const entries = new Map<string, Buffer>();
	let at = zip.readUInt32LE(end + 16);
	for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
		const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
			number,
			number,
			number,
		];
		const header = zip.readUInt32LE(at + 42);
		const data = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
		const packed = zip.subarray(data, data + zip.readUInt32LE(at + 20));
		const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
		entries.set(name, zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed));
		at += 46 + nameLength + extraLength + commentLength;
	}
	return entries;
}

/** The kind of machine that a program is for: of Linux by its ELF header (e_machine), of Windows by its PE header. */
export function machineOf(file: string): string {
	const head = readFileSync(file).subarray(0, 4096);
	if (head.toString("latin1", 0, 4) === "\x7fELF") return { 62: "linux x64", 183: "linux arm64" }[head.readUInt16LE(18)] ?? "linux other";
	const header = head.readUInt32LE(0x3c);
	if (head.toString("latin1", 0, 2) !== "MZ" || head.toString("latin1", header, header + 4) !== "PE\0\0") return "no program";
	return head.readUInt16LE(header + 4) === 0x8664 ? "windows x64" : "windows other";
}

/** A PATH with all that this machine has, except for Node and npm. Made in a folder that is not there yet. */
export function pathWithoutNode(folder: string): string {
	mkdirSync(folder);
	const places = ["/usr/bin", "/usr/sbin"].filter((place) => existsSync(place));
	const programs = new Map(places.flatMap((place) => readdirSync(place).map((name) => [name, path.join(place, name)] as const)));
	for (const name of ["node", "nodejs", "npm", "npx", "corepack"]) programs.delete(name);
	for (const [name, program] of programs) symlinkSync(program, path.join(folder, name));
	return folder;
}
