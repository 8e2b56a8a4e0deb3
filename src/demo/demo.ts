import { createSecureContext } from "node:tls";
import { buildCompany, buildHomes, departmentDn } from "./company.ts";
import { type DemoDirectory, makeDirectory } from "./directory.ts";
import { type Faults, makeFaults } from "./faults.ts";
import { found } from "./found.ts";
import type { Host, Limits } from "./host.ts";
import { type Life, makeLife } from "./life.ts";
import { departments } from "./people.ts";
import { makeRandom } from "./random.ts";
import { plainRights } from "./rights.ts";
import { type Listener, listen } from "./server.ts";
import { findDn } from "./store.ts";
import { dnsName } from "./values.ts";
import { makeVast } from "./vast.ts";

export interface DemoOptions {
	/** Default 127.0.0.1. */
	readonly host?: string;
	/** Default 0: a free one. */
	readonly port?: number;
	/** Default DC=corp,DC=example,DC=com. */
	readonly baseDn?: string;
	readonly seed?: number;
	readonly clock?: () => number;
	readonly tls?: DemoTls;
	readonly limits?: Partial<Limits>;
	/** Who is in it. Default: nobody but the built-in accounts. */
	readonly people?: People;
	/** Lets the company live: something happens every `paceMs`. Only for a company that is held. */
	readonly life?: { readonly paceMs: number; readonly tell: (sentence: string) => void };
}

export type People =
	/** A company of some hundred to some ten thousand, all held in memory. */
	| { readonly kind: "company"; readonly count: number }
	/** Any number, made up on demand; only those that were written to are held. */
	| { readonly kind: "vast"; readonly count: number };

export interface DemoTls {
	/** PEM. With them StartTLS works, and LDAPS on a port of its own. */
	readonly key: string | Buffer;
	readonly cert: string | Buffer;
	/** LDAPS; default 0: a free one. */
	readonly port?: number;
	/** Refuse passwords over connections without TLS, as a hardened domain controller does. */
	readonly isRequired?: boolean;
}

export interface Account {
	readonly user: string;
	readonly password: string;
}

/** A demo directory that is being served. */
export interface Demo {
	readonly url: string;
	/** LDAPS; undefined without key and certificate. */
	readonly secureUrl: string | undefined;
	readonly address: { readonly host: string; readonly port: number };
	readonly baseDn: string;
	/** The account to read with; it sees what a plain account sees. */
	readonly bindUser: string;
	readonly bindPassword: string;
	/** May write over LDAP and sees deleted objects. */
	readonly admin: Account;
	readonly directory: DemoDirectory;
	/** Undefined where no company is held. */
	readonly life: Life | undefined;
	readonly faults: Faults;
	/** Tears all connections down and goes on serving. */
	drop(): void;
	close(): Promise<void>;
}

/** No secrets: the demo listens on loopback, and these stand in its documentation. */
const READER: Account = { user: "svc-dirsyncd", password: "demo-Reader-1" };
const ADMIN: Account = { user: "Administrator", password: "demo-Admin-1" };

/** Founds a demo directory and serves it. Throws Failure SOURCE_UNREACHABLE when the address is taken. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
	const { host: address = "127.0.0.1", port = 0, baseDn = "DC=corp,DC=example,DC=com", seed = 1, clock = Date.now, tls } = options;
	const store = found({ baseDn, clock, random: makeRandom(seed) });
	const faults = makeFaults();
	const host: Host = {
		store,
		credentials: { passwords: new Map(), refusals: new Map() },
		rights: new Map(),
		faults,
		limits: { maxPageSize: 1000, maxValRange: 1500, ...options.limits },
		selections: new Map(),
		secureContext: tls === undefined ? undefined : createSecureContext({ key: tls.key, cert: tls.cert }),
		requireTls: tls?.isRequired ?? false,
	};
	const directory = makeDirectory(host);
	addServiceAccounts(directory);
	const life = options.people === undefined ? undefined : settle(host, directory, options.people, seed);
	const { listeners, plain, secure } = await listenOn(host, address, port, tls);
	const stopLife = options.life === undefined ? undefined : life?.start(options.life.paceMs, options.life.tell);
	return {
		url: `ldap://${address}:${plain.port}`,
		secureUrl: secure === undefined ? undefined : `ldaps://${address}:${secure.port}`,
		address: { host: address, port: plain.port },
		baseDn,
		bindUser: `${READER.user}@${dnsName(baseDn)}`,
		bindPassword: READER.password,
		admin: { user: `${ADMIN.user}@${dnsName(baseDn)}`, password: ADMIN.password },
		directory,
		life,
		faults,
		drop() {
			for (const listener of listeners) listener.drop();
		},
		async close() {
			stopLife?.();
			for (const listener of listeners) await listener.close();
		},
	};
}

function settle({ store }: Host, directory: DemoDirectory, people: People, seed: number): Life | undefined {
	if (people.kind === "company")
		return makeLife(buildCompany(directory, people.count, seed, store.clock), people.count, makeRandom(seed + 1));
	buildHomes(directory);
	const homes = new Map(
		departments.map((department) => [department as string, findDn(store, departmentDn(directory, department)) ?? store.domain]),
	);
	store.madeUp = makeVast(store, { count: people.count, seed, homes });
	return undefined;
}

async function listenOn(host: Host, address: string, port: number, tls: DemoTls | undefined) {
	let connections = 0;
	const nextNumber = (): number => ++connections;
	const plain = await listen(host, "ldap", address, port, nextNumber);
	const secure = tls === undefined ? undefined : await listen(host, "ldaps", address, tls.port ?? 0, nextNumber);
	const listeners: Listener[] = secure === undefined ? [plain] : [plain, secure];
	return { listeners, plain, secure };
}

function addServiceAccounts(directory: DemoDirectory): void {
	const domain = dnsName(directory.baseDn);
	for (const { user, password } of [READER, ADMIN]) {
		const dn = `CN=${user},CN=Users,${directory.baseDn}`;
		directory.add(dn, { objectClass: "user", sAMAccountName: user, userPrincipalName: `${user}@${domain}`, userAccountControl: 66048 });
		directory.setPassword(dn, password);
	}
	directory.setRights(ADMIN.user, { ...plainRights, mayWrite: true, mayReadDeleted: true });
}
