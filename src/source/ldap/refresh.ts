import { resultFailure, resultName } from "./result.ts";
import type { SearchRequest } from "./wire/encode.ts";
import { describeSearch, type Session } from "./wire/session.ts";
import { syncDone, syncedUuid, syncInfo, syncRequest } from "./wire/sync.ts";

/** What became of a search's content since a cookie. */
export type Refresh =
	| {
			readonly kind: "changes";
			/** Those that were added or changed, as they are now. */
			readonly changed: readonly Uint8Array[];
			/** The entryUUIDs, 16 octets each, of those that are gone or do not match any more. */
			readonly deleted: readonly Uint8Array[];
			/** Undefined: nothing has changed, the old one stays good. */
			readonly cookie: string | undefined;
	  }
	/** The server cannot say what changed, or not all of it; a sentence why. */
	| { readonly kind: "everything"; readonly because: string };

/** More changes than this are read faster, and with less memory, by a full reading. */
const MOST_CHANGED = 50_000;
/** RFC 4533 §2.7: e-syncRefreshRequired. */
const REFRESH_REQUIRED = 4096;

/**
 * Asks a server what changed (RFC 4533, refreshOnly). Only an answer that names the deleted is taken: one that lists who is still
 * there leaves it to the reader to find out who is not, which a full reading does better. Throws Failure when the search breaks.
 */
export function refresh(session: Session, request: SearchRequest, cookie: string): Promise<Refresh> {
	return new Promise((resolve, reject) => {
		const changed: Uint8Array[] = [];
		const deleted: Uint8Array[] = [];
		const { server } = session;
		const everything = (because: string): void => resolve({ kind: "everything", because });
		const give = (up: string): void => {
			session.abandon(id);
			everything(up);
		};
		const id = session.start(
			{ ...request, controls: [syncRequest(cookie), ...(request.controls ?? [])] },
			{
				entry: (raw, controls) => {
					const state = syncedUuid(controls);
					if (state === undefined) return give(`${server} sent an entry without its state (RFC 4533), so what changed is not known`);
					if (state.isDeleted) deleted.push(state.uuid);
					else changed.push(raw);
					if (changed.length + deleted.length > MOST_CHANGED)
						give(`more than ${MOST_CHANGED.toLocaleString("en-US")} entries have changed`);
				},
				intermediate: (contents) => {
					const info = syncInfo(contents);
					if (info?.kind === "present") give(unnamed(server));
					if (info?.kind === "deleted") deleted.push(...info.uuids);
				},
				reference: () => {}, // What lies on another server is not this one's to tell.
				done: (result) => {
					if (result.code === REFRESH_REQUIRED) return everything(`${server} asks for a full reading (e-syncRefreshRequired)`);
					if (result.code === 12) return everything(`${server} does not tell changes there (${resultName(12)})`);
					if (result.code === 53) return everything(`${server} does not go on from the last reading: ${result.message || resultName(53)}`);
					if (result.code !== 0) return reject(resultFailure(describeSearch(request), result));
					const done = syncDone(result.controls);
					if (done === undefined) return everything(`${server} did not say that its changes are complete (RFC 4533)`);
					if (!done.refreshDeletes) return everything(unnamed(server));
					const isNothing = changed.length === 0 && deleted.length === 0;
					// OpenLDAP hands out everything, and an empty cookie, for one that it does not understand.
					if (!isNothing && (done.cookie ?? "") === "") return everything(`${server} did not understand where the last reading ended`);
					return resolve({ kind: "changes", changed, deleted, cookie: done.cookie === "" ? undefined : done.cookie });
				},
				failed: reject,
			},
		);
	});
}

function unnamed(server: string): string {
	return `${server} does not name who was deleted since: its session log does not reach back that far, or there is none (OpenLDAP: syncprov-sessionlog)`;
}
