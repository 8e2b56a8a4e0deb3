/** What a rule asks of one person, as the configuration has it: exactly one of these in each place. */
export type Condition =
	/** A member of this group, nested groups included: its DN, name, SID or GUID. */
	| { readonly group: string }
	/** An LDAP filter (RFC 4515) on the entry's attributes, evaluated here by Active Directory's matching rules. */
	| { readonly filter: string }
	| { readonly all: readonly Condition[] }
	| { readonly any: readonly Condition[] }
	| { readonly not: Condition };
