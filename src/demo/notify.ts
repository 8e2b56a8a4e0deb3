import { BerWriter } from "../lib/ber.ts";
import { locate } from "./base.ts";
import { type Session, selectionFor, sightFor } from "./host.ts";
import type { Control, SearchRequest } from "./request.ts";
import { writeEntry } from "./response.ts";
import { refuse } from "./result.ts";
import { controlOid } from "./rootdse.ts";
import { finish, type SearchTask, showsDeleted } from "./search.ts";
import { type AdObject, keyOf } from "./store.ts";
import { dueAfter, strike } from "./strike.ts";

export function isStanding(controls: readonly Control[]): boolean {
	return controls.some(({ oid }) => oid === controlOid.notification);
}

/**
 * A search with the change notification control (MS-ADTS §3.1.1.3.4.1.9): it is not answered; from now on each object within it
 * that changes is sent as it then is, until the client abandons it or leaves. Deleted objects only with control 417, as on Samba.
 */
export async function standBy(session: Session, { id, request, controls, signal, armedFor }: SearchTask): Promise<void> {
	const { store } = session.host;
	if (session.account === undefined)
		refuse(
			"operationsError",
			"000004DC: LdapErr: DSID-0C090A5C, comment: a successful bind must be completed on the connection., data 0, v1db1",
		);
	if (request.filter.kind !== "present" || request.filter.attribute.toLowerCase() !== "objectclass") {
		refuse(
			"unwillingToPerform",
			"00002077: LdapErr: DSID-0C0907B1, comment: notification takes no other filter than (objectClass=*), data 0, v1db1",
		);
	}
	const base = locate(store, request.base, sightFor(session, showsDeleted(controls)));
	if ("code" in base) return finish(session, id, base);
	const due = dueAfter(armedFor(1), 0);
	const blow = due === undefined ? undefined : await strike(session, due);
	if (blow !== undefined) return blow.kind === "answer" ? finish(session, id, blow.end) : undefined;

	// Once each, however often it changed since it was sent last: a client that does not read costs no memory.
	const changed = new Set<AdObject>();
	let wake = (): void => {};
	const watcher = (object: AdObject): void => {
		if (!isWithin(object, base, request.scope)) return;
		changed.add(object);
		wake();
	};
	store.watchers.add(watcher);
	signal.addEventListener("abort", () => wake(), { once: true });
	try {
		while (!signal.aborted) {
			if (changed.size === 0) await new Promise<void>((resolve) => (wake = resolve));
			for (const object of changed) {
				changed.delete(object);
				if (!signal.aborted) await send(session, id, request, controls, object);
			}
		}
	} finally {
		store.watchers.delete(watcher);
	}
}

async function send(session: Session, id: number, request: SearchRequest, controls: readonly Control[], object: AdObject): Promise<void> {
	const sight = sightFor(session, showsDeleted(controls));
	if (!sight.canSee(object)) return;
	const writer = new BerWriter(4096);
	const selection = selectionFor(session.host, request, "plain");
	writeEntry(writer, id, object.dn, selection.encode(object, sight.hiddenOn(object)));
	await session.out.send(writer.finish());
}

function isWithin(object: AdObject, base: AdObject, scope: SearchRequest["scope"]): boolean {
	if (scope === "base") return object === base;
	if (scope === "one") return object.parent === base;
	return object.context === base.context && (base.context === base || keyOf(object).startsWith(keyOf(base)));
}
