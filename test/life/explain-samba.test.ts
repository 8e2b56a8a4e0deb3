import { directoryOnSamba } from "../contract/samba.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { explainContract } from "./explain.ts";

describeWith(["samba"], "explaining people of a Samba domain controller", () => {
	const samba = useSamba();
	explainContract(() => directoryOnSamba(samba()));
});
