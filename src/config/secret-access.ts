import { spawnSync } from "node:child_process";
import path from "node:path";
import type { Environment } from "./expand.ts";
import type { Flaw } from "./formats.ts";

/** What shows the access list of a file on Windows. */
export interface AccessLists {
	readonly platform: NodeJS.Platform;
	/** cacls, absolute: the one program of Windows that prints SDDL, in which nobody has another name in another language. */
	readonly program: string;
	/** How long it may take, in milliseconds. */
	readonly timeoutMs: number;
}

export function windowsAccessLists(environment: Environment): AccessLists {
	const root = environment["SystemRoot"] ?? environment["SYSTEMROOT"] ?? "C:\\Windows";
	return { platform: process.platform, program: path.win32.join(root, "System32", "cacls.exe"), timeoutMs: 5000 };
}

/** Who is many (MS-DTYP §2.4.2.4), by SDDL's short name and by SID. */
const crowds: Readonly<Record<string, string>> = {
	WD: "Everyone",
	"S-1-1-0": "Everyone",
	AU: "Authenticated Users",
	"S-1-5-11": "Authenticated Users",
	BU: "Users",
	"S-1-5-32-545": "Users",
	IU: "Interactive",
	"S-1-5-4": "Interactive",
	BG: "Guests",
	"S-1-5-32-546": "Guests",
	AN: "Anonymous Logon",
	"S-1-5-7": "Anonymous Logon",
};

/** FILE_READ_DATA and the generic rights that hold it, as letters; CC is its bit's name in SDDL. */
const readingLetters = new Set(["FA", "FR", "GA", "GR", "CC"]);
const READING = 0x1 | 0x8000_0000 | 0x1000_0000;

/** A warning where a crowd may read a file; undefined where none may, or where it cannot be told. */
export function readersFlaw(file: string, { platform, program, timeoutMs }: AccessLists): Flaw | undefined {
	if (platform !== "win32") return undefined;
	const { stdout } = spawnSync(program, [file, "/S"], {
		timeout: timeoutMs,
		windowsHide: true,
		encoding: "utf8",
		stdio: ["ignore", "pipe", "ignore"],
	});
	const readers = crowdsIn(stdout ?? "");
	if (readers.length === 0) return undefined;
	return {
		message: `other users of this machine may read the secret in ${file} (${readers.join(", ")})`,
		remedy: `keep it in the folder secrets of the installation, or protect it by DPAPI: { dpapi: … }; icacls "${file}" shows who may`,
	};
}

/** The crowds that may read by an access list in SDDL (MS-DTYP §2.5.1.1). Who is denied it besides is not looked for. */
export function crowdsIn(sddl: string): readonly string[] {
	const found = new Set<string>();
	for (const [, flags = "", rights = "", sid = ""] of sddl.matchAll(/\(A;([A-Z]*);([^;]*);;;([^;)]*)\)/g)) {
		const crowd = crowds[sid];
		if (crowd !== undefined && !pairsOf(flags).includes("IO") && isReading(rights)) found.add(crowd);
	}
	return [...found];
}

function isReading(rights: string): boolean {
	return /^0x/i.test(rights) ? (Number(rights) & READING) !== 0 : pairsOf(rights).some((pair) => readingLetters.has(pair));
}

function pairsOf(letters: string): readonly string[] {
	return letters.match(/../g) ?? [];
}
