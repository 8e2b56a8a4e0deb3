import type { Ava } from "../core/dn.ts";
import { foldText, textOf } from "../core/syntax.ts";
import { makeMetadata } from "./metadata.ts";
import { classOf } from "./schema.ts";
import { type AdObject, hex, keyOf, type Metadata, type Store } from "./store.ts";

export interface ObjectPlan {
	readonly guid: Uint8Array;
	readonly sid: Uint8Array | undefined;
	readonly className: string;
	readonly rdn: Ava;
	readonly dn: string;
	readonly parent: AdObject | undefined;
	readonly attributes: AdObject["attributes"];
	readonly index: number | undefined;
	readonly usn: number;
	readonly at: number;
}

const NO_CHILDREN: ReadonlySet<AdObject> = new Set();
const NO_LINKS: ReadonlyMap<string, Set<AdObject>> = new Map();
const NO_METADATA = makeMetadata();

/** An object that no store holds yet: made up on demand, and thrown away after it was sent. Its sets are shared: nothing may be added. */
export function makePassing(plan: ObjectPlan): AdObject {
	return compose(
		plan,
		NO_CHILDREN as Set<AdObject>,
		NO_LINKS as Map<string, Set<AdObject>>,
		NO_LINKS as Map<string, Set<AdObject>>,
		NO_METADATA,
	);
}

/** An object to be held; `register` puts it into the store. */
export function makeObject(plan: ObjectPlan): AdObject {
	return compose(plan, new Set(), new Map(), new Map(), makeMetadata());
}

function compose(
	plan: ObjectPlan,
	children: AdObject["children"],
	links: AdObject["links"],
	backlinks: AdObject["backlinks"],
	metadata: Metadata,
): AdObject {
	const { guid, sid, rdn, dn, parent, attributes, index, usn, at } = plan;
	return {
		guid,
		sid,
		classes: classOf(plan.className)?.chain ?? ["top", plan.className],
		rdn,
		dn,
		key: undefined,
		parent,
		context: parent?.context,
		children,
		attributes,
		links,
		backlinks,
		metadata,
		usnCreated: usn,
		usnChanged: usn,
		createdAt: at,
		changedAt: at,
		isDeleted: false,
		index,
		encoded: undefined,
	};
}

export function register(store: Store, object: AdObject): void {
	store.objects.set(hex(object.guid), object);
	store.byKey.set(keyOf(object), object);
	const sam = object.attributes.get("samaccountname")?.[0];
	if (sam !== undefined) store.bySam.set(foldText(textOf(sam)), object);
	object.parent?.children.add(object);
}

/** A random GUID (version 4) in AD's byte order. */
export function newGuid(random: () => number): Uint8Array {
	const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
	bytes[7] = ((bytes[7] as number) & 0x0f) | 0x40;
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	return bytes;
}
