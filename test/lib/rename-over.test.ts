import { expect, it } from "vitest";
import { renameOver, renameOverSoon } from "../../src/lib/rename-over.ts";

/** A disk on which the first tries fail. */
function disk(failures: number, code: string) {
	const seen = { tries: 0, pausedMs: 0 };
	const rename = (): void => {
		seen.tries++;
		if (seen.tries <= failures) throw Object.assign(new Error(code), { code });
	};
	const pause = (ms: number): void => {
		seen.pausedMs += ms;
	};
	return { seen, rename, pause };
}

it.each(["EPERM", "EACCES", "EBUSY"])("on Windows a file that somebody has open (%s) is renamed once they let go", async (code) => {
	const held = disk(3, code);
	renameOver("a", "b", { platform: "win32", ...held });
	expect(held.seen).toEqual({ tries: 4, pausedMs: 80 });
	const again = disk(2, code);
	await renameOverSoon("a", "b", async () => again.rename(), "win32");
	expect(again.seen.tries).toBe(3);
});

it("nobody is waited for longer than a second and a half", () => {
	const held = disk(1000, "EPERM");
	expect(() => renameOver("a", "b", { platform: "win32", ...held })).toThrow("EPERM");
	expect(held.seen).toEqual({ tries: 8, pausedMs: 1580 });
});

it.each([
	{ platform: "win32", code: "ENOENT", why: "waiting makes no file" },
	{ platform: "linux", code: "EPERM", why: "it is a right that is lacking" },
] as const)("on $platform $code is thrown at once: $why", async ({ platform, code }) => {
	const held = disk(1, code);
	expect(() => renameOver("a", "b", { platform, ...held })).toThrow(code);
	const again = disk(1, code);
	await expect(renameOverSoon("a", "b", async () => again.rename(), platform)).rejects.toThrow(code);
	expect([held.seen.tries, again.seen.tries]).toEqual([1, 1]);
});
