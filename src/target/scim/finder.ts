import { Failure } from "../../core/errors.ts";
import { makeQuiet } from "../../lib/quiet.ts";
import { makeCatalogue } from "./catalogue.ts";
import type { Discover } from "./discovery.ts";
import { type Json, textIn } from "./json.ts";
import { filterOf, isAt, type Key, valuesOf } from "./key.ts";
import { listResources, type Page, pageIn } from "./listing.ts";
import type { Outcome, Requests } from "./requests.ts";

/** Looks for resources at one endpoint. What it says is certain: a create that is sent because nobody was found makes nobody twice. */
export interface Finder {
	/** Those that have this value; none: there are none. Throws TARGET_REFUSED when that cannot be told. */
	find(key: Key, signal: AbortSignal): Promise<readonly Json[]>;
	/** The same by the whole list, however well the server filters: for who must be there and was not found. None where that is not whole. */
	scan(key: Key, signal: AbortSignal): Promise<readonly Json[]>;
	/** Does what adds a resource. Not while the list is read, which would not be of one moment then. */
	adding<T>(work: () => Promise<T>): Promise<T>;
	/** A value that is there: by it a filter can be tried. Asked for only while that is not known to work. */
	witness(path: string, key: () => Key | undefined): void;
	/** Something may be there now that we do not know of. */
	forget(): void;
}

/**
 * Whether a filter by an attribute can be believed when it finds nobody. `works`: it has found somebody. `broken`: it is refused,
 * passed over, or does not find who is there. `assumed`: there is nobody to try it on.
 */
type Trust = "works" | "broken" | "assumed";

type Answer =
	| { readonly kind: "found"; readonly resources: readonly Json[] }
	| { readonly kind: "none" | "none-or-cannot" | "cannot" | "trouble" };

export function makeFinder(requests: Requests, discover: Discover, path: "/Users" | "/Groups", clock: () => number): Finder {
	const trusted = new Map<string, Trust>();
	const witnesses = new Map<string, Key>();
	const quiet = makeQuiet();
	const list = (signal: AbortSignal) => listResources(requests, discover, path, signal);
	const catalogue = makeCatalogue(list, quiet, clock);
	// A large group's members are not what it is looked for by.
	let lean: Readonly<Record<string, string>> = path === "/Groups" ? { excludedAttributes: "members" } : {};

	const ask = async (key: Key, signal: AbortSignal): Promise<Answer> => {
		const query = { filter: filterOf(key), ...lean };
		const answer = answerTo(key, await requests.look({ method: "GET", path, query }, signal));
		if (answer.kind !== "cannot" || Object.keys(lean).length === 0) return answer;
		// Perhaps it is not the filter that it cannot do.
		lean = {};
		return ask(key, signal);
	};

	/** Where a server compares with case what has none: in the case that it is most likely kept in, too. */
	const askInBothCases = async (key: Key, signal: AbortSignal): Promise<Answer> => {
		const answer = await ask(key, signal);
		const lower = key.value.toLowerCase();
		return answer.kind === "none" && key.isCaseless && lower !== key.value ? ask({ ...key, value: lower }, signal) : answer;
	};

	/** Tries the filter on somebody who is there. */
	const prove = async (key: Key, signal: AbortSignal): Promise<Trust | "nobody"> => {
		const witness = witnesses.get(key.path);
		if (witness !== undefined) return proveBy(witness, signal);
		const outcome = await requests.look({ method: "GET", path, query: { startIndex: "1", count: "10", ...lean } }, signal);
		// A service without groups, which create will say.
		if (path === "/Groups" && outcome.kind === "answer" && outcome.status === 404) return "nobody";
		const sample = outcome.kind === "answer" ? pageIn(outcome) : undefined;
		if (sample?.total === 0 && sample.resources.length === 0) return "nobody";
		const value = sample?.resources.flatMap((resource) => valuesOf(resource, { ...key, isCaseless: false }))[0];
		return value === undefined ? "assumed" : proveBy({ ...key, value }, signal);
	};
	const proveBy = async (key: Key, signal: AbortSignal): Promise<Trust> => ((await ask(key, signal)).kind === "found" ? "works" : "broken");

	/** What the server itself says; undefined: nothing that can be relied on. */
	const byFilter = async (key: Key, signal: AbortSignal): Promise<readonly Json[] | undefined> => {
		if (trusted.get(key.path) === "broken") return undefined;
		const answer = await askInBothCases(key, signal);
		switch (answer.kind) {
			case "found":
				trusted.set(key.path, "works");
				return answer.resources;
			case "trouble":
				return undefined;
			case "cannot":
				trusted.set(key.path, "broken");
				return undefined;
		}
		const known = trusted.get(key.path);
		if (known === "works" || (known === "assumed" && !witnesses.has(key.path) && answer.kind === "none")) return [];
		const trust = await prove(key, signal);
		if (trust === "nobody") return [];
		trusted.set(key.path, trust);
		return trust === "works" || (trust === "assumed" && answer.kind === "none") ? [] : undefined;
	};

	const byList = async (key: Key, signal: AbortSignal): Promise<readonly Json[]> => {
		const ids = await catalogue.lookUp(key, signal);
		const found: Json[] = [];
		for (const id of ids) {
			const outcome = await requests.send({ method: "GET", path: `${path}/${encodeURIComponent(id)}`, query: lean }, signal);
			if (outcome.kind === "unknown")
				throw new Failure("TARGET_UNREACHABLE", `${path} does not show who has ${key.path} "${key.value}": ${outcome.why}`);
			if (outcome.status === 200 && outcome.body !== undefined && isAt(outcome.body, key)) found.push(outcome.body);
		}
		return found;
	};

	return {
		find: async (key, signal) => {
			const found = await byFilter(key, signal);
			if (found !== undefined) return found;
			try {
				return await byList(key, signal);
			} catch (cause) {
				if (!isPartial(cause)) throw cause;
				throw new Failure(
					"TARGET_REFUSED",
					`who has ${key.path} "${key.value}" at ${path} cannot be told: no filter, and ${cause.message}`,
					{
						cause,
						hint: "Nothing is created as long as it may be there already. Set match to an attribute that the server can filter by.",
					},
				);
			}
		},
		scan: async (key, signal) => {
			catalogue.forget();
			try {
				return await byList(key, signal);
			} catch (cause) {
				if (!isPartial(cause)) throw cause;
				return [];
			}
		},
		adding: (work) => quiet.beside(work),
		witness: (path, keyOf) => {
			if (trusted.get(path) === "works") return;
			const key = keyOf();
			if (key !== undefined) witnesses.set(path, key);
		},
		forget: () => catalogue.forget(),
	};
}

function answerTo(key: Key, outcome: Outcome): Answer {
	if (outcome.kind === "unknown") return { kind: "trouble" };
	const page = pageIn(outcome);
	// 404 is how some say that there is none, and others that they know no filters.
	if (page === undefined) return { kind: outcome.status === 404 ? "none-or-cannot" : "cannot" };
	const resources = page.resources.filter((resource) => isAt(resource, key) && textIn(resource, "id") !== undefined);
	if (resources.length > 0) return { kind: "found", resources };
	return { kind: page.resources.length === 0 ? "none" : isAll(page) ? "none" : "cannot" };
}

/** A filter that is passed over shows everybody: if that is all there are, there is nobody else. */
function isAll({ resources, total }: Page): boolean {
	return total !== undefined && total <= resources.length;
}

function isPartial(cause: unknown): cause is Failure {
	return cause instanceof Failure && cause.code === "TARGET_LISTING_PARTIAL";
}
