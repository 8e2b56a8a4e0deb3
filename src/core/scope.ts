/** Where an entry stands towards a source's scope, as far as bases, exclusions and users.filter say; groups are asked elsewhere. */
export type ScopePlace =
	| { readonly kind: "in-scope" }
	/** `where` is a phrase: "in OU=Leavers, beneath none of the bases". */
	| { readonly kind: "elsewhere"; readonly where: string }
	/** `by`: the DN of the exclusion, as the configuration has it. */
	| { readonly kind: "excluded"; readonly by: string }
	/** `why`: what of users.filter does not match, and what is there instead: "(mail=*) does not match: mail has no value". */
	| { readonly kind: "filtered"; readonly why: string }
	/** `what`: "a computer", "a group", "a contact". */
	| { readonly kind: "not-a-person"; readonly what: string }
	/** It can neither be said to be in scope nor not to. `why` is a sentence. */
	| { readonly kind: "unknown"; readonly why: string };
