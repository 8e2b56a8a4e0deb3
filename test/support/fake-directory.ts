import { afterEach } from "vitest";
import { makeActiveDirectory } from "../../src/source/active-directory/active-directory.ts";
import { guidOctets } from "../../src/source/active-directory/guid.ts";
import { type ActiveDirectoryOptions, activeDirectoryDefaults } from "../../src/source/active-directory/options.ts";
import type { Reading, Source } from "../../src/source/source.ts";
import { type Attributes, type Came, type FakeServer, type Reply, type Script, startFakeServer } from "./fake-server.ts";
import { fullRequest } from "./requests.ts";
import { noTls } from "./tls.ts";

export const base = "OU=People,DC=corp,DC=example,DC=test";
const service = "CN=NTDS Settings,CN=DC1,CN=Configuration,DC=corp,DC=example,DC=test";

export interface Fake {
	/** Answers the paged search for people. */
	readonly people: Script;
	readonly rootDse?: Attributes;
	readonly invocationId?: string;
	/** Answers anything else; true when it did. */
	readonly other?: (came: Came, reply: Reply) => boolean;
}

/** Number `n`'s anchor. */
export function guidOf(n: number): string {
	return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

/** Answers with person number `n`. */
export function putPerson(reply: Reply, n: number, more: Attributes = {}): void {
	reply.entry(`CN=P${n},${base}`, {
		objectGUID: guidOctets(guidOf(n)) as Uint8Array,
		sAMAccountName: `p${n}`,
		userAccountControl: "512",
		...more,
	});
}

/** A script for an Active Directory that is right in everything but what the test is about. */
export function fakeDirectory({ people, rootDse = {}, invocationId = guidOf(1), other = () => false }: Fake): Script {
	return (came, reply) => {
		if (came.kind !== "search" || other(came, reply)) return;
		if (came.base === "" && came.scope === 0) {
			reply.entry("", {
				highestCommittedUSN: "1000",
				dsServiceName: service,
				namingContexts: ["DC=corp,DC=example,DC=test", "CN=Configuration,DC=corp,DC=example,DC=test"],
				defaultNamingContext: "DC=corp,DC=example,DC=test",
				supportedControl: "1.2.840.113556.1.4.319",
				...rootDse,
			});
			reply.done();
		} else if (came.base === service) {
			reply.entry(service, { invocationId: guidOctets(invocationId) as Uint8Array });
			reply.done();
		} else if (came.scope === 0) {
			reply.entry(came.base, { objectGUID: guidOctets(guidOf(999)) as Uint8Array, uSNChanged: "1" });
			reply.done();
		} else if (came.base === base && came.paged !== undefined) people(came, reply);
		else reply.done({ cookie: "" });
	};
}

/** For servers that are to be given up on. */
export const impatient = { connectMs: 300, bindMs: 300, requestMs: 300 };

/** A source on a fake server. */
export function fakeSource(url: string, options: Partial<ActiveDirectoryOptions> = {}): Source {
	return makeActiveDirectory({
		name: "fake",
		urls: [url],
		discovery: undefined,
		bind: { user: "svc@corp.example.test", password: "the-password" },
		tls: noTls,
		insecure: true,
		bases: [base],
		users: { filter: undefined, exclude: [], groups: [] },
		groups: undefined,
		changes: "auto",
		protect: [],
		attributes: ["displayName"],
		...activeDirectoryDefaults,
		pausesMs: [],
		clock: () => 0,
		random: () => 0,
		observe: { request: () => {}, certificate: () => {} },
		...options,
	});
}

/** Servers of fake directories for the tests of one file; each is closed after its test. */
export function useFakeServers(): (fake: Fake) => Promise<FakeServer> {
	const open: FakeServer[] = [];
	afterEach(async () => {
		for (const server of open.splice(0)) await server.close();
	});
	return async (fake) => {
		const server = await startFakeServer(fakeDirectory(fake));
		open.push(server);
		return server;
	};
}

/** Reads everything: who was read, and what the end says or what was thrown. */
export async function readAll(source: Source, signal = new AbortController().signal) {
	let reading: Reading | undefined;
	const anchors: string[] = [];
	try {
		reading = await source.read(fullRequest(), signal);
		for await (const page of reading.pages) anchors.push(...page.map(({ key }) => source.anchor(key)));
		return { anchors, unsealed: reading.end().unsealed, failure: undefined };
	} catch (failure) {
		return { anchors, unsealed: undefined, failure };
	} finally {
		await reading?.close();
	}
}

/** The anchors of these numbers. */
export const people = (...numbers: readonly number[]) => numbers.map(guidOf);
