import type { Value } from "../core/syntax.ts";
import { BerWriter, tag } from "../lib/ber.ts";
import { descriptorFor } from "./descriptor.ts";
import { type DnForm, valuesIn } from "./extended-dn.ts";
import { constructedTypes, typeOf } from "./schema.ts";
import type { AdObject, Store } from "./store.ts";
import { namesIn, valuesOf } from "./values.ts";

/** Turns objects into the encoded attribute lists of one request's answers. */
export interface Selection {
	encode(object: AdObject, hidden: ReadonlySet<string>): Uint8Array;
}

interface Wanted {
	readonly name: string;
	readonly range: { readonly from: number; readonly to: number } | undefined;
}

/**
 * `*` = all but the constructed, `+` = the constructed, `1.1` = none, none named = `*`; names in any case, unknown ones ignored.
 * `valuesPerAttribute` is AD's MaxValRange: more values come in ranges (MS-ADTS §3.1.1.3.1.3.3).
 */
export function makeSelection(
	store: Store,
	{ attributes, typesOnly, form }: { readonly attributes: readonly string[]; readonly typesOnly: boolean; readonly form: DnForm },
	valuesPerAttribute: () => number,
): Selection {
	const shown = (object: AdObject, name: string, hidden: ReadonlySet<string>): readonly Value[] =>
		name === "ntsecuritydescriptor" ? [descriptorFor(hidden)] : valuesIn(store, form, name, valuesOf(store, object, name));
	const all = attributes.length === 0 || attributes.includes("*");
	const named = attributes.flatMap(readWanted);
	const listed = new Set(named.map(({ name }) => name));
	if (attributes.includes("+")) for (const { name } of constructedTypes()) named.push({ name: name.toLowerCase(), range: undefined });
	const isFarReaching = named.some(({ name }) => name === "tokengroups" || name === "msds-approx-immed-subordinates");
	const variants = new WeakMap<ReadonlySet<string>, object>();
	const writer = new BerWriter(4096);
	const nameOf = makeNames();

	function write(object: AdObject, hidden: ReadonlySet<string>): Uint8Array {
		writer.reset().open();
		const most = valuesPerAttribute();
		if (all) {
			for (const name of namesIn(object)) {
				if (!listed.has(name) && !hidden.has(name))
					writeAttribute(nameOf, writer, { name, range: undefined }, shown(object, name, hidden), most, typesOnly);
			}
		}
		for (const wanted of named) {
			if (!hidden.has(wanted.name)) writeAttribute(nameOf, writer, wanted, shown(object, wanted.name, hidden), most, typesOnly);
		}
		return writer.close().finish();
	}

	return {
		encode(object, hidden) {
			// People made up on demand are thrown away after they were sent; these attributes change with objects far away.
			if (object.index !== undefined || isFarReaching) return write(object, hidden);
			const selection = variants.get(hidden) ?? { hidden };
			variants.set(hidden, selection);
			const { encoded } = object;
			if (encoded?.selection === selection && encoded.version === store.nameVersion) return encoded.bytes;
			const bytes = Uint8Array.prototype.slice.call(write(object, hidden));
			object.encoded = { selection, version: store.nameVersion, bytes };
			return bytes;
		},
	};
}

function readWanted(attribute: string): Wanted[] {
	if (attribute === "*" || attribute === "+" || attribute === "1.1") return [];
	const [name = "", ...options] = attribute.toLowerCase().split(";");
	if (typeOf(name) === undefined) return [];
	if (options.length === 0) return [{ name, range: undefined }];
	const range = /^range=(\d+)-(\d+|\*)$/.exec(options[0] ?? "");
	// Other options (;binary, ;lang-de) name no attribute that AD has.
	if (range === null) return [];
	return [{ name, range: { from: Number(range[1]), to: range[2] === "*" ? Number.POSITIVE_INFINITY : Number(range[2]) } }];
}

function writeAttribute(
	nameOf: (name: string) => Uint8Array,
	writer: BerWriter,
	{ name, range }: Wanted,
	values: readonly Value[],
	most: number,
	typesOnly: boolean,
): void {
	if (values.length === 0 && range === undefined) return;
	if (range === undefined && values.length <= most) {
		writeValues(writer, nameOf(name), values, typesOnly);
		return;
	}
	const from = range?.from ?? 0;
	const to = Math.min(range?.to ?? Number.POSITIVE_INFINITY, from + most - 1);
	const part = values.slice(from, to + 1);
	const isLast = to >= values.length - 1;
	if (values.length === 0) return;
	// Asked for the whole, AD gives the bare name too, without a value: who reads that alone sees an empty group.
	if (range === undefined) writeValues(writer, nameOf(name), [], typesOnly);
	writeValues(writer, Buffer.from(berText(`${typeOf(name)?.name ?? name};range=${from}-${isLast ? "*" : to}`)), part, typesOnly);
}

function writeValues(writer: BerWriter, name: Uint8Array, values: readonly Value[], typesOnly: boolean): void {
	writer.open().raw(name).open(tag.set);
	if (!typesOnly) {
		for (const value of values) {
			if (typeof value === "string") writer.text(value);
			else writer.octets(value);
		}
	}
	writer.close().close();
}

/** Names as they go over the wire, encoded once for all entries. */
function makeNames(): (name: string) => Uint8Array {
	const known = new Map<string, Uint8Array>();
	return (name) => {
		const found = known.get(name) ?? Buffer.from(berText(typeOf(name)?.name ?? name));
		known.set(name, found);
		return found;
	};
}

function berText(text: string): Uint8Array {
	return new BerWriter(64).text(text).finish();
}
