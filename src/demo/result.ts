import { Failure } from "../core/errors.ts";

/** Result codes of RFC 4511 appendix A.2 that this directory gives. */
export const resultCode = {
	success: 0,
	operationsError: 1,
	protocolError: 2,
	timeLimitExceeded: 3,
	sizeLimitExceeded: 4,
	compareFalse: 5,
	compareTrue: 6,
	authMethodNotSupported: 7,
	strongerAuthRequired: 8,
	referral: 10,
	adminLimitExceeded: 11,
	unavailableCriticalExtension: 12,
	noSuchAttribute: 16,
	undefinedAttributeType: 17,
	constraintViolation: 19,
	attributeOrValueExists: 20,
	invalidAttributeSyntax: 21,
	noSuchObject: 32,
	invalidDnSyntax: 34,
	invalidCredentials: 49,
	insufficientAccessRights: 50,
	busy: 51,
	unavailable: 52,
	unwillingToPerform: 53,
	namingViolation: 64,
	objectClassViolation: 65,
	notAllowedOnNonLeaf: 66,
	notAllowedOnRdn: 67,
	entryAlreadyExists: 68,
	other: 80,
} as const;

export type ResultName = keyof typeof resultCode;

/** How an operation ended, when it did not end well. */
export interface Refusal {
	readonly code: number;
	/** AD's diagnostic text. */
	readonly text: string;
	readonly matchedDn: string;
	readonly referral: readonly string[];
}

export function refusal(name: ResultName, text: string, matchedDn = ""): Refusal {
	return { code: resultCode[name], text, matchedDn, referral: [] };
}

/** Ends an operation with a result code: a Failure whose cause is the refusal, so that the API's callers see what an LDAP client would. */
export function refuse(name: ResultName, text: string, matchedDn = ""): never {
	throw new Failure("SOURCE_REFUSED", `the demo directory refused: ${name} (${resultCode[name]}): ${text}`, {
		cause: refusal(name, text, matchedDn),
	});
}

/** The refusal that a failure carries; undefined for any other error. */
export function refusalOf(error: unknown): Refusal | undefined {
	const cause = error instanceof Failure ? error.cause : undefined;
	return typeof cause === "object" && cause !== null && "matchedDn" in cause ? (cause as Refusal) : undefined;
}
