import { checkBelonging } from "./belonging.ts";
import { checkCertificates } from "./certificates.ts";
import { checkBind } from "./credentials.ts";
import type { ConfigDocument } from "./document.ts";
import type { Environment } from "./expand.ts";
import type { Flaw } from "./formats.ts";
import { type Gathering, isMap, isOn, listAt, textAt } from "./gathering.ts";
import { shownValue } from "./issues.ts";
import { checkListener } from "./listener.ts";
import { checkChannels } from "./notify.ts";
import { type Path, type Problem, showPath } from "./problem.ts";
import { checkRules } from "./rules.ts";
import { checkScope, checkSplitDns } from "./scope.ts";
import type { Secret } from "./secret.ts";
import { checkServers } from "./servers.ts";
import { checkTargets } from "./targets.ts";
import { checkUnseen } from "./unseen.ts";
import { valueAt } from "./values.ts";
import { laterType } from "./vocabulary.ts";

export interface Semantics {
	readonly problems: readonly Problem[];
	/** Secrets that cannot be read. */
	readonly secretProblems: readonly Problem[];
	readonly warnings: readonly Problem[];
	/** Secrets read, by `showPath` of where they stand. */
	readonly secrets: ReadonlyMap<string, Secret>;
	/** Texts of the files that `tls.ca` and `tls.cert` name, by `showPath`. */
	readonly certificates: ReadonlyMap<string, string>;
}

/**
 * What two values together, a file or the environment have to say. Works on the values as they stand, whether or not the schema
 * found something wrong beside them, so that nothing hides anything.
 */
export function checkSemantics(document: ConfigDocument, environment: Environment, directory: string, now: number): Semantics {
	const problems: Problem[] = [];
	const secretProblems: Problem[] = [];
	const warnings: Problem[] = [];
	const about = (at: Path, { message, remedy }: Flaw): Problem => {
		return { ...document.placeOf(at), path: showPath(at), value: shownValue(document, at), message, remedy };
	};
	const aboutKey = (at: Path, { message, remedy }: Flaw): Problem => {
		const value = document.written(at) === undefined ? undefined : String(at.at(-1));
		return { ...document.placeOfKey(at), path: showPath(at), value, message, remedy };
	};
	const gathering: Gathering = {
		document,
		environment,
		directory,
		now,
		problem: (at, flaw) => problems.push(about(at, flaw)),
		keyProblem: (at, flaw) => problems.push(aboutKey(at, flaw)),
		secretProblem: (at, flaw) => secretProblems.push(about(at, flaw)),
		warn: (at, flaw) => warnings.push(about(at, flaw)),
		secrets: new Map(),
		certificates: new Map(),
	};
	checkListener(gathering);
	checkNames(gathering, "sources");
	checkNames(gathering, "targets");
	checkNames(gathering, "notify");
	checkTargets(gathering);
	checkChannels(gathering);
	checkRules(gathering);
	checkSplitDns(gathering, ["protect"]);
	checkMatch(gathering);
	const sources = [...listAt(gathering, ["sources"]).keys()].map((index) => ["sources", index]);
	for (const source of sources) checkSource(gathering, source);
	checkUnseen(gathering, sources);
	return { problems, secretProblems, warnings, secrets: gathering.secrets, certificates: gathering.certificates };
}

function checkNames(gathering: Gathering, section: "sources" | "targets" | "notify"): void {
	const seen = new Set<string>();
	for (const index of listAt(gathering, [section]).keys()) {
		const at = [section, index, "name"];
		const name = textAt(gathering, at);
		if (name === undefined) continue;
		const kind = { sources: "source", targets: "target", notify: "channel" }[section];
		if (seen.has(name.toLowerCase()))
			gathering.problem(at, { message: `there is another ${kind} of this name`, remedy: "give each its own name" });
		seen.add(name.toLowerCase());
	}
}

/** A field that the mapping leaves out matches nobody. */
function checkMatch(gathering: Gathering): void {
	const match = textAt(gathering, ["match"]);
	const field = match === "email" ? "emails.primary" : match;
	if (field === undefined || textAt(gathering, ["mapping", field]) !== "") return;
	gathering.warn(["match"], {
		message: `matches nobody: mapping leaves ${field} out`,
		remedy: `give mapping a ${field}, or match by another field`,
	});
}

function checkSource(gathering: Gathering, source: Path): void {
	// A source of a later type has keys of its own.
	const type = [...source, "type"];
	if (laterType(type, valueAt(gathering.document.values, type)) !== undefined) return;
	if (!isMap(valueAt(gathering.document.values, source))) return;
	checkBelonging(gathering, source);
	checkServers(gathering, source);
	checkScope(gathering, source);
	checkBind(gathering, source);
	checkCertificates(gathering, source);
	checkWatch(gathering, source);
}

/** A notification wakes a delta: without deltas, every change in the directory would wake a full reading. */
function checkWatch(gathering: Gathering, source: Path): void {
	if (!isOn(gathering, [...source, "watch"]) || textAt(gathering, [...source, "changes"]) !== "full") return;
	const message = "watch wakes a delta, and with changes: full there is none";
	gathering.problem([...source, "watch"], { message, remedy: "leave out one of the two" });
}
