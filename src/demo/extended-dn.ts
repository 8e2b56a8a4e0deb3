import { guidText, sidText, textOf, type Value } from "../core/syntax.ts";
import type { Control } from "./request.ts";
import { controlOid } from "./rootdse.ts";
import { typeOf } from "./schema.ts";
import { type AdObject, findDn, type Store } from "./store.ts";

/** How names are written: as DNs, or with GUID and SID before each. */
export type DnForm = "plain" | "extended";

/** The form that a request asks for by the extended-DN control (MS-ADTS §3.1.1.3.4.1.5). */
export function dnForm(controls: readonly Control[]): DnForm {
	return controls.some(({ oid }) => oid === controlOid.extendedDn) ? "extended" : "plain";
}

/** "<GUID=…>;<SID=…>;CN=Ann,…". */
export function nameIn(object: AdObject, form: DnForm): string {
	if (form === "plain") return object.dn;
	const sid = object.sid === undefined ? "" : `<SID=${sidText(object.sid)}>;`;
	return `<GUID=${guidText(object.guid)}>;${sid}${object.dn}`;
}

/** The values of an attribute in that form. */
export function valuesIn(store: Store, form: DnForm, attribute: string, values: readonly Value[]): readonly Value[] {
	const syntax = typeOf(attribute)?.syntax;
	if (form === "plain" || (syntax !== "dn" && syntax !== "category") || attribute === "distinguishedname") return values;
	return values.map((value) => {
		const named = findDn(store, textOf(value));
		return named === undefined ? value : nameIn(named, form);
	});
}
