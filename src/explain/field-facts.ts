import type { Account } from "../core/account.ts";
import type { ConfigLines } from "../core/config-lines.ts";
import type { Anchor, Entry } from "../core/entry.ts";
import { type Mapping, type MappingField, mappingFields } from "../core/mapping.ts";
import { attributesIn, compileMultiple, type Part, parseTemplate } from "../core/template.ts";
import type { FieldFact } from "./explanation.ts";

/** Each mapped field, its value, and which attributes it came from. */
export function fieldsOf(
	entry: Entry,
	{ mapping, ownFields }: Pick<ConfigLines, "mapping" | "ownFields">,
	account: Account | undefined,
	managerOf: (dn: string) => Anchor | undefined,
): readonly FieldFact[] {
	return mappingFields.flatMap((field) => {
		const template = mapping[field];
		if (template === undefined) return [];
		const parsed = parseTemplate(template);
		if (parsed.kind === "problem") return [];
		const values = compileMultiple(parsed)(entry.attributes);
		const chosen = field === "emails.other" ? values : values.slice(0, 1);
		const shown = field === "manager" ? chosen.map((dn) => managerOf(dn) ?? `${dn}, who is not in scope`) : chosen;
		const value = shown.length === 0 ? undefined : shown.join(", ");
		const has = account && valueIn(account, field);
		const isOther = account !== undefined && field !== "emails.other" && field !== "manager" && has !== value;
		const from = attributesIn(parsed).flatMap((name) => {
			const found = entry.attributes.get(name);
			return found === undefined ? [] : [[name, found] as const];
		});
		const line = ownFields.has(field) ? `mapping.${field}` : undefined;
		const used = parsed.parts.flatMap((part) => (part.kind === "placeholder" ? deciding(part, entry) : []));
		return [{ field, value, template, line, used, from: Object.fromEntries(from), instead: isOther ? (has ?? "nothing") : undefined }];
	});
}

/** Of what stands for each other in a placeholder the first that has a value. */
function deciding({ steps }: Extract<Part, { kind: "placeholder" }>, { attributes }: Entry): readonly string[] {
	const first = steps.find((step) => step.kind === "attribute" && attributes.has(step.name));
	return first?.kind === "attribute" ? [first.name] : [];
}

function valueIn(account: Account, field: MappingField): string | undefined {
	switch (field) {
		case "name.givenName":
			return account.name?.givenName;
		case "name.familyName":
			return account.name?.familyName;
		case "emails.primary":
			return account.emails?.find(({ primary }) => primary === true)?.value;
		case "emails.other":
			return account.emails?.find(({ primary }) => primary !== true)?.value;
		case "phoneNumbers.work":
			return account.phoneNumbers?.find(({ type }) => type === "work")?.value;
		case "phoneNumbers.mobile":
			return account.phoneNumbers?.find(({ type }) => type === "mobile")?.value;
		default:
			return account[field satisfies keyof Account & keyof Mapping];
	}
}
