/** Rights that a source needs (MS-ADTS §5.1.3.2), as SDDL, dsacls and .NET's ActiveDirectoryRights spell them. None of them writes. */
const spellings = {
	list: { sddl: "LC", dsacls: "LC", dotnet: "ListChildren" },
	"list-object": { sddl: "LO", dsacls: "LO", dotnet: "ListObject" },
	read: { sddl: "RP", dsacls: "RP", dotnet: "ReadProperty" },
	"read-security": { sddl: "RC", dsacls: "RC", dotnet: "ReadControl" },
	/** For a confidential attribute besides `read`, and for an extended right. */
	control: { sddl: "CR", dsacls: "CA", dotnet: "ExtendedRight" },
} as const;

export type Right = keyof typeof spellings;

/** Where an entry of an access list counts: SDDL's flags, dsacls' /I and .NET's ActiveDirectorySecurityInheritance. */
const reaches = {
	here: { sddl: "", dsacls: "", dotnet: "None" },
	"here-and-beneath": { sddl: "CI", dsacls: "/I:T", dotnet: "All" },
	beneath: { sddl: "CIIO", dsacls: "/I:S", dotnet: "Descendents" },
} as const;

/** A property, an extended right or a class: dsacls knows it by its name, an access list by its GUID. */
export interface Named {
	readonly name: string;
	readonly guid: string;
}

/** What one account is to be allowed at one object: the one model of which every spelling is made. */
export interface Grant {
	readonly dn: string;
	/** Half a sentence, for a person. */
	readonly why: string;
	readonly rights: readonly Right[];
	readonly reach: keyof typeof reaches;
	/** The properties or extended rights that are meant, each an entry of its own; none: all there is of the rights. */
	readonly of: readonly Named[];
	/** Only objects of this class inherit it. */
	readonly heirs: Named | undefined;
	/** Whose owner has to be changed before anybody may change its access list (the deleted objects). */
	readonly isOwnedBySystem: boolean;
}

/** Its entries in SDDL (MS-DTYP §2.5.1.1). */
export function sddlOf({ rights, reach, of, heirs }: Grant, sid: string): readonly string[] {
	const letters = rights.map((right) => spellings[right].sddl).join("");
	return (of.length === 0 ? [undefined] : of).map((object) => {
		const type = object === undefined && heirs === undefined ? "A" : "OA";
		return `(${type};${reaches[reach].sddl};${letters};${object?.guid ?? ""};${heirs?.guid ?? ""};${sid})`;
	});
}

/** What dsacls wants after the account: "RP;mail;user", and the inheritance it wants beside it. */
export function dsaclsOf({ rights, reach, of, heirs }: Grant): { readonly permissions: readonly string[]; readonly inheritance: string } {
	const letters = rights.map((right) => spellings[right].dsacls).join("");
	const permissions = (of.length === 0 ? [undefined] : of).map((object) => {
		const parts = [letters, object?.name ?? "", heirs?.name ?? ""];
		while (parts.at(-1) === "") parts.pop();
		return parts.join(";");
	});
	return { permissions, inheritance: reaches[reach].dsacls };
}

/** The names of .NET's enumerations. */
export function dotnetOf({ rights, reach }: Grant): { readonly rights: string; readonly inheritance: string } {
	return { rights: rights.map((right) => spellings[right].dotnet).join(", "), inheritance: reaches[reach].dotnet };
}
