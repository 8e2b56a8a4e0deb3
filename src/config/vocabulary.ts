import { z } from "zod";
import { nearest } from "../lib/nearest.ts";
import type { Path } from "./problem.ts";
import { makeSchema } from "./schema.ts";

/** The keys that a map of the configuration may have, from the schema itself. */
export function keysAt(path: Path): readonly string[] {
	const root = z.toJSONSchema(makeSchema(), { io: "input" }) as Shape;
	// What contains itself stands apart, and is referred to.
	const followed = (shape: Shape): Shape =>
		shape.$ref === undefined ? shape : (root.$defs?.[shape.$ref.slice("#/$defs/".length)] ?? shape);
	let here = root;
	for (const step of path) {
		const next = mapOf(here)?.properties?.[String(step)] ?? listOf(here)?.items;
		if (next === undefined) return [];
		here = followed(next);
	}
	return Object.keys(mapOf(here)?.properties ?? {});
}

interface Shape {
	readonly properties?: Readonly<Record<string, Shape>>;
	readonly items?: Shape;
	readonly anyOf?: readonly Shape[];
	readonly $ref?: string;
	readonly $defs?: Readonly<Record<string, Shape>>;
}

function mapOf(shape: Shape): Shape | undefined {
	return shape.properties !== undefined ? shape : shape.anyOf?.find((each) => each.properties !== undefined);
}

function listOf(shape: Shape): Shape | undefined {
	return shape.items !== undefined ? shape : shape.anyOf?.find((each) => each.items !== undefined);
}

/** The key that was probably meant: one that reads nearly the same, or what others call it. */
export function meantKey(above: Path, name: string): string | undefined {
	const known = keysAt(above);
	const synonym = synonyms[name.toLowerCase().replaceAll(/[_-]/g, "")]?.split(" ").find((each) => known.includes(each));
	return synonym ?? nearest(name, known);
}

/** By spaces: the first of them that is known in its place. */
const synonyms: Readonly<Record<string, string>> = {
	...{ server: "urls", servers: "urls", host: "urls", hosts: "urls", uri: "urls url", uris: "urls" },
	...{ username: "user", binddn: "user", dn: "user", passwd: "password", pwd: "password", searchbase: "base", basedn: "base" },
	...{ starttls: "startTls", cacert: "ca", cafile: "ca", db: "database", logging: "log", kind: "type", directories: "sources" },
	...{ clientcert: "cert", certificate: "cert", certfile: "cert", clientkey: "key", keyfile: "key", privatekey: "key" },
	...{ endpoint: "url", baseurl: "url", token: "bearer", authentication: "auth", oauth2: "oauth", file: "path", filename: "path" },
	...{ and: "all", or: "any", memberof: "group", scope: "when", condition: "when", ratelimit: "rate", batchsize: "batch" },
	...{ mechanism: "sasl", authzid: "authorizationId", realm: "domain", discover: "domain", uuid: "anchor" },
};

/** A `type` or choice of the contract that later versions bring, or undefined. */
export function laterType(path: Path, value: unknown): string | undefined {
	const choices = laterChoices[path.map((step) => (typeof step === "number" ? "*" : step)).join(".")];
	return typeof value === "string" && choices?.includes(value) === true ? value : undefined;
}

const laterChoices: Readonly<Record<string, readonly string[]>> = {
	"sources.*.type": ["csv", "entra", "google"],
};
