import { setImmediate } from "node:timers/promises";
import { makeMatcher } from "../core/matching.ts";
import type { Value } from "../core/syntax.ts";
import { BerReader, BerWriter, tag } from "../lib/ber.ts";
import { dereference } from "./base.ts";
import { type DnForm, dnForm, nameIn, valuesIn } from "./extended-dn.ts";
import { rightsOf, type Session } from "./host.ts";
import { usnOf } from "./metadata.ts";
import type { Control, SearchRequest } from "./request.ts";
import { answerTag, type Ending, wellDone, writeEntry, writeResult } from "./response.ts";
import { refusal } from "./result.ts";
import { plainRights, sightOf } from "./rights.ts";
import { controlOid } from "./rootdse.ts";
import { isForwardLink, typeOf } from "./schema.ts";
import { schemaOf } from "./seek.ts";
import { type AdObject, type Store, walk } from "./store.ts";
import { valuesOf } from "./values.ts";

export interface DirSyncControl {
	/** LDAP_DIRSYNC_OBJECT_SECURITY: no right to replicate is needed, and no more is told than may be read. */
	readonly isOwnView: boolean;
	/** LDAP_DIRSYNC_INCREMENTAL_VALUES: of links the values that came or went, not all of them. */
	readonly isIncremental: boolean;
	readonly cookie: Uint8Array;
}

/** The DirSync control of a request (MS-ADTS §3.1.1.3.4.1.3). */
export function dirSyncControl(controls: readonly Control[]): DirSyncControl | undefined {
	const found = controls.find(({ oid }) => oid === controlOid.dirSync);
	if (found?.value === undefined) return undefined;
	const body = new BerReader(found.value).inside(tag.sequence);
	const flags = body.integer();
	body.skip(); // Octets of attributes wanted at most; a round here is a page of objects.
	return { isOwnView: (flags & 1) !== 0, isIncremental: flags < 0, cookie: body.octets() };
}

/** How a cookie of this directory begins; its USN follows. */
const MARK = "MSDS";

export interface DirSyncTask {
	readonly id: number;
	readonly request: SearchRequest;
	readonly controls: readonly Control[];
	/** Aborted when the client abandons the search, or is gone. */
	readonly signal: AbortSignal;
}

/** Answers with what changed since the cookie's USN: of each object no more than the attributes that did. */
export async function answerDirSync(session: Session, { id, request, controls, signal }: DirSyncTask, sync: DirSyncControl): Promise<void> {
	const { store, limits } = session.host;
	const since = readCookie(sync.cookie);
	const refused = since === undefined ? badCookie : refuse(session, request.base, sync);
	if (since === undefined || refused !== undefined) return session.out.send(writeResult(id, answerTag.search, refused ?? badCookie));
	const rights = sync.isOwnView ? rightsOf(session) : { ...plainRights, mayReadDeleted: true };
	const sight = sightOf(store, rights, true);
	const asked = request.attributes.map((name) => name.toLowerCase()).filter((name) => typeOf(name) !== undefined);
	const changed = changedObjects(store, since);
	const round = changed.slice(0, limits.maxPageSize);
	const matches = makeMatcher(request.filter, schemaOf(store));
	for (const object of round) {
		if (signal.aborted) return;
		const hidden = sight.hiddenOn(object);
		if (!sight.canSee(object) || matches((name) => (hidden.has(name) ? undefined : valuesOf(store, object, name))) !== true) continue;
		const told = tell(store, object, { since, asked, form: dnForm(controls), hidden, isIncremental: sync.isIncremental });
		if (told === undefined) continue;
		const writer = new BerWriter(4096);
		writeEntry(writer, id, nameIn(object, dnForm(controls)), told);
		await session.out.send(writer.finish());
		await setImmediate();
	}
	const isMore = round.length < changed.length;
	const value = new BerWriter(64)
		.open()
		.integer(isMore ? 1 : 0)
		.integer(0);
	value.text(`${MARK}${isMore ? round.at(-1)?.usnChanged : store.highestUsn}`);
	const control = { oid: controlOid.dirSync, value: value.close().finish() };
	return session.out.send(writeResult(id, answerTag.search, wellDone, [control]));
}

function readCookie(cookie: Uint8Array): number | undefined {
	if (cookie.length === 0) return 0;
	const found = new RegExp(`^${MARK}(\\d{1,15})$`).exec(Buffer.from(cookie).toString("latin1"));
	return found === null ? undefined : Number(found[1]);
}

const badCookie: Ending = refusal(
	"unavailableCriticalExtension",
	"00000057: LdapErr: DSID-0C090A88, comment: Error processing control, data 0, v1db1",
);

function refuse(session: Session, base: string, { isOwnView }: DirSyncControl): Ending | undefined {
	const object = dereference(session.host.store, base);
	const isHead = object !== undefined && object.context === object;
	if (isHead && (isOwnView || rightsOf(session).mayReplicate)) return undefined;
	return isOwnView
		? refusal("unwillingToPerform", "00002122: SvcErr: DSID-031402FA, problem 5003 (WILL_NOT_PERFORM), data 0")
		: refusal("insufficientAccessRights", "00002105: LdapErr: DSID-0C090F0B, comment: Error processing control, data 0, v1db1");
}

function changedObjects(store: Store, since: number): readonly AdObject[] {
	return [...walk(store, store.domain, since + 1)].sort((one, other) => one.usnChanged - other.usnChanged);
}

interface Telling {
	readonly since: number;
	readonly asked: readonly string[];
	readonly form: DnForm;
	readonly hidden: ReadonlySet<string>;
	readonly isIncremental: boolean;
}

/** An encoded attribute list with what changed; undefined when nothing of what was asked for did. */
function tell(store: Store, object: AdObject, { since, asked, form, hidden, isIncremental }: Telling): Uint8Array | undefined {
	const writer = new BerWriter(1024).open();
	let isTold = false;
	const write = (name: string, values: readonly Value[]): void => {
		isTold = true;
		writeAttribute(writer, name, values);
	};
	for (const name of asked) {
		const spelled = typeOf(name)?.name ?? name;
		if (hidden.has(name) || isAlwaysTold(name)) continue;
		if (isForwardLink(name)) {
			const changes = [...(object.metadata.links.get(name) ?? [])].filter(([, { usn }]) => usn > since);
			if (changes.length === 0) continue;
			if (!isIncremental || typeOf(name)?.isSingle === true) write(spelled, valuesIn(store, form, name, valuesOf(store, object, name)));
			else {
				const named = (isPresent: boolean) =>
					changes.filter(([, change]) => change.isPresent === isPresent).map(([target]) => nameIn(target, form));
				const [came, went] = [named(true), named(false)];
				if (came.length > 0) write(`${spelled};range=1-1`, came);
				if (went.length > 0) write(`${spelled};range=0-0`, went);
			}
			continue;
		}
		const values = valuesOf(store, object, name);
		const isChanged = usnOf(object, name === "parentguid" ? "name" : name) > since;
		// An attribute that was cleared is there without a value; one that an object never had is not there.
		if (isChanged && (values.length > 0 || object.metadata.attributes.has(name))) write(spelled, valuesIn(store, form, name, values));
	}
	if (!isTold) return undefined;
	writeAttribute(writer, "objectGUID", [object.guid]);
	writeAttribute(writer, "instanceType", valuesOf(store, object, "instancetype"));
	return writer.close().finish();
}

function isAlwaysTold(name: string): boolean {
	return name === "objectguid" || name === "instancetype" || typeOf(name)?.kind === "constructed" ? name !== "parentguid" : false;
}

function writeAttribute(writer: BerWriter, name: string, values: readonly Value[]): void {
	writer.open().text(name).open(tag.set);
	for (const value of values) {
		if (typeof value === "string") writer.text(value);
		else writer.octets(value);
	}
	writer.close().close();
}
