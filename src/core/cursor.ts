/** Where a source left off. Opaque outside the source that made it; stored as text in the transaction of the changes it stands for. */
export type Cursor = string & { readonly __brand: "Cursor" };
