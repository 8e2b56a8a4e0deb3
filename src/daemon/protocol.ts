import type { DeliveryNews, Engine, Listener, SyncRequest } from "../engine.ts";
import type { Progress, RevertRequest, RunBegun } from "../sync/report.ts";
import type { CrossingError } from "./crossing.ts";

/** What the daemon may ask of the engine in its thread, and the answers; see `Engine` for what they mean. */
export interface EngineCalls {
	sync(request: SyncRequest): ReturnType<Engine["sync"]>;
	approve(request: { readonly plan: string; readonly by: string }): ReturnType<Engine["approve"]>;
	reject(request: { readonly plan: string; readonly by: string }): ReturnType<Engine["reject"]>;
	revert(request: { readonly request: RevertRequest; readonly by: string }): ReturnType<Engine["revert"]>;
	preview(request: { readonly request: RevertRequest; readonly most: number }): ReturnType<Engine["preview"]>;
	explain(request: { readonly user: string }): ReturnType<Engine["explain"]>;
	unpin(request: { readonly user: string; readonly by: string }): ReturnType<Engine["unpin"]>;
	/** Ends only by failing; each time it is woken, it says so. */
	watch(request: { readonly source: string }): ReturnType<Engine["watch"]>;
	deliver(request: undefined): Promise<ReturnType<Engine["deliver"]>>;
	forget(request: { readonly target: string; readonly user: string | undefined; readonly by: string }): ReturnType<Engine["forget"]>;
	readBack(request: { readonly target: string; readonly by: string | undefined }): ReturnType<Engine["readBack"]>;
	nextDelivery(request: undefined): Promise<ReturnType<Engine["nextDelivery"]>>;
	retain(request: undefined): Promise<ReturnType<Engine["retain"]>>;
	backUp(request: string): Promise<void>;
}

/** What the engine says of itself, besides its answers. */
export interface EngineListener extends Required<Listener> {
	/** Something may have changed in a source that is watched. */
	woken(source: string): void;
	/** What came of deliveries. */
	delivered(news: DeliveryNews): void;
	/** What went wrong with them that is no target's fault. */
	deliveryError(error: Error, about: Pick<DeliveryNews, "target" | "run">): void;
}

export type CallName = keyof EngineCalls;
export type CallRequest<Name extends CallName> = Parameters<EngineCalls[Name]>[0];
export type CallAnswer<Name extends CallName> = Awaited<ReturnType<EngineCalls[Name]>>;

export type ToEngine =
	| {
			readonly [Name in CallName]: { readonly kind: "call"; readonly id: number; readonly name: Name; readonly request: CallRequest<Name> };
	  }[CallName]
	| { readonly kind: "abort"; readonly id: number }
	/** Whether its event loop turns: `alive` is the answer. */
	| { readonly kind: "ask" }
	/** Ends what is going on between two writes, closes the database and ends the thread. */
	| { readonly kind: "close" };

export type FromEngine =
	| { readonly kind: "opened" }
	| { readonly kind: "alive" }
	| { readonly kind: "refused"; readonly error: CrossingError }
	| { readonly kind: "begun"; readonly run: RunBegun }
	| { readonly kind: "progress"; readonly progress: Progress }
	| { readonly kind: "ldap"; readonly source: string; readonly operation: string; readonly seconds: number }
	| { readonly kind: "certificate"; readonly source: string; readonly expiresAt: number }
	| { readonly kind: "woken"; readonly source: string }
	| { readonly kind: "delivered"; readonly news: DeliveryNews }
	| { readonly kind: "delivery-error"; readonly error: CrossingError; readonly about: Pick<DeliveryNews, "target" | "run"> }
	| { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
	| { readonly kind: "error"; readonly id: number; readonly error: CrossingError };
