import type { Config } from "../config/config.ts";
import type { Environment } from "../config/expand.ts";
import type { Loaded, SecretNeed } from "../config/load.ts";
import type { DaemonRequest } from "../daemon/daemon.ts";
import type { Claim, Holder, Lock } from "../daemon/lock.ts";
import type { Engine, Planner, Trial } from "../engine.ts";
import type { ChainProof } from "../store/chain.ts";
import type { Restored } from "../store/restore.ts";
import type { Views } from "../store/views.ts";
import type { Output } from "./output.ts";

/** All that a command knows of the world around it. */
export interface Context {
	readonly out: Output;
	readonly err: Output;
	readonly environment: Environment;
	/** The working directory. */
	readonly directory: string;
	/** Unix milliseconds. */
	readonly clock: () => number;
	/** Who is at the keyboard, for the change log. */
	readonly user: string;
	readonly version: string;
	/** Aborted by SIGINT and SIGTERM. */
	readonly signal: AbortSignal;
	readonly doors: Doors;
}

/** The rooms behind the commands. Opened only when a command asks: `--help` loads none of them. */
export interface Doors {
	loadConfig(file: string, environment: Environment, secrets: SecretNeed): Loaded;
	/** Where a configuration keeps its database, even if the rest of it is wrong. Throws CONFIG_INVALID. */
	databaseOf(file: string, environment: Environment): string;
	/** Call while holding the database's lock. */
	openEngine(config: Config): Promise<Engine>;
	/** Changes nothing, and goes beside a running daemon. */
	openPlanner(config: Config): Promise<Planner>;
	/** Changes nothing, connects to nothing, and goes beside a running daemon. */
	openTrial(config: Config): Promise<Trial>;
	/** A database that is not there yet reads as an empty one. */
	openViews(databaseFile: string): Promise<Views>;
	/** Takes the database for this process, waiting for another short command. Throws DATABASE_LOCKED with the Holder as its cause. */
	waitForLock(databaseFile: string, claim: Claim, timeoutMs: number, signal: AbortSignal): Promise<Lock>;
	/** Who has the database, if anybody. */
	holder(databaseFile: string): Promise<Holder | undefined>;
	/** Runs until it is told to end. */
	runDaemon(daemon: DaemonRequest): Promise<void>;
	/** Looks at a source step by step. */
	diagnose(config: Config, source: string, signal: AbortSignal): AsyncIterable<CheckStep>;
	/** What a source's account is to be allowed in its directory. Throws what signing in throws. */
	delegation(config: Config, source: string, extent: "lacking" | "everything", signal: AbortSignal): Promise<Delegation>;
	/** The way to the servers of the first source alone, step by step: nobody signs in. */
	tryServers(config: Config, signal: AbortSignal): AsyncIterable<CheckStep>;
	/** Signs in at the first source, and counts who is where. Throws what signing in throws. */
	survey(config: Config, signal: AbortSignal): Promise<Survey>;
	/** Looks at a target step by step. */
	diagnoseTarget(config: Config, target: string, signal: AbortSignal): AsyncIterable<CheckStep>;
	/** Goes the way to a channel by which people are told; with `test`, sends a message by it. */
	diagnoseChannel(config: Config, channel: string, how: "probe" | "test", signal: AbortSignal): AsyncIterable<CheckStep>;
	/** Looks through the whole database and the change log's chain. Undefined: there is no database yet. */
	verifyDatabase(databaseFile: string): Promise<ChainProof | undefined>;
	/** Copies the database while others go on writing. */
	backUp(databaseFile: string, to: string): Promise<void>;
	/** Puts a backup in the place of the database. Call while holding its lock. `by`: who does it. */
	restore(from: string, databaseFile: string, by: string): Promise<Restored>;
	/** A token for the daemon's page and API, from the file beside the database: the admin token, or one that only reads. */
	readToken(databaseFile: string, which: "token" | "viewer-token"): Promise<string>;
	/** Sends one request to a daemon on this machine and waits as long as it takes. */
	request(request: DaemonCall, signal: AbortSignal): Promise<DaemonAnswer>;
	/** Asks a daemon on this machine how it is, without a token. Throws DAEMON_UNREACHABLE within seconds. */
	askHealth(url: string, signal: AbortSignal): Promise<DaemonAnswer>;
}

export interface DaemonCall {
	readonly url: string;
	readonly method: "GET" | "POST";
	readonly token: string;
	readonly body: unknown;
	/** Of a daemon that speaks TLS its own certificate, PEM: nobody else is spoken to, whatever name it is for. */
	readonly certificate: string | undefined;
}

export interface DaemonAnswer {
	readonly status: number;
	readonly body: unknown;
}

/** What an account sees of its domain: people and groups, and the containers of the people, the fullest first. */
export interface Survey {
	readonly server: string;
	readonly base: string;
	readonly people: number;
	readonly groups: number;
	readonly places: readonly { readonly dn: string; readonly people: number }[];
}

/** What an account is to be allowed in its domain, with the commands that grant it. */
export interface Delegation {
	readonly server: string;
	readonly account: { readonly name: string; readonly sid: string | undefined; readonly dn: string | undefined };
	/** What it may do already, and what not. */
	readonly findings: readonly CheckStep[];
	readonly remarks: readonly string[];
	readonly grants: readonly { readonly dn: string; readonly why: string; readonly sddl: readonly string[] }[];
	readonly powershell: string;
	readonly dsacls: string;
	readonly dsaclsUndo: string;
}

/** One line of `check`. */
export interface CheckStep {
	readonly step: string;
	readonly subject: string;
	readonly state: "passed" | "warned" | "failed";
	readonly detail: string;
	readonly remedy?: string | undefined;
}
