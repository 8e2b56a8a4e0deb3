import { existsSync, readFileSync } from "node:fs";
import { attributesAskedBy, groupsAskedBy } from "../config/asked.ts";
import { databaseOf } from "../config/glance.ts";
import { loadConfig } from "../config/load.ts";
import { Failure } from "../core/errors.ts";
import type { Holder } from "../daemon/lock.ts";
import { askHealth } from "./ask-health.ts";
import type { DaemonAnswer, DaemonCall, Doors } from "./context.ts";

/** The real rooms. Each is loaded when it is opened: `--help` should not wait for a database and a web server. */
export function openDoors(clock: () => number): Doors {
	return {
		loadConfig,
		databaseOf,
		openEngine: async (config) => (await import("../app/engine.ts")).openEngine(config, { check: "small", clock, random: Math.random }),
		openPlanner: async (config) => (await import("../app/planner.ts")).openPlanner(config, { clock, random: Math.random }),
		openTrial: async (config) => (await import("../app/trial.ts")).openTrial(config, { clock, random: Math.random }),
		openViews: async (file) => (await import("../store/open-views.ts")).openViews(file),
		waitForLock: async (file, claim, timeoutMs, signal) => (await import("../daemon/lock.ts")).waitForLock(file, claim, timeoutMs, signal),
		holder: async (file) => liveHolder((await import("../daemon/lock.ts")).readHolder(file)),
		runDaemon: async (request) => (await import("../daemon/daemon.ts")).runDaemon(request),
		diagnose: async function* (config, source, signal) {
			const { diagnoseSource } = await import("../source/sources.ts");
			const [attributes, ruleGroups] = [attributesAskedBy(config, source), groupsAskedBy(config, source)];
			const options = config.sources.find(({ name }) => name === source);
			if (options !== undefined) yield* diagnoseSource(options, { protect: config.protect, attributes, ruleGroups, clock }, signal);
		},
		delegation: async (config, source, extent, signal) => {
			const { delegateSource } = await import("../source/sources.ts");
			const [attributes, ruleGroups] = [attributesAskedBy(config, source), groupsAskedBy(config, source)];
			const options = config.sources.find(({ name }) => name === source);
			if (options === undefined) throw new Error(`there is no source ${source}`);
			return delegateSource(options, { protect: config.protect, attributes, ruleGroups, clock }, extent, signal);
		},
		tryServers: async function* ({ sources: [source] }, signal) {
			const { diagnoseReach } = await import("../source/sources.ts");
			if (source !== undefined) yield* diagnoseReach(source, clock, signal);
		},
		survey: async ({ sources: [source] }, signal) => {
			const { surveySource } = await import("../source/sources.ts");
			if (source === undefined) throw new Error("a configuration without a source was loaded");
			return surveySource(source, clock, signal);
		},
		diagnoseTarget: async function* (config, target, signal) {
			const { diagnoseTarget } = await import("../target/targets.ts");
			const options = config.targets.find(({ name }) => name === target);
			if (options !== undefined) yield* diagnoseTarget(options, { clock, random: Math.random }, signal);
		},
		diagnoseChannel: async function* (config, channel, how, signal) {
			const { diagnoseChannel } = await import("../notify/channels.ts");
			const options = config.notify.find(({ name }) => name === channel);
			if (options !== undefined) yield await diagnoseChannel(options, { how, file: config.file, clock }, signal);
		},
		verifyDatabase: async (file) => (existsSync(file) ? (await import("../store/upkeep.ts")).verifyDatabase(file) : undefined),
		backUp: async (file, to) => (await import("../store/upkeep.ts")).backUp(file, to),
		restore: async (from, file, by) => (await import("../store/restore.ts")).restoreDatabase(from, file, clock(), by),
		readToken: async (file, which) => readToken((await import("../daemon/lock.ts")).besideDatabase(file, which)),
		request,
		askHealth,
	};
}

/** The file that says who holds a database stays behind after a kill -9: its process must be there, too. */
function liveHolder(holder: Holder | undefined): Holder | undefined {
	if (holder === undefined) return undefined;
	try {
		process.kill(holder.pid, 0);
		return holder;
	} catch (error) {
		// Another user's process may not be signalled, but is there.
		return error instanceof Error && "code" in error && error.code === "EPERM" ? holder : undefined;
	}
}

function readToken(file: string): string {
	try {
		return readFileSync(file, "utf8").trim();
	} catch (cause) {
		const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
		throw new Failure("SECRET_UNREADABLE", `the daemon's token in ${file} cannot be read${isMissing ? ": it is not there" : ""}`, {
			cause,
			hint: isMissing
				? "The daemon makes it when it first starts (dirsyncd run). Check that this is its configuration."
				: "Only the user that the daemon runs as may read it: use sudo -u with that user.",
		});
	}
}

/** How long a daemon on this machine may take to accept a connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;

async function request({ url, method, token, body, certificate }: DaemonCall, signal: AbortSignal): Promise<DaemonAnswer> {
	const { Agent, fetch } = await import("undici");
	// A first reading of a large directory takes many minutes, and the answer comes after it: undici's own 300 s are too short.
	const agent = new Agent({
		headersTimeout: 0,
		bodyTimeout: 0,
		connect: { timeout: CONNECT_TIMEOUT_MS, ...(certificate !== undefined && trustOnly(certificate)) },
	});
	try {
		const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
		const response = await fetch(url, { method, headers, body: JSON.stringify(body ?? {}), dispatcher: agent, signal });
		const text = await response.text();
		return { status: response.status, body: parseJson(text) };
	} catch (cause) {
		if (signal.aborted) throw new Failure("CANCELLED", "stopped waiting; the daemon goes on with what it was asked", { cause });
		throw new Failure("DAEMON_UNREACHABLE", `the daemon at ${new URL(url).origin} did not answer`, {
			cause,
			hint: "It may have ended meanwhile: try again.",
		});
	} finally {
		await agent.close();
	}
}

/** The token goes to who has the key of this very certificate: on loopback its name says nothing, and its authority need not be known here. */
function trustOnly(certificate: string) {
	return { ca: certificate, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined; // Not the daemon's answer: the status alone says what there is to say.
	}
}
