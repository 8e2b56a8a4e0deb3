import { directoryOnSamba } from "../contract/samba.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { deliveryContract } from "./delivery.ts";

describeWith(["samba"], "from a Samba domain controller", () => {
	const samba = useSamba();
	deliveryContract(() => directoryOnSamba(samba()));
});
