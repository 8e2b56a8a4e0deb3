import { Client } from "ldapts";
import { parentDn, parseDn } from "../../src/core/dn.ts";
import type { Demo } from "../../src/demo/demo.ts";
import type { Changes } from "../../src/source/active-directory/strategy.ts";
import type { Record } from "../support/ldif.ts";
import { noTls } from "../support/tls.ts";
import type { Directory } from "./directory.ts";

/** Written to without LDAP, and looked into by ldapts: neither is what our source reads with. */
export function directoryOnDemo(demo: Demo, changes: Changes = "auto"): Directory {
	const { directory, baseDn } = demo;
	return {
		baseDn,
		domain: "corp.example.com",
		connection: {
			urls: [demo.url],
			bind: { user: demo.bindUser, password: demo.bindPassword },
			insecure: true,
			changes,
			tls: noTls,
		},
		add: async (dn, values) => {
			directory.add(dn, values);
		},
		modify: async (dn, values) => directory.modify(dn, values),
		move: async (dn, newDn) => {
			const parent = parentDn(newDn) as string;
			const guid = `<GUID=${directory.get(dn)?.guid}>`;
			const name = parseDn(newDn)[0]?.[0]?.value as string;
			if (parseDn(dn)[0]?.[0]?.value !== name) directory.rename(guid, name);
			if (parentDn(dn) !== parent) directory.move(guid, parent);
		},
		remove: async (dn) => directory.delete(dn),
		search: async (base, filter, attributes): Promise<Record[]> => {
			const client = new Client({ url: demo.url, timeout: 10_000 });
			try {
				await client.bind(demo.admin.user, demo.admin.password);
				const explicitBufferAttributes = ["objectGUID", "objectSid"];
				const paged = { pageSize: 500 };
				const { searchEntries } = await client.search(base, {
					scope: "sub",
					filter,
					attributes: [...attributes],
					timeLimit: 0,
					paged,
					explicitBufferAttributes,
				});
				return searchEntries.map(({ dn, ...values }) => ({
					dn,
					attributes: new Map(
						Object.entries(values).map(([name, value]) => [name.toLowerCase(), [value].flat().map((one) => Buffer.from(one as string))]),
					),
				}));
			} finally {
				await client.unbind();
			}
		},
	};
}
