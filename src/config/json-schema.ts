import { z } from "zod";
import { makeSchema } from "./schema.ts";

/** The JSON Schema of the configuration, as text: what `config schema` prints and editors read. */
export function jsonSchemaText(): string {
	const { $schema, ...rest } = z.toJSONSchema(makeSchema(), { io: "input" });
	const schema = { $schema, title: "dirsyncd configuration", ...rest };
	return `${JSON.stringify(schema, undefined, "\t")}\n`;
}
