import { Failure } from "../../core/errors.ts";
import { type Finding, failed, passed } from "./diagnose.ts";
import type { Sighting, WantedGroup } from "./wanted-group.ts";

/** Whether a group that a rule names is there. */
export function diagnoseWantedGroup({ text }: WantedGroup, sighting: Sighting<{ readonly dn: string }>): Finding {
	switch (sighting.kind) {
		case "found":
			return passed("group", text, `of a rule is there: ${sighting.group.dn}`);
		case "missing":
			return failed(
				"group",
				text,
				new Failure("SOURCE_BASE_MISSING", `the group "${text}" that a rule names is not there, or not visible to this account`, {
					hint: "Check its spelling, whether it was deleted, renamed or moved, and the service account's right to read it.",
				}),
			);
		case "unclear":
			return failed("group", text, new Failure("SOURCE_BASE_MISSING", sighting.because, { hint: sighting.remedy }));
	}
}
