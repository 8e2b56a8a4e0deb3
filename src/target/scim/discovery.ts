import { makeShared, orAborted } from "../../lib/waiting.ts";
import { booleanIn, isObject, type Json, member, objectsIn, textIn } from "./json.ts";
import type { Requests } from "./requests.ts";
import { anyShape, makeShape, type Shape } from "./shape.ts";
import { CORE_GROUP, CORE_USER } from "./urns.ts";

/** What a server says it can do (RFC 7643 §5 to §7); what it does not say is taken as most have it. */
export interface Abilities {
	readonly patch: boolean;
	/** Whether it tells versions, and minds them in If-Match. */
	readonly etag: boolean;
	/** Resources that it shows at once, at most. */
	readonly pageSize: number;
	readonly users: Shape;
	readonly groups: Shape;
	/** Whether it has groups at all. */
	readonly hasGroups: boolean;
	/** Which of the documents were there. */
	readonly published: readonly string[];
}

export type Discover = (signal: AbortSignal) => Promise<Abilities>;

const DOCUMENTS = ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] as const;
const MOST_AT_ONCE = 100;

/** Reads the three documents once, when they are first asked for. */
export function makeDiscovery(requests: Pick<Requests, "look">): Discover {
	let abilities: Abilities | undefined;
	// Not cut by whoever asked first: others wait for it, too.
	const read = makeShared(async () => {
		const { signal } = new AbortController();
		const documents = await Promise.all(DOCUMENTS.map((path) => readDocument(requests, path, signal)));
		abilities = abilitiesIn(documents);
		return abilities;
	});
	return async (signal) => abilities ?? orAborted(read, signal);
}

async function readDocument(requests: Pick<Requests, "look">, path: string, signal: AbortSignal): Promise<Json | undefined> {
	const outcome = await requests.look({ method: "GET", path }, signal);
	return outcome.kind === "answer" && outcome.status === 200 ? outcome.body : undefined;
}

function abilitiesIn([config, types, schemas]: readonly (Json | undefined)[]): Abilities {
	const flag = (name: string): boolean | undefined => {
		const feature = config && member(config, name);
		return isObject(feature) ? booleanIn(feature, "supported") : undefined;
	};
	const filter = config && member(config, "filter");
	const most = isObject(filter) ? Number(member(filter, "maxResults")) : Number.NaN;
	const resourceTypes = types === undefined ? [] : objectsIn(types, "Resources");
	// A first page of them would make attributes look missing that are merely on the second.
	const isWhole = schemas !== undefined && !(Number(member(schemas, "totalResults")) > objectsIn(schemas, "Resources").length);
	const published = isWhole ? objectsIn(schemas, "Resources") : [];
	return {
		patch: flag("patch") ?? true,
		etag: flag("etag") ?? false,
		pageSize: most >= 1 ? Math.min(most, MOST_AT_ONCE) : MOST_AT_ONCE,
		users: shapeOf(CORE_USER, resourceTypes, published),
		groups: shapeOf(CORE_GROUP, resourceTypes, published),
		hasGroups: typeNamed(resourceTypes, CORE_USER) === undefined || typeNamed(resourceTypes, CORE_GROUP) !== undefined,
		published: DOCUMENTS.filter((_, index) => [config, types, schemas][index] !== undefined),
	};
}

/** A resource type without a described schema says at least which extensions there are. */
function shapeOf(schema: string, types: readonly Json[], published: readonly Json[]): Shape {
	const described = new Map<string, Json | undefined>(published.map((one) => [(textIn(one, "id") ?? "").toLowerCase(), one]));
	const own = described.get(schema.toLowerCase());
	if (own === undefined || objectsIn(own, "attributes").length === 0) return anyShape;
	const type = typeNamed(types, schema);
	for (const extension of type === undefined ? [] : objectsIn(type, "schemaExtensions")) {
		const urn = textIn(extension, "schema")?.toLowerCase();
		if (urn !== undefined && !described.has(urn)) described.set(urn, undefined);
	}
	return makeShape(own, described);
}

function typeNamed(types: readonly Json[], schema: string): Json | undefined {
	return types.find((type) => textIn(type, "schema")?.toLowerCase() === schema.toLowerCase());
}
