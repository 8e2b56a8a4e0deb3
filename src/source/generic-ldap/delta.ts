import { dnKey, isBeneath } from "../../core/dn.ts";
import type { Anchor } from "../../core/entry.ts";
import { attributesOf } from "../../core/filter-text.ts";
import { makeMatcher } from "../../core/matching.ts";
import { outermost, type Place } from "../ldap/place.ts";
import { refresh } from "../ldap/refresh.ts";
import { attributesIn, dnOf, textsOf } from "../ldap/wire/entry.ts";
import type { Container, ReadingEnd } from "../source.ts";
import { cookieOf, csnsOf, type Mark } from "./cursor.ts";
import { containerClasses } from "./presets.ts";
import { ldapSchema } from "./schema.ts";
import { changedSince, newestOf, overlapped } from "./timestamp.ts";
import { both, type Visit, visitAll } from "./visit.ts";

type Outside = ReadingEnd["outside"][number];

/** What changed since, wherever in the naming contexts it is now. */
export interface Marked {
	readonly containers: readonly Container[];
	/** People, in scope or not, each with its uid for the groups that name it so. */
	readonly people: readonly (Outside & { readonly uid: string | undefined })[];
	readonly groups: readonly Outside[];
	/** Named by the server as deleted or as matching no more, whatever it was. */
	readonly gone: readonly { readonly anchor: Anchor; readonly key: Uint8Array }[];
	/** The contextCSN that this takes us to, by naming context. */
	readonly csns: Readonly<Record<string, readonly string[]>>;
	readonly newest: string | undefined;
	/** Containers within the overlap, those that were followed before among them. */
	readonly followed: Readonly<Record<string, string>>;
}

/** A sentence why the server cannot say what changed, or what did. */
export async function readMarks(visit: Visit, mark: Mark, now: number): Promise<Marked | string> {
	return mark.kind === "syncrepl" ? bySyncrepl(visit, mark) : byTimestamp(visit, mark, now);
}

async function bySyncrepl(visit: Visit, mark: Mark): Promise<Marked | string> {
	const gathered = makeGathered(visit);
	const csns: Record<string, readonly string[]> = {};
	for (const { dn, key } of visit.root.contexts) {
		const before = mark.csns[key] ?? [];
		const request = { base: dn, scope: "sub", filter: visit.scope.relevant, attributes: marksAsked(visit) } as const;
		const answer = await refresh(visit.session, request, cookieOf(before));
		if (answer.kind === "everything") return answer.because;
		const after = answer.cookie === undefined ? before : csnsOf(answer.cookie);
		if (after.length === 0) return `the cookie of ${visit.session.server} is none of OpenLDAP's, and cannot be gone on from`;
		csns[key] = after;
		for (const raw of answer.changed) gathered.add(raw);
		for (const uuid of answer.deleted) gathered.addGone(uuid);
	}
	return { ...gathered.marked, csns, newest: mark.newest, followed: {} };
}

async function byTimestamp(visit: Visit, mark: Mark, now: number): Promise<Marked | string> {
	const { newest } = mark;
	if (newest === undefined) return "no modifyTimestamp has been seen so far";
	const gathered = makeGathered(visit);
	const stamps: string[] = [newest];
	for (const { dn } of visit.root.contexts) {
		const filter = both(changedSince(overlapped(newest)), visit.scope.relevant);
		for (const raw of await visitAll(visit, dn, filter, marksAsked(visit))) {
			gathered.add(raw);
			stamps.push(...textsOf(raw, "modifyTimestamp"));
		}
	}
	const { containers } = gathered.marked;
	return {
		...gathered.marked,
		// Where nobody changes anything for days, the last container that was changed would be walked through again by every delta.
		containers: containers.filter(({ anchor, dn }) => mark.followed[anchor] !== dnKey(dn)),
		csns: Object.fromEntries(visit.root.csns),
		newest: newestOf(stamps, now),
		followed: Object.fromEntries(containers.map(({ anchor, dn }) => [anchor, dnKey(dn)])),
	};
}

function marksAsked({ scope: { anchors, groupClasses } }: Visit): readonly string[] {
	const { people, groups, containers } = anchors;
	const names = [people.attribute, groups.attribute, containers.attribute, "objectClass", "uid", "modifyTimestamp"];
	const seen = new Set(names.map((name) => name.toLowerCase()));
	return [...new Set(names), ...[...attributesOf(groupClasses)].filter((name) => !seen.has(name))];
}

const containerNames = new Set(containerClasses.map((name) => name.toLowerCase()));

function makeGathered(visit: Visit) {
	const { anchors, groupClasses } = visit.scope;
	const isGroup = makeMatcher(groupClasses, ldapSchema);
	const containers: Container[] = [];
	const people = new Map<Anchor, Marked["people"][number]>();
	const groups = new Map<Anchor, Outside>();
	const gone = new Map<Anchor, Marked["gone"][number]>();
	const kindOf = (raw: Uint8Array): "people" | "groups" | "containers" => {
		const shown = new Map(attributesIn(raw).map(({ description, values }) => [description.toLowerCase(), values]));
		if (isGroup((name) => shown.get(name) ?? []) === true) return "groups";
		return textsOf(raw, "objectClass").some((name) => containerNames.has(name.toLowerCase())) ? "containers" : "people";
	};
	return {
		marked: {
			containers,
			get people() {
				return [...people.values()];
			},
			get groups() {
				return [...groups.values()];
			},
			get gone() {
				return [...gone.values()].filter(({ anchor }) => !people.has(anchor) && !groups.has(anchor));
			},
		},
		add: (raw: Uint8Array): void => {
			const kind = kindOf(raw);
			const { attribute, keyOf } = anchors[kind];
			const key = keyOf(raw);
			const dn = dnOf(raw);
			if (key === undefined) {
				// What it was cannot be told: the next delta has to begin where this one did, until it can.
				visit.unsealed.push(`"${dn}" changed, but shows no ${attribute}: the right to read it may be missing`);
			} else if (kind === "containers") containers.push({ anchor: anchors.containerAnchorOf(key), dn });
			else {
				const anchor = anchors.anchorOf(key);
				if (kind === "groups") groups.set(anchor, { anchor, dn, key });
				else people.set(anchor, { anchor, dn, key, uid: textsOf(raw, "uid")[0] });
			}
		},
		addGone: (uuid: Uint8Array): void => {
			const anchor = anchors.anchorOf(uuid);
			gone.set(anchor, { anchor, key: uuid });
			visit.deleted.add(anchor);
		},
	};
}

/** The parts of the bases that lie beneath a changed container: everybody there may have a new DN. */
export function touchedPlaces(bases: readonly Place[], containers: readonly Container[]): readonly Place[] {
	const places: Place[] = [];
	for (const { dn } of containers) {
		const place = { dn, key: dnKey(dn) };
		for (const base of bases) {
			if (isBeneath(place.key, base.key)) places.push(place);
			else if (isBeneath(base.key, place.key)) places.push(base);
		}
	}
	return outermost(places);
}
