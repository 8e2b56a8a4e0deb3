import type { Platform } from "./platforms.ts";

/** What Node loads; the rest of a package is for people, compilers and bundlers. */
const LOADED = /\.(?:js|cjs|mjs|json|node)$/;

const LICENCE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** At a package's top, where they are never part of the program (`yaml` has a folder `doc` further down that is); and what is hidden. */
const NOT_PROGRAM =
	/(?:^|\/)\.|^(?:benchmarks?|coverage|deps|docs?|examples?|fixtures?|integration|scripts|specs?|tests?|tools)(?:\/|$)|^(?:eslint|bench|benchmark|example|test)[^/]*$/;

/** date-fns is 27 MB, because all is there twice and in 100 languages. pino-roll, which alone uses it, requires the CommonJS half. */
const DATE_FNS = /^(?:package\.json$|(?!locale\.|fp\.)[^/]+\.cjs$|(?:_lib|parse|locale\/_lib|locale\/en-US)\/.*\.cjs$|locale\/en-US\.cjs$)/;

/** better-sqlite3 for who bundles it for one platform; its lib/index.js finds the binary by itself. */
const ONE_PLATFORM = /^lib\/(?:darwin|linux|linuxmusl|win32)-[^/]+\.js$/;

/** Whether a server of this platform needs a file of a package; `file` is its path within the package, with slashes. */
export function isNeeded(name: string, file: string, platform: Platform): boolean {
	if (isLicence(file)) return true;
	if (name === platform.runtime) return file === "package.json" || file === platform.program;
	if (NOT_PROGRAM.test(file) || !LOADED.test(file)) return false;
	if (name === "better-sqlite3") return file.endsWith(".node") ? file === `prebuilds/${platform.prebuild}` : !ONE_PLATFORM.test(file);
	if (name === "date-fns") return DATE_FNS.test(file);
	return true;
}

/** A licence at a package's top. */
export function isLicence(file: string): boolean {
	return LICENCE.test(file);
}
