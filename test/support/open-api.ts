import { createRequire } from "node:module";

/** As much of an OpenAPI document as tests look at. */
export interface Document {
	readonly openapi: string;
	readonly info: { readonly version: string };
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
	readonly components: Readonly<Record<string, object>>;
}

export interface Operation {
	readonly operationId: string;
	readonly summary: string;
	readonly description: string;
	readonly security?: readonly unknown[];
	readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
	readonly responses: Readonly<Record<string, unknown>>;
}

/** A validator of JSON Schema 2020-12. */
interface Ajv {
	addSchema(schema: object, key: string): void;
	compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown };
}

/** Holds answers against a document: what its schema does not name must not be there. */
export function makeAnswerCheck(document: Document): (path: string, method: string, status: number, body: unknown) => void {
	// The library of the package that validates the document: this project has it for nothing else.
	const load = createRequire(createRequire(import.meta.url).resolve("@seriousme/openapi-schema-validator"));
	const { Ajv2020 } = load("ajv/dist/2020.js") as { Ajv2020: new (options: object) => Ajv };
	const addFormats = load("ajv-formats") as { default: (ajv: Ajv) => void };
	const ajv = new Ajv2020({ strict: false, allErrors: true });
	addFormats.default(ajv);
	ajv.addSchema({ $id: "api", ...document }, "api");
	const compiled = new Map<string, ReturnType<Ajv["compile"]>>();
	return (path, method, status, body) => {
		const type = status === 200 ? "application~1json" : "application~1problem+json";
		const escaped = path.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll("{", "%7B").replaceAll("}", "%7D");
		const ref =
			status === 200
				? `api#/paths/${escaped}/${method}/responses/200/content/${type}/schema`
				: `api#/components/responses/Problem${status}/content/${type}/schema`;
		if (document.paths[path]?.[method]?.responses[status] === undefined) throw new Error(`${method} ${path} has no answer ${status}`);
		const check = compiled.get(ref) ?? ajv.compile({ $ref: ref });
		compiled.set(ref, check);
		if (!check(body))
			throw new Error(`${method} ${path}: ${JSON.stringify(check.errors, undefined, 1)}\n${JSON.stringify(body).slice(0, 2000)}`);
	};
}
