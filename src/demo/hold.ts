import { foldText, textOf } from "../core/syntax.ts";
import { makeMetadata } from "./metadata.ts";
import { register } from "./object.ts";
import { refuse } from "./result.ts";
import { type AdObject, keyOf, type Store } from "./store.ts";

/** An object that is held: one that was made up on demand is kept from now on. */
export function held(store: Store, object: AdObject): AdObject {
	if (object.index === undefined || store.byKey.get(keyOf(object)) === object) return object;
	const copy: AdObject = {
		...object,
		children: new Set(),
		links: new Map(),
		backlinks: new Map(),
		attributes: new Map(object.attributes),
		metadata: makeMetadata(),
	};
	register(store, copy);
	store.madeUp?.hold(copy);
	return copy;
}

/** AD has each sAMAccountName once; a second one is refused. */
export function claimSam(store: Store, object: AdObject, name: string): void {
	const key = foldText(name);
	const holder = store.bySam.get(key);
	if (holder !== undefined && holder !== object) refuseExisting();
	const before = object.attributes.get("samaccountname")?.[0];
	if (before !== undefined && store.bySam.get(foldText(textOf(before))) === object) store.bySam.delete(foldText(textOf(before)));
	store.bySam.set(key, object);
}

export function refuseExisting(): never {
	return refuse("entryAlreadyExists", "00002071: UpdErr: DSID-0305038D, problem 6005 (ENTRY_EXISTS), data 0");
}
