import { BerReader, tag } from "../lib/ber.ts";
import type { Pass, Session } from "./host.ts";
import type { Control, SearchRequest } from "./request.ts";
import { refuse } from "./result.ts";
import { controlOid } from "./rootdse.ts";
import { hex } from "./store.ts";

export interface PagedControl {
	readonly size: number;
	readonly cookie: Uint8Array;
}

/** AD keeps a few paged searches per connection and forgets the oldest. */
const MOST_PASSES = 10;

/** The paged-results control of a request (RFC 2696). */
export function pagedControl(controls: readonly Control[]): PagedControl | undefined {
	const found = controls.find(({ oid }) => oid === controlOid.paged);
	if (found?.value === undefined) return undefined;
	const body = new BerReader(found.value).inside(tag.sequence);
	return { size: body.integer(), cookie: body.octets() };
}

/** The search that a cookie goes on with. A cookie serves once, on its own connection, for its own question; AD refuses any other. */
export function resume(session: Session, { cookie }: PagedControl, request: SearchRequest): Pass {
	const pass = session.passes.get(hex(cookie));
	if (pass === undefined) {
		return refuse("unavailableCriticalExtension", "00000057: LdapErr: DSID-0C090A88, comment: Error processing control, data 0, v1db1");
	}
	if (pass.request.question !== request.question) {
		return refuse("unwillingToPerform", "00002077: SvcErr: DSID-031401E7, problem 5003 (WILL_NOT_PERFORM), data 0");
	}
	session.passes.delete(hex(cookie));
	return pass;
}

/** Puts a search aside until its next page is asked for; returns the cookie that asks for it. */
export function setAside(session: Session, pass: Pass): Uint8Array {
	const { random } = session.host.store;
	const cookie = Uint8Array.from({ length: 24 }, () => Math.floor(random() * 256));
	if (session.passes.size >= MOST_PASSES) {
		const [oldest] = session.passes.keys();
		if (oldest !== undefined) session.passes.delete(oldest);
	}
	session.passes.set(hex(cookie), pass);
	return cookie;
}

/** Whether continuation references are unwanted: the domain-scope control, or its flag in the search options (MS-ADTS §3.1.1.3.4.1.11). */
export function isDomainScope(controls: readonly Control[]): boolean {
	return controls.some(({ oid, value }) => {
		if (oid === controlOid.domainScope) return true;
		return oid === controlOid.searchOptions && value !== undefined && (new BerReader(value).inside(tag.sequence).integer() & 1) === 1;
	});
}
