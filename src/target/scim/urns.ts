/** Names of SCIM (RFC 7643 §8.7, RFC 7644 §3). */
export const CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User";
export const CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** A path, "name.givenName" or "urn:…:User:department", as the schema and the attributes within. */
export interface Path {
	/** Undefined: the resource's own. */
	readonly extension: string | undefined;
	readonly attribute: string;
	readonly sub: string | undefined;
}

export function readPath(path: string): Path {
	const isUrn = /^urn:/i.test(path);
	const at = isUrn ? path.lastIndexOf(":") : -1;
	const extension = isUrn ? path.slice(0, at) : undefined;
	const [attribute = "", sub] = path.slice(at + 1).split(".");
	const isOwn = extension === undefined || extension === CORE_USER || extension === CORE_GROUP;
	return { extension: isOwn ? undefined : extension, attribute, sub };
}
