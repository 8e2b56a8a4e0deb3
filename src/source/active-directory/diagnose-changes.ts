import { type Finding, passed, warned } from "../ldap/diagnose.ts";
import { resultName } from "../ldap/result.ts";
import { showDeleted } from "../ldap/wire/encode.ts";
import { deletedObjectsDn, seesDeletedObjects } from "./deleted.ts";
import { offersDirSync, takeCookies } from "./dirsync.ts";
import type { Changes } from "./strategy.ts";
import type { Visit } from "./visit.ts";

/** How changes will be found, and why so. `refusal`: what no delta can see, if there is something. */
export async function* diagnoseChanges(visit: Visit, changes: Changes, refusal: string | undefined): AsyncGenerator<Finding, void> {
	const { root, session } = visit;
	const { server } = session;
	if (root.invocationId === undefined || root.highestUsn === undefined) {
		yield warned(
			"changes",
			server,
			"does not show invocationId and highestCommittedUSN",
			"Every reading will be a full one: give the account the right to read the configuration.",
		);
		return;
	}
	yield passed("changes", server, `${root.hostName ?? "it"} is at USN ${root.highestUsn}, invocationId ${root.invocationId}`);
	if (changes === "full") yield passed("changes", "strategy", "full readings only, as the configuration wants");
	else if (refusal !== undefined) {
		yield warned(
			"changes",
			"strategy",
			`full readings only: ${refusal}`,
			"Do without it, or have full readings often enough (schedule.full).",
		);
	} else if (changes === "usn") yield passed("changes", "strategy", "uSNChanged, as the configuration wants");
	else yield await diagnoseDirSync(visit, changes);
}

async function diagnoseDirSync(visit: Visit, changes: "auto" | "dirsync"): Promise<Finding> {
	if (!offersDirSync(visit)) {
		const detail = "uSNChanged: the server does not offer DirSync";
		return changes === "auto" ? passed("changes", "strategy", detail) : warned("changes", "strategy", detail, "Set changes: auto.");
	}
	const taken = await takeCookies(visit, "all");
	if (!("kind" in taken)) return passed("changes", "strategy", "DirSync: this account may replicate changes");
	const why = `this account may not replicate changes, ${resultName(taken.result.code)}`;
	if (changes === "auto") return passed("changes", "strategy", `uSNChanged: ${why}`);
	const domain = visit.root.domains[0]?.dn ?? "";
	return warned(
		"changes",
		"strategy",
		`DirSync without the right to replicate: ${why}, so that only what it may read is told`,
		`As a domain administrator: dsacls "${domain}" /G "DOMAIN\\ACCOUNT:CA;Replicating Directory Changes" (dirsyncd check --delegation prints it with the account). Or set changes: auto.`,
	);
}

/** Whether deletions come with the next delta, or wait for a full reading. */
export async function diagnoseDeleted(visit: Visit): Promise<Finding> {
	const subject = deletedObjectsDn(visit.root.domains[0]?.dn ?? "");
	if (!visit.root.controls.has(showDeleted.oid) || !(await seesDeletedObjects(visit))) {
		return warned(
			"deleted",
			subject,
			"cannot be read: deletions wait for the next full reading, are concluded from its being complete, and doubted where a container is empty",
			`As a domain administrator: dsacls "${subject}" /takeOwnership, then dsacls "${subject}" /G DOMAIN\\ACCOUNT:LCRP (dirsyncd check --delegation prints them with the account)`,
		);
	}
	return passed("deleted", subject, "can be read: a deletion comes with the next delta, proven by its tombstone");
}
