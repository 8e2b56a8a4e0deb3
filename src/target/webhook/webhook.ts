import { Failure } from "../../core/errors.ts";
import { digest } from "../../lib/digest.ts";
import { waitReally } from "../../lib/waiting.ts";
import { openWire } from "../http/wire.ts";
import type { Delivery, DeliveryResult, GroupTarget, Target } from "../target.ts";
import { accountEvent, type CloudEvent, groupEvent } from "./event.ts";
import type { WebhookOptions } from "./options.ts";
import { type Message, makeSender, type Outcome, type Surroundings } from "./sender.ts";

/** So many events in a row that came to nothing, and it is the receiver, not the accounts. */
const MOST_IN_VAIN = 5;

/**
 * A receiver of events: each change is POSTed until it is taken or refused, under an id that every try has. Nothing can be asked of
 * it, so that what an account is there is what was told last. Opens no connection before it is used.
 */
export function makeWebhookTarget(
	options: WebhookOptions,
	{ clock, random, wait = waitReally }: Omit<Surroundings, "wait"> & Partial<Surroundings>,
): Target {
	const { name, url, batch, concurrency } = options;
	const wire = openWire(options);
	const send = makeSender(options, wire, { clock, random, wait });
	const times = makeTimes(clock);
	let inVain = 0;

	/** The events of one message stand or fall together, but for those at fault: then each is sent by itself. */
	const deliver = async (events: readonly CloudEvent[], signal: AbortSignal): Promise<readonly Outcome[]> => {
		const outcome = await send(messageOf(events, batch), signal);
		if (outcome.kind === "refused" && events.length > 1) {
			const outcomes: Outcome[] = [];
			for (const event of events) outcomes.push(...(await deliver([event], signal)));
			return outcomes;
		}
		inVain = outcome.kind === "later" ? inVain + 1 : 0;
		if (outcome.kind === "later" && inVain >= MOST_IN_VAIN) {
			inVain = 0;
			throw new Failure("TARGET_UNREACHABLE", `${new URL(url).origin} takes nothing: ${outcome.error}`);
		}
		if (outcome.kind !== "later") for (const { id } of events) times.forget(id);
		return events.map(() => outcome);
	};

	const groups: GroupTarget = {
		memberBatch: 1000,
		apply: async (delivery, signal) => {
			const [outcome] = await deliver([groupEvent(name, delivery, times.of(delivery.key))], signal);
			return resultOf(delivery.anchor, outcome);
		},
		find: async () => undefined,
		// biome-ignore lint/correctness/useYield: there is nothing to yield
		async *list() {
			throw new Failure("TARGET_LISTING_PARTIAL", `${name} is a webhook, which cannot be asked what it has`);
		},
	};

	return {
		name,
		batch,
		lanes: concurrency,
		announcesCreates: false,
		managerBy: "anchor",
		apply: async (deliveries, signal) => {
			if (deliveries.length === 0) return [];
			const events = deliveries.map((delivery) => accountEvent(name, delivery, times.of(delivery.key)));
			const outcomes = await deliver(events, signal);
			return deliveries.map(({ anchor }: Delivery, index) => resultOf(anchor, outcomes[index]));
		},
		find: async () => undefined,
		reader: undefined,
		groups,
		close: () => wire.close(),
	};
}

function resultOf(anchor: string, outcome: Outcome | undefined): DeliveryResult {
	if (outcome === undefined) throw new Error("an event without an outcome");
	return outcome.kind === "taken" ? { kind: "applied", remoteId: anchor } : outcome;
}

/** Structured or batched content mode (CloudEvents 1.0, HTTP protocol binding §3.2 and §3.3). */
function messageOf(events: readonly CloudEvent[], batch: number): Message {
	const [first] = events;
	if (first !== undefined && batch === 1) {
		return { id: first.id, mediaType: "application/cloudevents+json; charset=utf-8", body: JSON.stringify(first) };
	}
	const id = events.length === 1 ? (first as CloudEvent).id : digest(events.map((event) => event.id).join("\n")).toString("hex");
	return { id, mediaType: "application/cloudevents-batch+json; charset=utf-8", body: JSON.stringify(events) };
}

/** Past so many, the oldest are forgotten. */
const MOST_TIMES = 10_000;

/** When each event was sent first: receivers that know an id again may want the body to be the same. */
function makeTimes(clock: () => number) {
	const times = new Map<string, number>();
	return {
		of: (id: string): number => {
			const known = times.get(id);
			if (known !== undefined) return known;
			const at = clock();
			times.set(id, at);
			const [oldest] = times.keys();
			if (times.size > MOST_TIMES && oldest !== undefined) times.delete(oldest);
			return at;
		},
		forget: (id: string): void => void times.delete(id),
	};
}
