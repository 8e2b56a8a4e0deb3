import type { Loaded } from "../config/load.ts";
import { Failure } from "../core/errors.ts";
import { type HttpServer, openHttp } from "../http/server.ts";
import { openToken } from "../http/token.ts";
import { type Log, openLog } from "../telemetry/log.ts";
import { makeClosers } from "./closers.ts";
import { startDemoDirectory } from "./demo-directory.ts";
import { makeFront } from "./front.ts";
import { logHello, logWarnings, sayHello } from "./hello.ts";
import { acquireLock, besideDatabase } from "./lock.ts";
import type { PulseLimits } from "./pulse.ts";
import { listenForReload, makeReload } from "./reload.ts";
import { look, openSupervisor } from "./supervised.ts";
import { openWorks } from "./works.ts";

export interface DaemonRequest {
	readonly loaded: Loaded;
	/** The built-in demo, since there is no configuration of one's own. */
	readonly isDemo: boolean;
	/** Reads the configuration again (SIGHUP). Throws CONFIG_INVALID with every problem. */
	readonly reload: () => Loaded;
	readonly version: string;
	/** Nothing but JSON of the command's own on stdout: logs go to stderr. */
	readonly isJson: boolean;
	/** Aborted by SIGINT and SIGTERM. */
	readonly signal: AbortSignal;
	/** The engine's thread; by default the real one, given up as usual. */
	readonly engine?: { readonly file: string | URL; readonly pulse: PulseLimits };
}

/** Of the 10 s that an end may take, HTTP requests that wait for a run get this; the engine gets its own share in works.ts. */
const HTTP_CLOSE_MS = 1000;
const LOG_DRAIN_MS = 500;

/** The daemon: runs until it is told to end. Throws what it cannot start with, or the bug that it met. */
export async function runDaemon(request: DaemonRequest): Promise<void> {
	const { loaded, signal, version } = request;
	const { config } = loaded;
	const isTerminal = !request.isJson && process.stdout.isTTY === true;
	const descriptor = request.isJson ? 2 : 1;
	const clock = Date.now;
	const colour = isTerminal && !process.env["NO_COLOR"];
	const book = await openLog({ ...config.log, descriptor, pretty: isTerminal, colour, clock });
	const { log } = book;
	const closers = makeClosers(log);
	const bug = listenForBugs(log);
	const engine = request.engine && { engineFile: request.engine.file, pulse: request.engine.pulse };
	/** With a thread that hangs in the operating system even process.exit would wait for it. Whoever watches over us starts us again. */
	const endAtOnce = async (): Promise<void> => {
		log.fatal("the engine hangs and cannot be cut off (a disk that does not answer?): dirsyncd ends, to be started again");
		await book.close(LOG_DRAIN_MS);
		process.kill(process.pid, "SIGKILL");
	};
	const supervisor = openSupervisor(log);
	let hasStarted = false;
	try {
		const lock = acquireLock(config.database, { command: "run", clock });
		closers.add("lock", () => lock.release());
		const tokens = {
			operator: openToken(besideDatabase(config.database, "token")),
			viewer: openToken(besideDatabase(config.database, "viewer-token")),
		};
		const front = makeFront({ version, clock, log: () => ({ part: "log", name: "log", trouble: book.trouble() }) });
		const http = await openHttp({
			...front.http,
			...config.http,
			tokens,
			clock,
			onBug: (err, where) => log.error({ err, where }, "bug"),
		});
		closers.add("http", () => http.close(HTTP_CLOSE_MS));
		lock.announce(http.url);
		sayStart(request, http, log, isTerminal);
		hasStarted = true;
		supervisor.status("starting: the database is opened and checked");

		if (config.demo !== undefined) {
			const demo = await startDemoDirectory(config.demo, log);
			closers.add("demo", () => demo.close());
		}
		const works = await openWorks(config, { log, clock, version, signal, page: http.url, onStuck: () => void endAtOnce(), ...engine });
		closers.add("works", () => works.close());
		front.connect(works);
		works.start();
		const reload = makeReload({ loaded, load: request.reload, works, http, log, changeLog: book.change });
		closers.add(
			"reload",
			listenForReload(() => supervisor.reload(reload)),
		);
		supervisor.ready(() => look(front, works, http));
		log.info({ sources: config.sources.map(({ name }) => name) }, "dirsyncd is up");

		await Promise.race([aborted(signal), bug.met]);
		front.stopping();
		log.info("dirsyncd is ending");
	} catch (error) {
		if (!signal.aborted) throw error;
		log.info({ because: error instanceof Error ? error.message : String(error) }, "ended while it was starting");
	} finally {
		supervisor.stopping();
		await closers.close();
		bug.stop();
		if (hasStarted) log.info("dirsyncd has ended");
		await book.close(LOG_DRAIN_MS);
	}
}

function sayStart({ loaded, isDemo, version }: DaemonRequest, { url }: HttpServer, log: Log, isTerminal: boolean): void {
	const hello = { loaded, isDemo: isDemo || loaded.config.demo !== undefined, version, url };
	if (isTerminal) sayHello((text) => process.stdout.write(text), hello);
	else logHello(log, hello);
	logWarnings(log, loaded);
}

function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) resolve();
		else signal.addEventListener("abort", () => resolve(), { once: true });
	});
}

/** What nobody caught is a bug: the state is not to be trusted any more, and ending is what heals it. */
function listenForBugs(log: Log): { readonly met: Promise<never>; stop(): void } {
	const { promise, reject } = Promise.withResolvers<never>();
	promise.catch(() => {}); // Also met when nobody is waiting for it yet, or any more.
	const meet = (thrown: unknown): void => {
		const err = thrown instanceof Error ? thrown : new Error(String(thrown));
		log.fatal({ err }, err instanceof Failure ? "ended by a failure that nobody expected" : "ended by a bug of dirsyncd; please report it");
		reject(err);
	};
	process.on("uncaughtException", meet);
	process.on("unhandledRejection", meet);
	return {
		met: promise,
		stop: () => {
			process.off("uncaughtException", meet);
			process.off("unhandledRejection", meet);
		},
	};
}
