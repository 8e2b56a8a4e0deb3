import type { Config } from "../config/config.ts";
import type { Loaded } from "../config/load.ts";
import { configProblemsOf } from "../config/problem.ts";
import { Failure } from "../core/errors.ts";
import type { HttpServer } from "../http/server.ts";
import type { Log } from "../telemetry/log.ts";
import { logWarnings } from "./hello.ts";
import { makeLane } from "./lane.ts";
import type { Works } from "./works.ts";

export interface ReloadParts {
	readonly loaded: Loaded;
	/** Throws CONFIG_INVALID with every problem. */
	load(): Loaded;
	readonly works: Pick<Works, "change">;
	readonly http: Pick<HttpServer, "renew">;
	readonly log: Log;
	/** Throws OUTPUT_UNWRITABLE; then the log stays as it was. */
	changeLog(to: Config["log"]): Promise<void>;
}

const REFUSED = "the new configuration is refused; the old one stays";

/**
 * Reads the configuration again and switches to it between runs; answers how that ended, in a sentence. Never rejects: what is wrong
 * is logged, and the old one stays.
 */
export function makeReload({ loaded, load, works, http, log, changeLog }: ReloadParts): () => Promise<string> {
	const lane = makeLane();
	let current = loaded.config;

	const reload = async (): Promise<string> => {
		try {
			const next = load();
			if (next.config.database !== current.database) {
				throw new Failure("CONFIG_INVALID", "the database cannot be changed while dirsyncd is running", {
					hint: "Restart dirsyncd to change it.",
				});
			}
			log.info({ config: next.config.file }, "configuration read; it is taken over when the runs that are going on have ended");
			await changeLog(next.config.log);
			try {
				await works.change(next.config);
			} catch (error) {
				await changeLog(current.log);
				throw error;
			}
			for (const key of ["http", "demo"] as const) {
				if (fixedPart(next.config, key) !== fixedPart(current, key)) log.warn({ key }, "takes effect with the next start");
			}
			const [before, after] = [current.http.tls, next.config.http.tls];
			if (before !== undefined && after !== undefined && after.cert !== before.cert) {
				http.renew(after);
				log.info("the server's certificate is renewed");
			}
			current = next.config;
			logWarnings(log, next);
			log.info({ sources: next.config.sources.map(({ name }) => name) }, "configuration taken over");
			return "configuration taken over";
		} catch (error) {
			refuse(log, error);
			return REFUSED;
		}
	};

	return () => lane.enter(reload);
}

/** What cannot change while it is running: of the listener all but which certificate it shows. */
function fixedPart({ http, demo }: Config, key: "http" | "demo"): string | undefined {
	return JSON.stringify(key === "demo" ? demo : { listen: http.listen, isSecure: http.tls !== undefined });
}

/** Calls `reload` for each SIGHUP, until the returned function is called. Windows knows the signal as a closed console: not there. */
export function listenForReload(reload: () => Promise<void>): () => void {
	if (process.platform === "win32") return () => {};
	const listen = (): void => void reload();
	process.on("SIGHUP", listen);
	return () => void process.off("SIGHUP", listen);
}

function refuse(log: Log, error: unknown): void {
	const problems = configProblemsOf(error);
	for (const { line, column, path, value, message, remedy } of problems?.problems ?? []) {
		log.error({ at: `${problems?.file}:${line}:${column}`, path, value, remedy }, `configuration: ${message}`);
	}
	const because = error instanceof Error ? error.message : String(error);
	const hint = error instanceof Failure ? error.hint : undefined;
	log.error({ because, ...(hint !== undefined && { hint }) }, REFUSED);
}
