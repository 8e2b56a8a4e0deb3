import type { MessagePort } from "node:worker_threads";
import { Failure, unreachable } from "../core/errors.ts";
import type { Beside, Engine } from "../engine.ts";
import { packError } from "./crossing.ts";
import type { EngineListener, FromEngine, ToEngine } from "./protocol.ts";

type Call = Extract<ToEngine, { kind: "call" }>;

/** How long a run waits for what it wants delivered, in milliseconds. Its source is to be read again soon: who leaves must not wait for a target. */
const SCHEDULED_PATIENCE_MS = 2000;
/** Somebody is waiting for it, to see what came of it. */
const ASKED_PATIENCE_MS = 30_000;

/** Serves an engine to the daemon over a port, in the engine's own thread: its long synchronous work holds up nobody else. */
export function serveEngine(port: MessagePort, open: (beside: Beside) => Engine): void {
	const say = (message: FromEngine): void => port.postMessage(message);
	const beside: Beside = {
		patienceMs: (trigger) =>
			trigger === "api" || trigger === "approve" || trigger === "revert" ? ASKED_PATIENCE_MS : SCHEDULED_PATIENCE_MS,
		onNews: (news) => say({ kind: "delivered", news }),
		onError: (error, about) => say({ kind: "delivery-error", error: packError(error), about }),
	};
	const engine = tryOpen(() => open(beside), say, port);
	if (engine === undefined) return;
	const underway = new Map<number, { readonly abort: AbortController; readonly ended: Promise<void> }>();
	const listener: Omit<EngineListener, "delivered" | "deliveryError"> = {
		begun: (run) => say({ kind: "begun", run }),
		progress: (progress) => say({ kind: "progress", progress }),
		ldap: (source, operation, seconds) => say({ kind: "ldap", source, operation, seconds }),
		certificate: (source, expiresAt) => say({ kind: "certificate", source, expiresAt }),
		woken: (source) => say({ kind: "woken", source }),
	};

	const serve = async (call: Call, signal: AbortSignal): Promise<void> => {
		const { id } = call;
		try {
			say({ kind: "answer", id, answer: await answer(engine, call, listener, signal) });
		} catch (error) {
			say({ kind: "error", id, error: packError(error) });
		} finally {
			underway.delete(id);
		}
	};

	const close = async (): Promise<void> => {
		for (const { abort } of underway.values()) abort.abort(new Failure("CANCELLED", "stopped because the daemon is ending"));
		await Promise.all([...underway.values()].map(({ ended }) => ended));
		await engine.close();
		port.close();
	};

	port.on("message", (message: ToEngine) => {
		switch (message.kind) {
			case "call": {
				const abort = new AbortController();
				underway.set(message.id, { abort, ended: serve(message, abort.signal) });
				return;
			}
			case "abort":
				underway.get(message.id)?.abort.abort(new Failure("CANCELLED", "stopped because the daemon is ending"));
				return;
			case "ask":
				return say({ kind: "alive" });
			case "close":
				void close();
				return;
			default:
				unreachable(message);
		}
	});
	say({ kind: "opened" });
}

function tryOpen(open: () => Engine, say: (message: FromEngine) => void, port: MessagePort): Engine | undefined {
	try {
		return open();
	} catch (error) {
		say({ kind: "refused", error: packError(error) });
		port.close();
		return undefined;
	}
}

async function answer(
	engine: Engine,
	call: Call,
	listener: Omit<EngineListener, "delivered" | "deliveryError">,
	signal: AbortSignal,
): Promise<unknown> {
	switch (call.name) {
		case "sync":
			return engine.sync(call.request, listener, signal);
		case "approve":
			return engine.approve(call.request.plan, call.request.by, listener, signal);
		case "reject":
			return engine.reject(call.request.plan, call.request.by);
		case "revert":
			return engine.revert(call.request.request, call.request.by, listener, signal);
		case "preview":
			return engine.preview(call.request.request, call.request.most, signal);
		case "explain":
			return engine.explain(call.request.user, signal);
		case "unpin":
			return engine.unpin(call.request.user, call.request.by);
		case "watch": {
			const { source } = call.request;
			return engine.watch(source, () => listener.woken(source), signal);
		}
		case "deliver":
			return engine.deliver();
		case "forget":
			return engine.forget(call.request.target, call.request.user, call.request.by);
		case "readBack":
			return engine.readBack(call.request.target, call.request.by, signal);
		case "nextDelivery":
			return engine.nextDelivery();
		case "retain":
			return engine.retain();
		case "backUp":
			return engine.backUp(call.request);
		default:
			return unreachable(call);
	}
}
