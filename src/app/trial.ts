import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import type { TargetConfig } from "../config/target-config.ts";
import { withoutSecrets } from "../config/without-secrets.ts";
import { Failure } from "../core/errors.ts";
import type { Trial } from "../engine.ts";
import { openReadOnly } from "../store/database.ts";
import { makeIds, openSession } from "../store/session.ts";
import type { RunContext } from "../sync/planned.ts";
import { hasView } from "../sync/views.ts";
import { whatIf } from "../sync/whatif.ts";
import { makeSync, namesOfViews, type Surroundings, unknownSource } from "./parts.ts";

/** Opens the database read-only for a configuration to be tried on it. Throws NOT_FOUND where there is none. */
export function openTrial(config: Config, options: Surroundings): Trial {
	if (!existsSync(config.database)) {
		throw new Failure("NOT_FOUND", `there is no database ${config.database}`, { hint: "Name it, or a copy of it, by --database FILE." });
	}
	const db = openReadOnly(config.database);
	const session = openSession(db, makeIds(db));
	const names = config.targets.map(({ name }) => name);
	session.ledger.readTargets(names, namesOfViews(config));
	return {
		whatIf: async (name, on, signal) => {
			const settings = config.sources.find((each) => each.name === name);
			if (settings === undefined) throw unknownSource(config.sources, name);
			const { source, knowsIdentity } = withoutSecrets(settings);
			const sync = makeSync(config, source, options, { by: on });
			const own = config.targets.flatMap(({ name, mapping }) => (mapping === undefined ? [] : [{ name, mapping }]));
			const at = new Map(own.map((target) => [target.name, { ...source.mapping, ...target.mapping }]));
			const newTargets = unknownTargets()
				.filter((target) => !hasView(target))
				.map((target) => target.name);
			const terms = { newTargets, knowsIdentity, scopeGroups: source.users.groups, protect: config.protect };
			const context: RunContext = { session, sync, clock: options.clock, onProgress: (progress) => on.progress(progress) };
			return whatIf(context, { ...terms, templates: { everywhere: source.mapping, at } }, signal);
		},
		notes: () => [
			...without(session.snapshot.sourceNames(), config.sources).map(
				(name) => `source ${name} is not in the configuration any more: its accounts stay as they are, and nothing is read of it`,
			),
			...without(session.ledger.everyName(), config.targets).map(
				(name) => `target ${name} is not in the configuration any more: its accounts stay there as they are`,
			),
			...unknownTargets().map(({ name }) => `target ${name} is new: what is there already is known only when something is delivered`),
		],
		close: () => session.close(),
	};

	function unknownTargets(): readonly TargetConfig[] {
		const known = session.ledger.everyName();
		return config.targets.filter(({ name }) => !known.includes(name));
	}
}

function without(names: readonly string[], those: readonly { readonly name: string }[]): readonly string[] {
	return names.filter((name) => !those.some((each) => each.name === name));
}
