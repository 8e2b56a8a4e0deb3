import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { jsonSchemaText } from "../../src/config/json-schema.ts";

it("config/dirsyncd.schema.json is what `dirsyncd config schema` prints", () => {
	const file = path.join(import.meta.dirname, "../../config/dirsyncd.schema.json");
	const wanted: unknown = JSON.parse(jsonSchemaText());
	const remedy = "npm run --silent schema > config/dirsyncd.schema.json && npm run format";
	expect(JSON.parse(readFileSync(file, "utf8")), remedy).toEqual(wanted);
});
