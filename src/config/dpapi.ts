import { spawnSync } from "node:child_process";
import path from "node:path";
import type { Environment } from "./expand.ts";
import type { Flaw } from "./formats.ts";

/** Where Windows' data protection is asked. */
export interface Dpapi {
	readonly platform: NodeJS.Platform;
	/** Windows PowerShell, absolute: nothing that lies in a folder of the PATH is started. */
	readonly program: string;
	/** How long it may take, in milliseconds. */
	readonly timeoutMs: number;
}

export type Unprotected = { readonly kind: "text"; readonly text: string } | { readonly kind: "flaw"; readonly flaw: Flaw };

/** A first start of Windows PowerShell on a machine that is busy starting takes seconds. */
const TIMEOUT_MS = 30_000;

/**
 * Bound into each blob besides the machine's key, so that a blob of another program is not taken for a secret of ours. No secret:
 * deploy/windows/common.ps1 has the same.
 */
export const DPAPI_ENTROPY = "dirsyncd secret 1";

/** Windows' own PowerShell, which has .NET's ProtectedData. */
export function windowsDpapi(environment: Environment): Dpapi {
	const root = environment["SystemRoot"] ?? environment["SYSTEMROOT"] ?? "C:\\Windows";
	const program = path.win32.join(root, "System32", "WindowsPowerShell", "v1.0", "powershell.exe");
	return { platform: process.platform, program, timeoutMs: TIMEOUT_MS };
}

/**
 * The text in a blob that CryptProtectData made for this machine (scope LocalMachine), as base64. Blob and script go by standard
 * input and the text comes back by a pipe: nothing of it stands on a command line, or in a file.
 */
export function unprotect(file: string, blob: string, { platform, program, timeoutMs }: Dpapi): Unprotected {
	if (platform !== "win32")
		return flaw("secrets protected by DPAPI can be read on Windows alone", "use { file: … }, { env: … } or { credential: … }");
	const bare = blob.replaceAll(/\s/g, "");
	if (!/^[A-Za-z0-9+/]{16,}={0,2}$/.test(bare)) return flaw(`${file} holds no secret protected by DPAPI (base64)`, ANEW);
	const args = ["-NoProfile", "-NonInteractive", "-Command", "-"];
	const { error, stdout, signal } = spawnSync(program, args, {
		input: unprotectScript(bare),
		timeout: timeoutMs,
		windowsHide: true,
		encoding: "utf8",
		stdio: ["pipe", "pipe", "ignore"],
	});
	if (error !== undefined && "code" in error && error.code === "ENOENT") {
		return flaw(`${file} cannot be decrypted: there is no ${program}`, "install Windows PowerShell, or use { file: … }");
	}
	if (signal !== null || (error !== undefined && "code" in error && error.code === "ETIMEDOUT")) {
		return flaw(`${file} was not decrypted within ${timeoutMs / 1000} s by ${program}`, "try it again, or look what keeps it");
	}
	const [, kind, said = ""] = /dirsyncd-(secret|refused):([A-Za-z0-9+/=]*)/.exec(stdout ?? "") ?? [];
	const text = Buffer.from(said, "base64").toString("utf8");
	if (kind === "secret") return { kind: "text", text };
	const why = kind === "refused" ? text : (error?.message ?? "it answered nothing, as where scripts may not use .NET");
	return flaw(`${file} cannot be decrypted: ${why.replaceAll(/\s+/g, " ").trim()}`, `was it made on this machine? ${ANEW}`);
}

const ANEW = "make it anew on this machine: deploy\\windows\\secret.ps1 -Name NAME";

/**
 * One line for each statement, as PowerShell reads them from standard input. No command of a module is used: the service's
 * environment may have a PSModulePath that knows none.
 */
export function unprotectScript(blob: string): string {
	const assembly = "System.Security, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a";
	const base64 = (text: string): string => `[Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes(${text}))`;
	return [
		"try {",
		`[void] [Reflection.Assembly]::Load('${assembly}');`,
		`$entropy = [Text.Encoding]::UTF8.GetBytes('${DPAPI_ENTROPY}');`,
		`$bytes = [Security.Cryptography.ProtectedData]::Unprotect([Convert]::FromBase64String('${blob}'), $entropy, [Security.Cryptography.DataProtectionScope]::LocalMachine);`,
		"[Console]::Out.WriteLine('dirsyncd-secret:' + [Convert]::ToBase64String($bytes))",
		`} catch { [Console]::Out.WriteLine('dirsyncd-refused:' + ${base64("$_.Exception.GetBaseException().Message")}) }\n\n`,
	].join(" ");
}

function flaw(message: string, remedy: string): Unprotected {
	return { kind: "flaw", flaw: { message, remedy } };
}
