import path from "node:path";
import type { Environment } from "../config/expand.ts";

/** Where the parts of a first configuration go, and how it names them. */
export interface Places {
	/** The password's file. */
	readonly secret: string;
	readonly password: { readonly file: string } | { readonly credential: string };
	readonly database: string;
	/** The authority's file as the configuration names it, and what has to be copied for that. */
	readonly ca: string | undefined;
	readonly copy: { readonly from: string; readonly to: string } | undefined;
	/** What starts the service, where there is one. */
	readonly start: string | undefined;
}

/**
 * Beside the configuration. In an installation (deploy/systemd/dirsyncd says so, by the variables in which systemd tells a service the
 * same) the service reads as a user of its own that sees nobody's home: its secret is a credential, its data where it may write, and a
 * copy of the authority's file beside the configuration. `ca` is an absolute path.
 */
export function placesOf(output: string, name: string, ca: string | undefined, environment: Environment): Places {
	const folder = path.dirname(output);
	const secret = path.join(folder, "secrets", name);
	const { CREDENTIALS_DIRECTORY: credentials, STATE_DIRECTORY: state } = environment;
	if (credentials !== path.dirname(secret) || state === undefined) {
		const named = { password: { file: `./secrets/${name}` }, database: "./data/dirsyncd.db", ca: ca && besides(folder, ca) };
		return { secret, ...named, copy: undefined, start: undefined };
	}
	const isSeen = ca === undefined || besides(folder, ca) !== ca || /^\/(?:etc|usr)\//.test(ca);
	const copy = isSeen ? undefined : { from: ca, to: path.join(folder, `${name}-ca.pem`) };
	const named = { password: { credential: name }, database: path.join(state, "dirsyncd.db"), ca: ca && besides(folder, copy?.to ?? ca) };
	return { secret, ...named, copy, start: "systemctl enable --now dirsyncd" };
}

/** A path as a configuration in this folder has it: relative to it where it lies within. */
function besides(folder: string, file: string): string {
	const relative = path.relative(folder, file);
	return relative.startsWith("..") || path.isAbsolute(relative) ? file : `./${relative.replaceAll("\\", "/")}`;
}
