import { beforeAll, describe } from "vitest";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import type { LdapUser } from "../support/samba-tools.ts";
import { modelContract } from "./model.ts";
import { directoryOnSamba } from "./samba.ts";

/** DS-Replication-Get-Changes (MS-ADTS §5.1.3.2.1). */
const REPLICATE = "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2";

/** 1,000 by hand: DIRSYNCD_TEST_STEPS=1000, with any DIRSYNCD_TEST_SEED. */
const steps = (inCi: number): number => Number(process.env["DIRSYNCD_TEST_STEPS"] ?? inCi);

describeWith(["samba"], "the engine on a Samba domain controller", () => {
	describe.each([
		{ by: "uSNChanged alone", rights: "none", catchUp: "full" },
		{ by: "uSNChanged and deleted objects", rights: "deleted", catchUp: "delta" },
		{ by: "DirSync", rights: "replicate", catchUp: "delta" },
	] as const)("by $by", ({ rights, catchUp }) => {
		const samba = useSamba();
		let account: LdapUser;
		beforeAll(async () => {
			account = samba().reader;
			if (rights === "none") return;
			const sid = await samba().sidOf("svc-dirsyncd");
			await samba().grantDeleted(sid);
			if (rights === "replicate") await samba().grant(samba().baseDn, `(OA;;CR;${REPLICATE};;${sid})`);
		}, 60_000);
		modelContract(() => directoryOnSamba(samba(), account), steps(100), catchUp);
	});
});
