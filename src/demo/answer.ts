import { makeMatcher } from "../core/matching.ts";
import { textOf } from "../core/syntax.ts";
import { locate } from "./base.ts";
import { rightsOf, type Session, sightFor } from "./host.ts";
import type { Control, Operation } from "./request.ts";
import { type Ending, wellDone } from "./response.ts";
import { refusal, resultCode } from "./result.ts";
import { controlOid, whoAmIOid } from "./rootdse.ts";
import { typeOf } from "./schema.ts";
import { showsDeleted } from "./search.ts";
import type { AdObject } from "./store.ts";
import { removeObject } from "./tombstone.ts";
import { valuesOf } from "./values.ts";
import { addObject, modifyObject, renameObject } from "./write.ts";

type Answerable = Exclude<Operation, { readonly kind: "bind" | "unbind" | "search" | "abandon" }>;

/** Carries out an operation that is answered by a result alone. */
export function answer(session: Session, operation: Answerable, controls: readonly Control[]): Ending {
	if (operation.kind === "extended") {
		return operation.oid === whoAmIOid
			? wellDone
			: refusal("protocolError", "00000057: LdapErr: DSID-0C090C97, comment: Unknown extended request, data 0, v1db1");
	}
	if (session.account === undefined)
		return refusal(
			"operationsError",
			"000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v1db1",
		);
	if (operation.kind === "compare") return compare(session, operation, controls);
	if (!rightsOf(session).mayWrite) {
		return refusal("insufficientAccessRights", "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0");
	}
	return write(session, operation, controls);
}

function write(
	session: Session,
	operation: Exclude<Answerable, { readonly kind: "extended" | "compare" }>,
	controls: readonly Control[],
): Ending {
	const { host } = session;
	const has = (oid: string): boolean => controls.some((control) => control.oid === oid);
	if (operation.kind === "add") {
		addObject(host, operation.dn, withDefaults(operation.attributes));
		return wellDone;
	}
	const object = locate(host.store, operation.dn, sightFor(session, showsDeleted(controls)));
	if ("code" in object) return object;
	switch (operation.kind) {
		case "modify":
			modifyObject(host, object, operation.modifications, { isPermissive: has(controlOid.permissiveModify), isSecure: session.isSecure });
			return wellDone;
		case "rename":
			if (!operation.dropOld)
				return refusal("unwillingToPerform", "00002089: SvcErr: DSID-031A1202, problem 5003 (WILL_NOT_PERFORM), data 0");
			renameObject(host, object, operation.leaf, operation.parent);
			return wellDone;
		case "delete":
			removeObject(host, object, has(controlOid.treeDelete) ? "tree" : "leaf");
			return wellDone;
	}
}

/** Who is added over LDAP without a userAccountControl is disabled and needs no password (546), as in AD. */
function withDefaults(given: readonly (readonly [string, readonly Uint8Array[]])[]): typeof given {
	const valuesOf = (name: string): string[] => given.find(([key]) => key.toLowerCase() === name)?.[1].map(textOf) ?? [];
	const isUser = valuesOf("objectclass").some((name) => name.toLowerCase() === "user");
	return isUser && valuesOf("useraccountcontrol").length === 0 ? [...given, ["userAccountControl", [Buffer.from("546")]]] : given;
}

function compare(session: Session, operation: Answerable & { kind: "compare" }, controls: readonly Control[]): Ending {
	const { store } = session.host;
	const sight = sightFor(session, showsDeleted(controls));
	const object: AdObject | Ending = locate(store, operation.dn, sight);
	if ("code" in object) return object;
	const hidden = sight.hiddenOn(object);
	const matcher = makeMatcher(
		{ kind: "equal", attribute: operation.attribute, value: operation.value },
		{ syntaxOf: (attribute) => typeOf(attribute)?.syntax },
	);
	const truth = matcher((attribute) => (hidden.has(attribute) ? undefined : valuesOf(store, object, attribute)));
	return { ...wellDone, code: truth === true ? resultCode.compareTrue : resultCode.compareFalse };
}
