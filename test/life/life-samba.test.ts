import { directoryOnSamba } from "../contract/samba.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { lifeContract } from "./life.ts";

describeWith(["samba"], "following a Samba domain controller", () => {
	const samba = useSamba();
	lifeContract(() => directoryOnSamba(samba()));
});
