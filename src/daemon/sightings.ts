import { type MatterDetail, PAGE } from "../core/matter.ts";
import { levelOf, type Sighting } from "../core/matters.ts";
import type { Notices } from "../store/notices.ts";
import type { SourceView, TargetView } from "../store/views.ts";
import type { Overview } from "./overview.ts";

export interface SightingsParts {
	readonly overview: Pick<Overview, "state" | "lastRun" | "hasRun" | "trouble">;
	readonly notices: Pick<Notices, "heldOf" | "asideOf" | "unsealedOf">;
	/** Sources whose held plan somebody approved or rejected since it was last seen; taken out at the next look. */
	readonly decided: Set<string>;
	/** When the certificate of a source's server expires, Unix milliseconds; undefined: nobody has seen one since the start. */
	readonly certificateOf: (source: string) => number | undefined;
	/** When the certificate expires that the page shows; undefined: it shows none. */
	readonly pageCertificate: () => number | undefined;
}

/** What there is to be told of, from what the daemon knows anyway. */
export function makeSightings({ overview, notices, decided, certificateOf, pageCertificate }: SightingsParts) {
	/** What is held is read anew only when something may have become of it: it may be a hundred thousand. */
	const held = new Map<string, { readonly seen: string; readonly sighting: Sighting }>();

	const heldOf = (view: SourceView): Sighting => {
		const { source } = view;
		const run = overview.lastRun(source);
		const seen = JSON.stringify([run?.run, run?.endedAt, view.held]);
		const known = held.get(source);
		// A decision may have been seen before it was said.
		const isDecided = decided.delete(source);
		if (known?.seen === seen && !isDecided) return known.sighting;
		const plan = notices.heldOf(source);
		const sighting: Sighting =
			plan === undefined ? absent("held", source, isDecided) : { ...there(source, plan.detail, run?.run), since: plan.since };
		held.set(source, { seen, sighting });
		return sighting;
	};

	const ofSource = (view: SourceView, now: number): readonly Sighting[] => {
		const { source } = view;
		return [
			heldOf(view),
			// A run that ended with the daemon before us failed, and says nothing about its source: soon one of our own does.
			...(overview.hasRun(source) ? failureOf(view, overview.lastRun(source)) : []),
			...(view.sealed === undefined ? [] : [view.sealed ? absent("unsealed", source) : unsealed(source)]),
			view.quarantined === 0
				? absent("quarantine", source)
				: there(source, { kind: "quarantine", count: view.quarantined, first: notices.asideOf(source) }, overview.lastRun(source)?.run),
			...certificate(source, certificateOf(source), now),
		];
	};

	const unsealed = (source: string): Sighting =>
		there(source, { kind: "unsealed", reasons: notices.unsealedOf(source) }, overview.lastRun(source)?.run);

	/** `now`: Unix milliseconds. Nothing, when the database cannot be read: then nobody knows. */
	return (now: number): readonly Sighting[] => {
		const { sources, targets } = overview.state();
		if (overview.trouble() !== undefined) return [];
		return [...sources.flatMap((view) => ofSource(view, now)), ...targets.map(ofTarget), ...certificate(PAGE, pageCertificate(), now)];
	};
}

function certificate(about: string, expiresAt: number | undefined, now: number): readonly Sighting[] {
	if (expiresAt === undefined) return [];
	return [levelOf(expiresAt, now) === undefined ? absent("certificate", about) : there(about, { kind: "certificate", expiresAt })];
}

function failureOf({ source, lastSuccess }: SourceView, run: ReturnType<Overview["lastRun"]>): readonly Sighting[] {
	if (run === undefined) return [];
	if (run.outcome !== "failed") return [absent("failed", source)];
	const { full, delta } = lastSuccess;
	const lastSuccessAt = full === undefined ? delta : Math.max(full, delta ?? full);
	const because = run.error ?? "no reason was recorded";
	const detail = { kind: "failed", runs: 1, because, hint: run.hint, lastSuccessAt } as const;
	return [{ ...there(source, detail, run.run), since: run.endedAt, runAt: run.endedAt }];
}

function ofTarget({ target, trouble, pending }: TargetView): Sighting {
	if (trouble === undefined) return absent("target", target);
	const { because, hint, since, retryAt } = trouble;
	return { ...there(target, { kind: "target", because, hint, pending, retryAt }), since };
}

function there(about: string, detail: MatterDetail, run?: number): Sighting & { readonly isThere: true } {
	return { kind: detail.kind, about, isThere: true, detail, since: undefined, run, runAt: undefined };
}

function absent(kind: MatterDetail["kind"], about: string, isFinal = false): Sighting {
	return { kind, about, isThere: false, isFinal };
}
