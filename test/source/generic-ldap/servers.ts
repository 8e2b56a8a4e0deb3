import { afterEach } from "vitest";
import { type Attributes, type Came, type FakeServer, type Reply, type Script, startFakeServer } from "../../support/fake-server.ts";

export const base = "ou=People,dc=corp,dc=example,dc=test";
export const context = "dc=corp,dc=example,dc=test";
export const csn = "20261127101803.785900Z#000000#001#000000";

export interface FakeLdap {
	/** Answers the paged searches beneath `base`; true when it did. */
	readonly people?: (came: Came, reply: Reply) => boolean;
	/** Answers the search with a sync request. */
	readonly sync?: Script;
	readonly rootDse?: Attributes;
	readonly contextCsn?: readonly string[];
	readonly other?: (came: Came, reply: Reply) => boolean;
}

const syncRequest = "1.3.6.1.4.1.4203.1.9.1.1";

/** Number `n`'s entryUUID. */
export function uuidOf(n: number): string {
	return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

/** A script for a server that is right in everything but what the test is about. */
function fakeLdap({ people = () => false, sync, rootDse = {}, contextCsn = [csn], other = () => false }: FakeLdap): Script {
	return (came, reply) => {
		if (came.kind !== "search" || other(came, reply)) return;
		if (came.controls.includes(syncRequest) && sync !== undefined) return sync(came, reply);
		if (came.base === "" && came.scope === 0) {
			reply.entry("", { namingContexts: context, supportedControl: ["1.2.840.113556.1.4.319", syncRequest], ...rootDse });
			return reply.done();
		}
		if (came.scope === 0) {
			reply.entry(came.base, {
				objectClass: "top",
				...(contextCsn.length > 0 && { contextCSN: contextCsn }),
				modifyTimestamp: "20261127101803Z",
			});
			return reply.done();
		}
		if (came.paged !== undefined && came.base === base && people(came, reply)) return;
		reply.done({ cookie: "" });
	};
}

/** Servers for the tests of one file; each is closed after its test. */
export function useFakeLdap(): (fake: FakeLdap) => Promise<FakeServer> {
	const open: FakeServer[] = [];
	afterEach(async () => {
		for (const server of open.splice(0)) await server.close();
	});
	return async (fake) => {
		const server = await startFakeServer(fakeLdap(fake));
		open.push(server);
		return server;
	};
}
