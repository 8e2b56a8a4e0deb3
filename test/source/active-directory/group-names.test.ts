import { expect, it } from "vitest";
import { guidOctets } from "../../../src/source/active-directory/guid.ts";
import { knowing, memberDns, readWithGroups } from "../../contract/groups.ts";
import { base, fakeSource, guidOf, useFakeServers } from "../../support/fake-directory.ts";
import { fullRequest } from "../../support/requests.ts";

const start = useFakeServers();
const domain = "DC=corp,DC=example,DC=test";
const groups = { bases: [domain], filter: undefined, exclude: [], kinds: [] } as const;

it("a server that does not know extended DNs is asked for the members by name, and one that is not found keeps a key of its own", async () => {
	const members = [`CN=P1,${base}`, `CN=P2,${base}`, "CN=Far,DC=elsewhere"];
	const { url } = await start({
		people: (_, reply) => reply.done({ cookie: "" }),
		other: (came, reply) => {
			if (came.base !== domain || came.scope !== 2) return false;
			const asks = Buffer.from(came.filter).toString("latin1");
			if (asks.includes("distinguishedName")) {
				// In another order, and spelled in another way.
				for (const n of [2, 1]) reply.entry(`cn=p${n}, ${base}`, { objectGUID: guidOctets(guidOf(n)) as Uint8Array });
				reply.done();
			} else {
				const isWhole = came.attributes.some((name) => name.startsWith("member"));
				const objectGUID = guidOctets(guidOf(50)) as Uint8Array;
				if (asks.includes("group"))
					reply.entry(`CN=Team,${domain}`, { objectGUID, objectClass: ["top", "group"], ...(isWhole && { member: members }) });
				reply.done({ cookie: "" });
			}
			return true;
		},
	});
	const source = fakeSource(url, { groups });
	const all = await readWithGroups(source, fullRequest());
	expect(all.end.unsealed).toEqual([]);
	const [team] = [...all.groups.values()];
	expect(team && memberDns(team)).toHaveLength(3);
	const known = knowing(all);
	for (const n of [1, 2]) expect(known(guidOctets(guidOf(n)) as Uint8Array)).toBe("other");
	const again = await readWithGroups(source, fullRequest());
	expect([...(again.groups.get(guidOf(50) as never)?.members.keys() ?? [])]).toEqual([...(team?.members.keys() ?? [])]);
});
