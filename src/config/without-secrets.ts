import { Failure } from "../core/errors.ts";
import type { SourceConfig } from "./config.ts";
import { makeSecret } from "./secret.ts";

/**
 * The same source for who never connects. `knowsIdentity`: whether it still says as whom the directory would be read; a client
 * certificate says so, and cannot be shown without its key.
 */
export function withoutSecrets(source: SourceConfig): { readonly source: SourceConfig; readonly knowsIdentity: boolean } {
	const { bind, tls } = source;
	const isReadable = canReveal(tls.key);
	const plain = {
		bind: "sasl" in bind ? bind : { ...bind, password: makeSecret("") },
		tls: isReadable ? tls : { ...tls, cert: undefined, key: undefined },
	};
	return { source: { ...source, ...plain }, knowsIdentity: isReadable || !("sasl" in bind) || bind.authorizationId !== undefined };
}

function canReveal(secret: SourceConfig["tls"]["key"]): boolean {
	try {
		secret?.reveal();
		return true;
	} catch (error) {
		if (error instanceof Failure) return false;
		throw error;
	}
}
