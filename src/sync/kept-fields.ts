import type { Account } from "../core/account.ts";
import { attributesOf, compileMapping, type MappedAccount, type Mapping, mappingFields } from "../core/mapping.ts";
import type { SourceState } from "../store/snapshot.ts";
import type { SyncSource } from "./settings.ts";

type Field = keyof MappedAccount;

/** Fields whose templates ask for attributes that nobody's entry in the snapshot was asked for: nothing is known of them yet. */
export interface KeptFields {
	readonly everywhere: ReadonlySet<Field>;
	/** At targets with a mapping of their own, by name. */
	readonly at: ReadonlyMap<string, ReadonlySet<Field>>;
}

const none: ReadonlySet<Field> = new Set();
export const nothingKept: KeptFields = { everywhere: none, at: new Map() };

/** The fields as they are mapped, those that are not known as they were. Undefined: not even the name is known. */
export function withKept(fields: MappedAccount, before: Account | undefined, kept: ReadonlySet<Field> = none): MappedAccount | undefined {
	if (kept.size === 0) return fields;
	if (before === undefined) return kept.has("userName") ? undefined : fields;
	const mixed: Record<string, unknown> = { ...fields };
	for (const field of kept) {
		if (before[field] === undefined) delete mixed[field];
		else mixed[field] = before[field];
	}
	return mixed as unknown as MappedAccount;
}

/** The templates of a configuration. */
export interface Templates {
	readonly everywhere: Mapping;
	/** Of targets with a mapping of their own, by name, the common lines in it. */
	readonly at: ReadonlyMap<string, Mapping>;
}

/** Makes a source plan by a snapshot that was read for other templates: whoever has an account keeps what is not known of it. */
export function keepUnread(
	sync: SyncSource,
	state: SourceState,
	templates: Templates,
): { readonly sync: SyncSource; readonly kept: KeptFields; readonly because: readonly string[] } {
	const unread = unreadAttributes(sync, state);
	if (unread.size === 0) return { sync, kept: nothingKept, because: [] };
	const because: string[] = [];
	const look = (mapping: Mapping, where: string): ReadonlySet<Field> => {
		const kept = new Set<Field>();
		for (const field of mappingFields) {
			const asked = attributesOf({ [field]: mapping[field] ?? "" }).filter((name) => unread.has(name));
			if (asked.length === 0) continue;
			kept.add(field.split(".")[0] as Field);
			because.push(`${where}${field} is mapped from ${asked.join(", ")}, not read until now: it stays as it is until the next reading`);
		}
		return kept;
	};
	const everywhere = look(templates.everywhere, "");
	const at = new Map([...templates.at].map(([target, mapping]) => [target, look(mapping, `at target ${target}: `)]));
	const views = sync.views.map((view) => {
		const mapping = templates.at.get(view.target);
		return mapping === undefined ? view : { ...view, mapping: compileNamed(mapping, at.get(view.target) ?? none) };
	});
	return { sync: { ...sync, mapping: compileNamed(templates.everywhere, everywhere), views }, kept: { everywhere, at }, because };
}

/** Where the name is not known yet, everybody has one: that of before takes its place. */
function compileNamed(mapping: Mapping, kept: ReadonlySet<Field>): SyncSource["mapping"] {
	return compileMapping(kept.has("userName") ? { ...mapping, userName: "-" } : mapping);
}

function unreadAttributes({ source }: SyncSource, state: SourceState): ReadonlySet<string> {
	const read = new Set((JSON.parse(state.attributes ?? "[]") as string[]).map((name) => name.toLowerCase()));
	return new Set(source.attributes.map((name) => name.toLowerCase()).filter((name) => !read.has(name)));
}
