import { parentDn } from "../../core/dn.ts";
import { Failure } from "../../core/errors.ts";
import type { Filter } from "../../core/filter.ts";
import { parseFilter } from "../../core/filter-text.ts";
import type { Reached } from "../ldap/diagnose-bind.ts";
import { signIn } from "../ldap/sign-in.ts";
import { domainScope } from "../ldap/wire/encode.ts";
import { dnOf, textsOf } from "../ldap/wire/entry.ts";
import { readPages } from "../ldap/wire/pages.ts";
import { type Session, search } from "../ldap/wire/session.ts";
import { anything } from "./root.ts";
import { personFilter } from "./scope.ts";

/** What there is in a domain, for whoever is about to choose a scope. */
export interface Survey {
	readonly server: string;
	/** The domain's DN. */
	readonly base: string;
	readonly people: number;
	readonly groups: number;
	/** Containers that hold people themselves, the fullest first. */
	readonly places: readonly { readonly dn: string; readonly people: number }[];
}

const groupFilter = parseFilter("(objectCategory=group)");

/**
 * Signs in and counts people by container: one search for their names alone. Throws what `dial` throws; a refused password is not
 * tried on the next server, since each try counts towards the lockout.
 */
export async function surveyDomain(
	source: Reached & { readonly pageSize: number },
	clock: () => number,
	signal: AbortSignal,
): Promise<Survey> {
	const session = await signIn(source, clock, signal);
	try {
		const [root] = await search(session, { base: "", scope: "base", filter: anything, attributes: ["defaultNamingContext"] });
		const base = root && textsOf(root, "defaultNamingContext")[0];
		if (base === undefined) {
			throw new Failure("SOURCE_PROTOCOL", `${session.server} does not say which domain it serves`, {
				hint: "It may be no domain controller: other directories are configured by hand, see config/dirsyncd.example.yaml.",
			});
		}
		const places = new Map<string, number>();
		let people = 0;
		for await (const dn of names(session, base, personFilter, source.pageSize)) {
			people++;
			const place = parentDn(dn) ?? base;
			places.set(place, (places.get(place) ?? 0) + 1);
		}
		let groups = 0;
		for await (const _ of names(session, base, groupFilter, source.pageSize)) groups++;
		const counted = [...places].map(([dn, people]) => ({ dn, people })).sort((a, b) => b.people - a.people || (a.dn < b.dn ? -1 : 1));
		return { server: session.server, base, people, groups, places: counted };
	} finally {
		session.close();
	}
}

async function* names(session: Session, base: string, filter: Filter, pageSize: number): AsyncGenerator<string, void> {
	const request = { base, scope: "sub", filter, attributes: ["1.1"], controls: [domainScope] } as const;
	// Counts to choose by: what other domains would add to them does not matter.
	const options = { pageSize, unsealed: () => {}, isForeign: () => true };
	for await (const page of readPages(session, request, options)) for (const raw of page) yield dnOf(raw);
}
