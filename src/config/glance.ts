import path from "node:path";
import { Failure } from "../core/errors.ts";
import { readDocument } from "./document.ts";
import type { Environment } from "./expand.ts";
import { readText } from "./load.ts";
import { makeSchema } from "./schema.ts";

/**
 * Where a configuration keeps its database, whatever else is wrong with it: who asks a running daemon how it is must not be stopped by
 * a mistake that the daemon has not read yet. Throws CONFIG_INVALID when the file does not tell.
 */
export function databaseOf(file: string, environment: Environment): string {
	const { values } = readDocument(readText(file), environment, "last");
	const said = typeof values === "object" && values !== null && "database" in values ? values.database : undefined;
	const database = makeSchema().shape.database.safeParse(said);
	if (database.success) return path.resolve(path.dirname(file), database.data);
	throw new Failure("CONFIG_INVALID", `the configuration ${file} does not tell where its database is`, {
		hint: "dirsyncd config validate shows what is wrong with it.",
	});
}
