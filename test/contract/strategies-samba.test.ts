import { afterAll, beforeAll, describe } from "vitest";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import type { LdapUser } from "../support/samba-tools.ts";
import { placesOf } from "./population.ts";
import { directoryOnSamba } from "./samba.ts";
import { changesContract } from "./source.ts";

/** DS-Replication-Get-Changes (MS-ADTS §5.1.3.2.1). */
const REPLICATE = "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2";

describeWith(["samba"], "changes on a Samba domain controller", () => {
	const samba = useSamba();
	const accounts = new Map<string, LdapUser>();
	beforeAll(async () => {
		for (const logon of ["svc-deleted", "svc-replica"]) {
			const password = `Passw0rd.of.${logon}`;
			await samba().tool("user", "create", logon, password);
			const sid = await samba().sidOf(logon);
			await samba().grantDeleted(sid);
			if (logon === "svc-replica") await samba().grant(samba().baseDn, `(OA;;CR;${REPLICATE};;${sid})`);
			accounts.set(logon, { user: `${logon}@${samba().realm}`, password });
		}
	}, 60_000);

	describe.each([
		{ by: "uSNChanged with the right to see deleted objects", logon: "svc-deleted", strategy: "uSNChanged with deletions" },
		{ by: "DirSync, taken because the account may replicate", logon: "svc-replica", strategy: "DirSync with deletions" },
	])("by $by", ({ logon, strategy }) => {
		const directory = () => directoryOnSamba(samba(), accounts.get(logon));
		afterAll(() => samba().removeTree(placesOf(directory()).root), 60_000);
		changesContract(directory, strategy);
	});
});
