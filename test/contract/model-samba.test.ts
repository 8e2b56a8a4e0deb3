import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { modelContract } from "./model.ts";
import { directoryOnSamba } from "./samba.ts";

describeWith(["samba"], "the engine on a Samba domain controller", () => {
	const samba = useSamba();
	modelContract(() => directoryOnSamba(samba()), 150);
});
