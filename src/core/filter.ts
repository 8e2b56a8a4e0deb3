/** A search filter as RFC 4511 §4.5.1.7 has it. Values are bytes: a GUID is not text. Attribute descriptions keep their spelling. */
export type Filter =
	| { readonly kind: "and"; readonly parts: readonly Filter[] }
	| { readonly kind: "or"; readonly parts: readonly Filter[] }
	| { readonly kind: "not"; readonly part: Filter }
	| { readonly kind: "equal" | "greaterOrEqual" | "lessOrEqual" | "approx"; readonly attribute: string; readonly value: Uint8Array }
	| {
			readonly kind: "substrings";
			readonly attribute: string;
			readonly initial: Uint8Array | undefined;
			readonly any: readonly Uint8Array[];
			readonly final: Uint8Array | undefined;
	  }
	| { readonly kind: "present"; readonly attribute: string }
	| {
			readonly kind: "extensible";
			readonly rule: string | undefined;
			readonly attribute: string | undefined;
			readonly value: Uint8Array;
			readonly dnAttributes: boolean;
	  };
