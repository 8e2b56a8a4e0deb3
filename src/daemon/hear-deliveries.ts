import type { DeliveryNews } from "../engine.ts";
import type { DeliveryCount } from "../sync/report.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

interface Parts {
	readonly metrics: Pick<Metrics, "observeDeliveries" | "observeTarget">;
	readonly log: Log;
	readonly clock: () => number;
}

/** A first delivery of a large directory takes hours: this is how often it says how far it is. */
const SAY_EVERY_MS = 30_000;

/** Counts and logs what the engine tells of deliveries: one line for many, and for a target in trouble one for all of its trouble. */
export function hearDeliveries({ metrics, log, clock }: Parts) {
	const passes = new Map<string, { readonly since: number; saidAt: number; counts: Record<string, number> }>();

	const delivered = ({ target, counts, run, pending, end }: DeliveryNews): void => {
		metrics.observeDeliveries(counts);
		const now = clock();
		/** The deliveries of a pass follow a run, except for those that are tried again after a start. */
		const name = { ...(run !== undefined && { run }), target };
		const pass = passes.get(target) ?? { since: now, saidAt: now, counts: {} };
		passes.set(target, pass);
		for (const each of counts) {
			const key = nameOf(each);
			pass.counts[key] = (pass.counts[key] ?? 0) + each.count;
		}
		const hasAnswered = counts.some(({ result }) => result !== "later");
		const hasRecovered = end?.kind === "recovered" || (end?.kind === "done" && end.hasRecovered);
		if (end?.kind === "trouble") metrics.observeTarget(target, false);
		else if (hasAnswered || hasRecovered) metrics.observeTarget(target, true);
		if (hasRecovered) log.info(name, "target takes deliveries again");
		if (end === undefined || end.kind === "recovered") {
			if (now - pass.saidAt < SAY_EVERY_MS) return;
			pass.saidAt = now;
			log.info({ ...name, ...pass.counts, pending }, "delivering");
			return;
		}
		passes.delete(target);
		const hasTrouble = Object.keys(pass.counts).some((key) => key.endsWith("refused"));
		const isLong = pass.saidAt !== pass.since;
		// What a run waited for is in the run's own line.
		if (Object.keys(pass.counts).length > 0) {
			log[hasTrouble ? "warn" : isLong ? "info" : "debug"](
				{ ...name, ...pass.counts, pending, durationS: Math.round((now - pass.since) / 1000) },
				"delivered",
			);
		}
		if (end.kind === "trouble") {
			const { because, hint, retryAt, isNew } = end;
			log[isNew ? "warn" : "debug"]({ ...name, because, hint, retryAt: new Date(retryAt).toISOString() }, "target takes nothing");
		}
	};

	return {
		delivered,
		deliveryError: (err: Error, { target, run }: Pick<DeliveryNews, "target" | "run">): void =>
			log.error({ ...(run !== undefined && { run }), target, err }, "delivering failed; it is tried again"),
	};
}

const words = { create: "created", update: "updated", disable: "disabled", enable: "enabled", delete: "deleted" } as const;

function nameOf({ kind, result }: DeliveryCount): string {
	return result === "applied" ? words[kind] : `${kind} ${result}`;
}
