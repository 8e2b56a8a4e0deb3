/** How the configuration wants changes to be found: `auto` takes DirSync where the account may replicate changes, else uSNChanged. */
export type Changes = "auto" | "usn" | "dirsync" | "full";

/** How changes will be found from a reading on. */
export type Strategy =
	| { readonly kind: "usn"; readonly seesDeleted: boolean }
	/** `own`: without the right to replicate, so that only what this account may read is told. */
	| { readonly kind: "dirsync"; readonly view: "all" | "own"; readonly seesDeleted: boolean }
	| { readonly kind: "full" };

/** For `status`, in a few words. */
export function describeStrategy(strategy: Strategy): string {
	switch (strategy.kind) {
		case "full":
			return "full readings only";
		case "usn":
			return `uSNChanged${deletions(strategy.seesDeleted)}`;
		case "dirsync":
			return `DirSync${strategy.view === "own" ? " without the right to replicate" : ""}${deletions(strategy.seesDeleted)}`;
	}
}

function deletions(areSeen: boolean): string {
	return areSeen ? " with deletions" : ", deletions with full readings";
}
